//! Answers of the edge itself, when no component answered. Generic: the reason is in the log.
//!
//! Source: RFC 9457.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request's id, if the client sent one that is fit to be repeated.
pub(crate) fn sent_request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_sane = |it: &&HeaderValue| {
        (8..=64).contains(&it.len())
            && it.as_bytes().iter().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(it))
    };
    headers.get(&REQUEST_ID).filter(is_sane).cloned()
}

fn new_request_id() -> HeaderValue {
    let mut random = [0; 12];
    // Without randomness the id says nothing, and does no harm.
    let _ = getrandom::fill(&mut random);
    let text: String = random.iter().map(|it| char::from(b'a' + it % 26)).collect();
    HeaderValue::from_str(&text).expect("letters are visible ASCII")
}

/// `status` with a body that says only what the status says, and the id that the client sent or a new
/// one.
pub(crate) fn problem(status: StatusCode, sent_id: Option<HeaderValue>) -> Response<WasiBody> {
    let (code, detail) = match status {
        StatusCode::BAD_REQUEST => ("bad-request", "the request names no host, or two"),
        StatusCode::NOT_FOUND => ("not-found", "this path leads nowhere"),
        StatusCode::PAYLOAD_TOO_LARGE => ("body-too-large", "the body is larger than 1 MiB"),
        StatusCode::SERVICE_UNAVAILABLE => ("overloaded", "too much at once; try again"),
        StatusCode::GATEWAY_TIMEOUT => ("timed-out", "this took too long"),
        _ => ("internal", "something is wrong on our side"),
    };
    let body = serde_json::json!({
        "type": format!("urn:spaceport:problem:{code}"),
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    let mut response = text(body.to_string());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(REQUEST_ID, sent_id.unwrap_or_else(new_request_id));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// 200 with this body.
pub(crate) fn text(body: impl Into<Bytes>) -> Response<WasiBody> {
    Response::new(Full::new(body.into()).map_err(Into::into).boxed_unsync())
}
