//! Answers of the edge itself, when no component answered. Generic: the reason is in the log.
//!
//! Source: RFC 9457.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;

/// `status` with a body that says only what the status says.
pub(crate) fn problem(status: StatusCode) -> Response<WasiBody> {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
    });
    let media_type = HeaderValue::from_static("application/problem+json");
    let mut response = text(body.to_string());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// 200 with this body.
pub(crate) fn text(body: impl Into<Bytes>) -> Response<WasiBody> {
    Response::new(Full::new(body.into()).map_err(Into::into).boxed_unsync())
}
