//! The response headers that tell a client where it stands.

use crate::{Allowance, Level, level::seconds};

/// Where a caller stands with one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit's name: lower-case letters and `-`.
    pub name: &'static str,
    /// What it allows.
    pub allowance: Allowance,
    /// What is left of that.
    pub level: Level,
}

/// The value of `RateLimit-Policy`: what is allowed, `"general";q=10;w=60`.
///
/// Source: draft-ietf-httpapi-ratelimit-headers-10, section 3.
#[must_use]
pub fn policy_header(standings: &[Standing]) -> String {
    list(standings, |it| {
        let (quota, window_s) = (it.allowance.requests(), seconds(it.allowance.period()));
        format!("\"{}\";q={quota};w={window_s}", it.name)
    })
}

/// The value of `RateLimit`: what is left, and after how many seconds it is more,
/// `"general";r=9;t=6`. A full bucket has no `t`: it will not be more.
///
/// Source: draft-ietf-httpapi-ratelimit-headers-10, section 4.
#[must_use]
pub fn standing_header(standings: &[Standing]) -> String {
    list(standings, |it| {
        let remaining = it.level.remaining;
        match seconds(it.level.next_in) {
            0 => format!("\"{}\";r={remaining}", it.name),
            next_s => format!("\"{}\";r={remaining};t={next_s}", it.name),
        }
    })
}

/// A list of structured fields (RFC 9651).
fn list(standings: &[Standing], item: impl Fn(&Standing) -> String) -> String {
    standings.iter().map(item).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn headers_are_lists_of_structured_fields() {
        let standing = |name, allowance: Option<Allowance>, remaining, next_in_ms| Standing {
            name,
            allowance: allowance.unwrap(),
            level: Level { remaining, next_in: Duration::from_millis(next_in_ms) },
        };
        let general = standing("general", Allowance::per_minute(10), 9, 5_001);
        let empty = standing("general", Allowance::per_minute(10), 0, 6_000);
        let provision = standing("provision", Allowance::per_hour(2), 2, 0);
        #[rustfmt::skip]
        let rows = [
            (vec![general], r#""general";q=10;w=60"#, r#""general";r=9;t=6"#),
            (vec![empty],   r#""general";q=10;w=60"#, r#""general";r=0;t=6"#),
            (
                vec![general, provision],
                r#""general";q=10;w=60, "provision";q=2;w=3600"#,
                r#""general";r=9;t=6, "provision";r=2"#,
            ),
        ];
        for (standings, policy, level) in rows {
            assert_eq!(policy_header(&standings), policy);
            assert_eq!(standing_header(&standings), level);
        }
    }
}
