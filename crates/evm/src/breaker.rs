//! Leaving alone, for a while, what fails again and again.
//!
//! ```text
//!           success                        failure, fewer than 3 in a row
//!        +-----------+                    +-----------+
//!        v           |                    |           v
//!     closed --------+------ failure -----+-------> closed
//!        ^                                            |
//!        | success                          the third | failure
//!        |                                            v
//!     one tries <-------- the pause is over --------- open
//!        |                                            ^
//!        +------------------ failure, a longer pause -+
//! ```

use std::time::Duration;

use alloy_primitives::{hex, keccak256};
use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// How every key of a breaker begins in the store.
pub const BREAKER_KEY_PREFIX: &str = "breaker.";

/// Failures in a row that open a breaker.
const FAILURES_MAX: u32 = 3;
/// How long it is open the first time. The time doubles with every failure after that.
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// The longest it is open.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How long after [`Breaker::retry_at`] a value still says something.
const MEMORY: Duration = Duration::from_hours(1);

/// How one endpoint has done of late.
///
/// It is written without compare-and-swap. A lost update makes a breaker open a failure later or
/// close a success later, and lets two try where one should: all harmless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Breaker {
    /// Failures since the last success.
    failures: u32,
    /// Unix milliseconds. Open until then; if it is not open, when this was written.
    retry_at: i64,
}

/// Whether an endpoint may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes.
    Ask,
    /// Yes, and others wait for how it goes, once this is stored.
    AskAlone(Breaker),
    /// No.
    Rest,
}

impl Breaker {
    /// The key of an endpoint's breaker. The URL goes in as a hash, because it is secret.
    pub(crate) fn key(chain_id: u64, endpoint: &Endpoint) -> String {
        let hash = keccak256(format!("{chain_id} {}", endpoint.url()));
        format!("{BREAKER_KEY_PREFIX}{}", hex::encode(hash))
    }

    /// What `value` says at `now`. A value that is stale, damaged, or from a clock that is far
    /// ahead says nothing, so no value keeps an endpoint from being asked for longer than the
    /// longest pause.
    pub(crate) fn read(value: &str, now: Timestamp) -> Self {
        let parsed = serde_json::from_str::<Self>(value).unwrap_or_default();
        let says = now.unix_ms().saturating_sub(ms(MEMORY))..=now.plus(PAUSE_MAX).unix_ms();
        if says.contains(&parsed.retry_at) { parsed } else { Self::default() }
    }

    /// As it is stored.
    pub(crate) fn to_value(self) -> String {
        format!(r#"{{"failures":{},"retry_at":{}}}"#, self.failures, self.retry_at)
    }

    pub(crate) fn admission(self, now: Timestamp) -> Admission {
        if self.failures < FAILURES_MAX {
            return Admission::Ask;
        }
        if now.unix_ms() < self.retry_at {
            return Admission::Rest;
        }
        // Should the one who tries never come back, another one does after this time.
        Admission::AskAlone(Self { retry_at: now.plus(PAUSE_MIN).unix_ms(), ..self })
    }

    pub(crate) fn after_failure(self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let pause = match failures.checked_sub(FAILURES_MAX) {
            None => Duration::ZERO,
            Some(doublings) => {
                PAUSE_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(PAUSE_MAX)
            }
        };
        Self { failures, retry_at: now.plus(pause).unix_ms() }
    }

    /// `None` if there is nothing to write: what is healthy costs no write.
    pub(crate) fn after_success(self, now: Timestamp) -> Option<Self> {
        (self.failures != 0).then(|| Self { failures: 0, retry_at: now.unix_ms() })
    }
}

/// Whether the value of a breaker says nothing any more at `now`, so that it can be forgotten.
#[must_use]
pub fn is_breaker_stale(value: &str, now: Timestamp) -> bool {
    Breaker::read(value, now) == Breaker::default()
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
