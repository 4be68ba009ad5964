//! `GET /_spaceport/v1/credentials?ticket=…`: the first admin of the space that the ticket is for,
//! handed out once.

use fleet::Ticket;
use http::{HeaderValue, StatusCode, header};
use problem::Problem;
use sha2::{Digest as _, Sha256};

use super::{GatewayOptions, Response, notice::whole};
use crate::credentials::{CredentialsError, TicketUse};

/// Hands them out to who came with `ticket`, whose text is `text`.
pub(super) async fn hand_out(
    ticket: &Ticket,
    text: &str,
    options: &GatewayOptions,
) -> Result<Response, Problem> {
    let sha256 = domain::hex(&Sha256::digest(text));
    let held = TicketUse { sha256, until: ticket.until };
    let credentials = options.credentials.take(&ticket.space, &held).await;
    let credentials = credentials.map_err(|error| {
        if let CredentialsError::Unavailable(cause) = &error {
            let cause: &dyn std::error::Error = &**cause;
            tracing::warn!(space.id = %ticket.space, error = cause, "no credentials");
        }
        problem(&error)
    })?;
    let json = serde_json::to_vec(&credentials).expect("three texts are plain data");
    let mut response = http::Response::new(json.into()).map(whole);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

fn problem(error: &CredentialsError) -> Problem {
    let (status, code, title, detail) = match error {
        CredentialsError::NotReady => (
            StatusCode::CONFLICT,
            "credentials-not-ready",
            "Credentials not ready",
            "The space has not been ready yet. Ask the edge again when it runs.".to_owned(),
        ),
        CredentialsError::None => (
            StatusCode::NOT_FOUND,
            "no-credentials",
            "No credentials",
            "The app of this space has no account that was made for its owner.".to_owned(),
        ),
        CredentialsError::Taken { until } => (
            StatusCode::GONE,
            "credentials-taken",
            "Credentials taken",
            format!(
                "They were handed out, once, to whoever came with the ticket that ended at {until}. \
                 Whoever has them can change the password in the app."
            ),
        ),
        CredentialsError::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "credentials-unavailable",
            "Temporarily unavailable",
            "The host can't read them now. Nothing was handed out; try again.".to_owned(),
        ),
    };
    Problem::new(status, code, title, detail)
}
