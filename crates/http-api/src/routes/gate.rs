//! `GET /v1/gate`: what the gate says to whoever asks, and why.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use gate::{Mode, Outcome, RuleVerdict};
use http::{HeaderMap, header};
use serde::Serialize;

use crate::{
    Edge, Platform,
    admission::{Purpose, admission},
    caller::Reader,
    error::ApiError,
};

#[derive(Serialize)]
struct GateView {
    enabled: bool,
    allowed: bool,
    mode: Mode,
    rules: Vec<RuleVerdict>,
    checked_at: Timestamp,
    cached: bool,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: Result<Reader, ApiError>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = edge.platform.now();
    let Some(policy) = &edge.config.gate.policy else {
        let open = GateView {
            enabled: false,
            allowed: true,
            mode: Mode::All,
            rules: Vec::new(),
            checked_at: now,
            cached: false,
        };
        return Ok(Json(open).into_response());
    };
    let Reader(caller) = caller?;
    let admission = admission(&edge, policy, caller.wallet, &headers, Purpose::Explain).await?;
    let is_operator = caller.is_admin();
    if admission.verdict.outcome == Outcome::Undecided && !is_operator {
        return Err(ApiError::GateUnavailable);
    }
    let age = now.since(admission.checked_at).as_secs();
    let view = GateView {
        enabled: true,
        allowed: admission.is_open() || is_operator,
        mode: admission.verdict.mode,
        rules: admission.verdict.rules,
        checked_at: admission.checked_at,
        cached: admission.is_cached,
    };
    let headers = [(header::CACHE_CONTROL, "no-store".to_owned()), (header::AGE, age.to_string())];
    Ok((headers, Json(view)).into_response())
}
