//! A handler that costs a cent and keeps no books: what stands behind the till in `scripts/bench paid`
//! and in the tests of the embedded edge.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use spin_sdk::{
    http::{FullBody, IntoResponse, Request},
    http_service,
};

/// What the till says inwards of a payment.
const PAYMENT_HEADER: &str = "spaceport-payment";
const QUOTE_TYPE: &str = "application/vnd.spaceport.quote+json";
/// When the handler answered, in nanoseconds: tells an answer that was kept from a second one.
const SERVED_AT: &str = "x-served-at";
const QUOTE: &str = r#"{"price":"0.01","description":"A cent"}"#;
const DONE: &str = r#"{"ok":true}"#;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (status, content_type, body) = if request.headers().contains_key(PAYMENT_HEADER) {
        (StatusCode::OK, "application/json", DONE)
    } else {
        (StatusCode::PAYMENT_REQUIRED, QUOTE_TYPE, QUOTE)
    };
    let mut response = http::Response::new(FullBody::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    #[expect(clippy::disallowed_methods, reason = "it is an outermost layer")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    if let Ok(now) = HeaderValue::try_from(now.to_string()) {
        response.headers_mut().insert(SERVED_AT, now);
    }
    response
}
