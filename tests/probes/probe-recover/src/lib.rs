//! A component that traces a signature to its address as many times as the path says, for
//! `scripts/bench recover`. The address, the signature and the message are the lines of the body.

use std::hint::black_box;

use alloy_primitives::Address;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected};
use spin_sdk::{
    http::{FullBody, IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let text = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let is_proven = prove(parts.uri.path(), &text).unwrap_or(false);
    let mut response = http::Response::new(FullBody::new(Bytes::new()));
    if !is_proven {
        *response.status_mut() = http::StatusCode::CONFLICT;
    }
    response
}

/// Whether the address signed, each time; nothing if the request is not one for this component.
fn prove(path: &str, text: &[u8]) -> Option<bool> {
    let times: u32 = path.trim_start_matches('/').parse().ok()?;
    let mut lines = str::from_utf8(text).ok()?.splitn(3, '\n');
    let address: Address = lines.next()?.parse().ok()?;
    let (signature, message) = (lines.next()?, lines.next()?);
    let mut is_proven = true;
    for _ in 0..times {
        let signature = black_box(signature).parse().ok()?;
        is_proven &= siwe::recover(black_box(message), &signature) == Ok(address);
    }
    Some(is_proven)
}
