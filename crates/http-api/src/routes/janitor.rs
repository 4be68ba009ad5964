//! `POST /internal/cron/janitor`: forgets what no longer matters.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use credentials::NONCE_LIFETIME;
use domain::Timestamp;
use evm::{BREAKER_KEY_PREFIX, is_breaker_stale};
use serde::Serialize;

use crate::{Edge, Platform, caller::CronCaller, error::ApiError};

/// How much longer a key is kept: a request may have begun, or another edge's clock be behind.
const MARGIN: Duration = Duration::from_mins(5);

#[derive(Serialize)]
pub(super) struct SweptView {
    n_forgotten: usize,
}

/// The key-value store forgets nothing by itself, so each key says until when it matters. Sweeping
/// twice, or at once with another, does no harm.
pub(super) async fn sweep<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _caller: CronCaller,
) -> Result<Json<SweptView>, ApiError> {
    let now = edge.platform.now();
    let mut n_forgotten = 0;
    for key in edge.platform.keys().await? {
        if is_over(&edge, &key, now).await? {
            edge.platform.forget(&key).await?;
            n_forgotten += 1;
        }
    }
    Ok(Json(SweptView { n_forgotten }))
}

async fn is_over<P: Platform>(edge: &Edge<P>, key: &str, now: Timestamp) -> Result<bool, ApiError> {
    if key.starts_with(BREAKER_KEY_PREFIX) {
        // There is one for each endpoint, so its key is always the same and its value says it.
        let value = edge.platform.load(key).await.map_err(ApiError::store)?;
        return Ok(value.is_some_and(|it| is_breaker_stale(&it, now)));
    }
    Ok(matters_until(key).is_some_and(|until| until.plus(MARGIN) < now))
}

/// Until when a key matters; nothing if it is none of ours.
fn matters_until(key: &str) -> Option<Timestamp> {
    let (kind, rest) = key.split_once('.')?;
    match kind {
        "nonce" => {
            let issued_at = i64::from_str_radix(rest.get(..8)?, 16).ok()?;
            Some(Timestamp::from_unix_ms(issued_at * 1000).plus(NONCE_LIFETIME))
        }
        "revoked" | "gate" => {
            let until_s: i64 = rest.split_once('.')?.0.parse().ok()?;
            Some(Timestamp::from_unix_ms(until_s.checked_mul(1000)?))
        }
        limits::KEY_KIND => limits::dies_at(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_until_when_it_matters() {
        #[rustfmt::skip]
        let rows = [
            ("nonce.00000064ab",       Some(100_000 + 600_000)),
            ("revoked.1795000000.abc", Some(1_795_000_000_000)),
            ("gate.1795000000.0x.ab",  Some(1_795_000_000_000)),
            ("limit.6.general.x.1",    Some(6_000)),
            ("breaker.ab",             None),
            ("nonce.zz",               None),
            ("nonce.",                 None),
            ("revoked.x.y",            None),
            ("something",              None),
        ];
        for (key, want_ms) in rows {
            assert_eq!(matters_until(key), want_ms.map(Timestamp::from_unix_ms), "{key}");
        }
    }
}
