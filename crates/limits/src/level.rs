//! How full a bucket is.

use std::time::Duration;

use domain::Timestamp;

use crate::Allowance;

/// How full a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// How many requests can be made now.
    pub remaining: u32,
    /// In what time it can be one more; zero if the bucket is full.
    pub next_in: Duration,
}

impl Level {
    /// The level at `now` of a bucket from which one token was taken at each of `times`, oldest
    /// first. What is said to be later than `now` was taken now.
    ///
    /// A bucket is never emptier than empty, whatever was taken: so whoever made much while there
    /// was no limit, or a higher one, does not pay it off for days.
    ///
    /// Source: the generic cell rate algorithm, ITU-T I.371, as virtual scheduling.
    #[must_use]
    pub fn from_times(
        allowance: Allowance,
        times: impl IntoIterator<Item = Timestamp>,
        now: Timestamp,
    ) -> Self {
        let token = allowance.ticks_per_token();
        let bucket = token * u128::from(allowance.requests());
        let now = allowance.ticks(now);
        let full_at = times.into_iter().fold(0, |full_at: u128, at| {
            let at = allowance.ticks(at).min(now);
            (full_at.max(at) + token).min(at + bucket)
        });
        let missing = full_at.saturating_sub(now);
        // A token that is not whole yet is missing.
        let n_missing = missing.div_ceil(token);
        let until_next = missing - n_missing.saturating_sub(1) * token;
        Self {
            remaining: allowance.requests() - small(n_missing),
            next_in: duration(allowance.nanos(until_next)),
        }
    }

    /// After how many seconds to try again, for the header `Retry-After`: at least 1.
    #[must_use]
    pub const fn retry_after_s(&self) -> u64 {
        match seconds(self.next_in) {
            0 => 1,
            seconds => seconds,
        }
    }
}

/// Seconds, rounded up: after them it is so.
pub(crate) const fn seconds(duration: Duration) -> u64 {
    if duration.subsec_nanos() == 0 { duration.as_secs() } else { duration.as_secs() + 1 }
}

/// A number of tokens in one bucket.
pub(crate) fn small(n_tokens: u128) -> u32 {
    u32::try_from(n_tokens).expect("a bucket has at most u32::MAX tokens")
}

/// The time until a token, which is an hour at most.
pub(crate) fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).expect("a period is an hour at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: i64 = 1_795_000_000_000;
    const MINUTE_MS: i64 = 60_000;

    fn level(allowance: Option<Allowance>, times_ms: &[i64], now_ms: i64) -> (u32, u128) {
        let at = |ms: i64| Timestamp::from_unix_ms(START_MS + ms);
        let times = times_ms.iter().map(|ms| at(*ms));
        let level = Level::from_times(allowance.unwrap(), times, at(now_ms));
        (level.remaining, level.next_in.as_millis())
    }

    /// Two an hour: a token takes 30 minutes.
    #[test]
    fn a_level_is_what_was_not_taken_and_what_came_back() {
        let hourly = Allowance::per_hour(2);
        let m = |minutes: &[i64]| minutes.iter().map(|it| it * MINUTE_MS).collect::<Vec<_>>();
        #[rustfmt::skip]
        let rows = [
            // taken, in minutes           now     remaining, next in minutes
            (m(&[]),                       0,      (2, 0)),
            (m(&[0]),                      0,      (1, 30)),
            (m(&[0]),                      10,     (1, 20)),
            (m(&[0]),                      30,     (2, 0)),
            (m(&[0, 0]),                   0,      (0, 30)),
            (m(&[0, 0]),                   29,     (0, 1)),
            (m(&[0, 0]),                   30,     (1, 30)),
            (m(&[0, 0]),                   60,     (2, 0)),
            (m(&[0, 20]),                  20,     (0, 10)),
            (m(&[0, 20]),                  30,     (1, 30)),
            (m(&[0, 0, 30, 60]),           60,     (0, 30)),
            // More than was allowed: empty, and no emptier.
            (m(&[0, 0, 0, 0, 0]),          0,      (0, 30)),
            (m(&[0, 0, 0, 0, 0]),          30,     (1, 30)),
            // A clock that went back.
            (m(&[90]),                     0,      (1, 30)),
        ];
        for (times_ms, now, (remaining, next_in)) in rows {
            let want = (remaining, next_in * 60_000);
            assert_eq!(level(hourly, &times_ms, now * MINUTE_MS), want, "{times_ms:?} at {now}");
        }
    }

    #[test]
    fn no_rate_is_too_high_and_no_time_too_strange() {
        for requests in [1, 7, 10_000_000, u32::MAX] {
            for allowance in [Allowance::per_minute(requests), Allowance::per_hour(requests)] {
                for ms in [i64::MIN, -1, 0, START_MS, i64::MAX] {
                    let at = Timestamp::from_unix_ms(ms);
                    let level = Level::from_times(allowance.unwrap(), [at; 3], at);
                    assert_eq!(level.remaining, requests.saturating_sub(3), "{requests} at {ms}");
                }
            }
        }
        assert_eq!(Allowance::per_minute(0), None);
    }

    #[test]
    fn a_wait_is_rounded_up_to_seconds() {
        #[rustfmt::skip]
        let rows = [
            // ns             s
            (0,               1),
            (1,               1),
            (1_000_000_000,   1),
            (1_000_000_001,   2),
            (59_999_999_999, 60),
        ];
        for (nanos, want) in rows {
            let level = Level { remaining: 0, next_in: Duration::from_nanos(nanos) };
            assert_eq!(level.retry_after_s(), want, "{nanos} ns");
        }
    }
}
