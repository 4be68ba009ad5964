//! Requests that may be repeated.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use credentials::sha256_hex;
use domain::Wallet;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use records::{Answer, IdempotencyKey};

use crate::error::ApiError;

/// The header that makes a request repeatable.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of a request, if it has one.
///
/// # Errors
/// [`ApiError::InvalidIdempotencyKey`].
pub(crate) fn key(
    headers: &HeaderMap,
    wallet: &Wallet,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, ApiError> {
    key_of(headers, &wallet.to_string(), method, path, body)
}

/// The same for a caller that is no wallet.
///
/// # Errors
/// [`ApiError::InvalidIdempotencyKey`].
pub(crate) fn key_of(
    headers: &HeaderMap,
    caller: &str,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if !(1..=128).contains(&key.len()) || !key.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(ApiError::InvalidIdempotencyKey);
    }
    let request = format!("{method} {path}\n{}", String::from_utf8_lossy(body));
    Ok(Some(IdempotencyKey {
        caller: caller.to_owned(),
        key: key.to_owned(),
        request_sha256: sha256_hex(&request),
    }))
}

/// An answer as a response.
pub(crate) fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json")], Body::from(answer.body))
            .into_response();
    if let Some(location) = answer.location.and_then(|it| it.parse().ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
