//! Tokens that have numbers, so that taking one is claiming a key.
//!
//! With `T = period / requests`, token `k` is in every bucket from `(k - requests) * T` to `k * T`,
//! counted from 1970: at any time there are `requests` of them, and every `T` the oldest dies and a
//! new one is born.

use domain::Timestamp;

use crate::{
    Allowance, Level, Subject,
    level::{duration, small},
};

/// What the keys of claimed tokens begin with, and a dot.
pub const KEY_KIND: &str = "limit";

/// The tokens that are in a bucket at one time.
pub(crate) struct Tokens<'a> {
    name: &'a str,
    subject: &'a Subject,
    allowance: Allowance,
    now: Timestamp,
    /// The one that dies next.
    pub(crate) oldest: u128,
    /// The one that was born last.
    pub(crate) newest: u128,
}

impl<'a> Tokens<'a> {
    /// The tokens that `subject` has at `now` under the limit `name`.
    pub(crate) fn at(
        name: &'a str,
        allowance: Allowance,
        subject: &'a Subject,
        now: Timestamp,
    ) -> Self {
        let n_dead = allowance.ticks(now) / allowance.ticks_per_token();
        let newest = n_dead + u128::from(allowance.requests());
        Self { name, subject, allowance, now, oldest: n_dead + 1, newest }
    }

    /// The key whose first claim takes `token`. It says when the token dies.
    pub(crate) fn key(&self, token: u128) -> String {
        let death_ns = self.allowance.nanos(token * self.allowance.ticks_per_token());
        let dies_at_s = death_ns.div_ceil(1_000_000_000);
        format!("{KEY_KIND}.{dies_at_s}.{}.{}.{token}", self.name, self.subject)
    }

    /// The level of the bucket when all tokens up to `taken`, one of them, are taken. The oldest is
    /// then among them, so what dies next is no loss and what is born next is a gain.
    pub(crate) fn level(&self, taken: u128) -> Level {
        let next = self.oldest * self.allowance.ticks_per_token();
        let until_next = next - self.allowance.ticks(self.now);
        Level {
            remaining: small(self.newest - taken),
            next_in: duration(self.allowance.nanos(until_next)),
        }
    }
}

/// From when on the key of a claimed token means nothing, if `key` is one. A request that began
/// before may still claim it, so it is to be kept for as long as a request takes.
#[must_use]
pub fn dies_at(key: &str) -> Option<Timestamp> {
    let (unix_s, _) = key.strip_prefix(KEY_KIND)?.strip_prefix('.')?.split_once('.')?;
    let unix_s: i64 = unix_s.parse().ok()?;
    Some(Timestamp::from_unix_ms(unix_s.checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject::from(std::net::IpAddr::from([192, 0, 2, 1]))
    }

    /// Ten a minute: a token takes 6 s and lives for 60.
    #[test]
    fn the_tokens_of_a_moment() {
        let subject = subject();
        #[rustfmt::skip]
        let rows = [
            // now, ms                oldest  newest  next in, ms
            (0,                       1,      10,     6_000),
            (1,                       1,      10,     5_999),
            (5_999,                   1,      10,     1),
            (6_000,                   2,      11,     6_000),
            (60_000,                  11,     20,     6_000),
            (-5,                      1,      10,     6_000),
        ];
        for (now_ms, oldest, newest, next_in_ms) in rows {
            let now = Timestamp::from_unix_ms(now_ms);
            let tokens = Tokens::at("general", Allowance::per_minute(10).unwrap(), &subject, now);
            let level = tokens.level(oldest);
            let got = (tokens.oldest, tokens.newest, level.next_in.as_millis());
            assert_eq!(got, (oldest, newest, next_in_ms), "{now_ms}");
            assert_eq!((level.remaining, tokens.level(newest).remaining), (9, 0));
        }
    }

    #[test]
    fn a_key_says_whose_token_it_is_and_when_it_dies() {
        let subject = subject();
        #[rustfmt::skip]
        let rows = [
            // a minute    token         key
            (10,           1,            "limit.6.general.192-0-2-1.1"),
            (10,           299_166_667,  "limit.1795000002.general.192-0-2-1.299166667"),
            (7,            1,            "limit.9.general.192-0-2-1.1"),
            (10_000_000,   1,            "limit.1.general.192-0-2-1.1"),
        ];
        for (requests, token, want) in rows {
            let allowance = Allowance::per_minute(requests).unwrap();
            let now = Timestamp::from_unix_ms(0);
            let key = Tokens::at("general", allowance, &subject, now).key(token);
            assert_eq!(key, want);
        }
    }

    #[test]
    fn only_keys_of_tokens_are_read() {
        #[rustfmt::skip]
        let rows = [
            ("limit.6.general.192-0-2-1.1", Some(6_000)),
            ("limit.0.x",                   Some(0)),
            ("limit.x.general",             None),
            ("limit.9223372036854775807.x", None),
            ("limit.6",                     None),
            ("limits.6.x",                  None),
            ("limit",                       None),
            ("revoked.1795000000.abc",      None),
        ];
        for (key, want_ms) in rows {
            assert_eq!(dies_at(key), want_ms.map(Timestamp::from_unix_ms), "{key}");
        }
    }

    #[test]
    fn no_rate_is_too_high_and_no_time_too_strange() {
        let subject = subject();
        for requests in [1, 7, 10_000_000, u32::MAX] {
            for allowance in [Allowance::per_minute(requests), Allowance::per_hour(requests)] {
                for ms in [i64::MIN, -1, 0, 1_795_000_000_123, i64::MAX] {
                    let now = Timestamp::from_unix_ms(ms);
                    let tokens = Tokens::at("general", allowance.unwrap(), &subject, now);
                    assert_eq!(tokens.newest - tokens.oldest, u128::from(requests - 1));
                    assert!(tokens.key(tokens.newest).starts_with("limit."));
                    assert!(!tokens.level(tokens.oldest).next_in.is_zero());
                }
            }
        }
    }
}
