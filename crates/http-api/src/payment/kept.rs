//! For handlers that keep no books: one answer for one payment.

use std::time::Duration;

use axum::{body::Body, response::IntoResponse as _};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use records::{PaidAnswer, PaymentRecord, Serving};

use crate::{Edge, Platform, error::ApiError};

/// How long a handler may take before another request may go in with the same payment.
const LEASE: Duration = Duration::from_mins(1);
/// How long a request waits for another with the same payment.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK_PERIOD: Duration = Duration::from_millis(50);
/// Largest answer to a paid request, in bytes: it is kept.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Whose turn it is to be served for a payment.
pub(super) enum Turn {
    /// This request's, for what this transfer holds.
    Ours(String),
    /// It was served, and this was the answer.
    Answered(Response<Body>),
    /// It paid for another request.
    UsedOtherwise,
}

/// Waits for the turn of a request with this fingerprint.
///
/// # Errors
/// [`ApiError::SettlementPending`] if another takes too long; or a store failed.
pub(super) async fn turn<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    fingerprint: &str,
) -> Result<Turn, ApiError> {
    let id = record.payment.id;
    if record.payment.fingerprint != fingerprint {
        return Ok(Turn::UsedOtherwise);
    }
    let give_up_at = edge.platform.now().plus(WAIT_MAX);
    loop {
        let now = edge.platform.now();
        match edge.records().await?.begin_serving(record, now, LEASE).await? {
            Serving::Ours(hold) => return Ok(Turn::Ours(hold)),
            Serving::Answered(answer) => return Ok(Turn::Answered(response(&answer)?)),
            // Spent otherwise: by the wallet, or by the request that it was for.
            Serving::Spent => return Ok(Turn::UsedOtherwise),
            Serving::Busy if give_up_at <= now => return Err(ApiError::SettlementPending(id)),
            Serving::Busy => edge.platform.sleep(LOOK_PERIOD).await,
        }
    }
}

/// Keeps an answer below 400 and charges the payer for it. After any other the payment may be used
/// again.
pub(super) async fn keep<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    hold: &str,
    response: Response<Body>,
) -> Response<Body> {
    match try_keep(edge, record, hold, response).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(payment.id = record.payment.id.to_string(), "not kept: {error}");
            error.into_response()
        }
    }
}

async fn try_keep<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    hold: &str,
    response: Response<Body>,
) -> Result<Response<Body>, ApiError> {
    let (records, now) = (edge.records().await?, edge.platform.now());
    if StatusCode::BAD_REQUEST <= response.status() {
        records.stop_serving(&record.payment.id, hold, now).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            records.stop_serving(&record.payment.id, hold, now).await?;
            return Err(ApiError::internal(format!("the handler's answer: {error}")));
        }
    };
    // A cookie is for one client only.
    let headers: Vec<(&str, &str)> = parts
        .headers
        .iter()
        .filter(|(name, _)| **name != header::SET_COOKIE)
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let answer = PaidAnswer {
        status: parts.status.as_u16(),
        headers: serde_json::to_string(&headers).expect("headers are plain data"),
        body_base64: STANDARD.encode(&body),
    };
    records.finish_serving(&record.payment.id, hold, &answer, now).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn response(answer: &PaidAnswer) -> Result<Response<Body>, ApiError> {
    let body =
        STANDARD.decode(&answer.body_base64).map_err(|it| ApiError::internal(it.to_string()))?;
    let pairs: Vec<(String, String)> =
        serde_json::from_str(&answer.headers).map_err(ApiError::internal)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(ApiError::internal)?;
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in pairs {
        let name = HeaderName::try_from(name).map_err(ApiError::internal)?;
        headers.append(name, HeaderValue::try_from(value).map_err(ApiError::internal)?);
    }
    Ok(response)
}
