//! Asking DNS over HTTPS.
//!
//! Source: RFC 8484, by POST: what is asked for stands in no URL and in no log of one.

use std::time::Duration;

use evm::{Limits, Network};

use super::message::{Asked, DnsError, Found, found, question};

/// How much one answer may take. An answer of DNS has 64 KiB at most.
const LIMITS: Limits = Limits { time: Duration::from_secs(4), bytes: 65_535 };
const MEDIA_TYPE: &str = "application/dns-message";

/// What the resolver at `url` says there is at `name`.
pub(super) async fn ask(network: &impl Network, url: &str, name: &str, asked: Asked) -> Found {
    let headers = [("content-type", MEDIA_TYPE.to_owned()), ("accept", MEDIA_TYPE.to_owned())];
    let reply = network.post(url, &headers, question(name, asked)?, LIMITS).await?;
    match reply.status {
        200 => found(&reply.body, name, asked),
        status => Err(DnsError::Status(status)),
    }
}
