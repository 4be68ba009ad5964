//! The clock by which durations are measured: it goes on while the machine sleeps, and never jumps.

use std::fs;

use domain::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// A moment, by both clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Which run of the machine it is of; empty if that is not known.
    pub(crate) boot: String,
    /// Milliseconds since that began.
    pub(crate) uptime_ms: u64,
    /// What the clock on the wall shows.
    pub(crate) wall: Timestamp,
}

/// The longest time between two runs of the machine that is believed, in milliseconds: a week.
const AWAY_MS_MAX: i64 = 7 * 24 * 3600 * 1000;

impl Moment {
    /// This one, where the wall shows `wall`.
    pub(crate) fn now(wall: Timestamp) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let millis = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
        let uptime_ms = seconds.saturating_mul(1000).saturating_add(millis);
        Self { boot: boot.trim().to_owned(), uptime_ms, wall }
    }

    /// How long it is since `before`, in milliseconds.
    pub(crate) fn since_ms(&self, before: &Self) -> u64 {
        if self.boot == before.boot {
            return self.uptime_ms.saturating_sub(before.uptime_ms);
        }
        // Of the time between two runs only the wall knows.
        let away_ms = self.wall.unix_ms().saturating_sub(before.wall.unix_ms());
        away_ms.clamp(0, AWAY_MS_MAX).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_counts_between_two_runs_only() {
        let moment = |boot: &str, uptime_ms, wall_ms| Moment {
            boot: boot.to_owned(),
            uptime_ms,
            wall: Timestamp::from_unix_ms(wall_ms),
        };
        #[rustfmt::skip]
        let rows = [
            (moment("a", 100, 0),   moment("a", 350, 9_999_999), 250),
            (moment("a", 100, 500), moment("a", 350, 0),         250),
            (moment("a", 100, 500), moment("a", 50, 500),        0),
            (moment("a", 100, 500), moment("b", 5, 800),         300),
            (moment("a", 100, 500), moment("b", 5, 0),           0),
            (moment("a", 100, 0),   moment("b", 5, i64::MAX),    604_800_000),
        ];
        for (before, now, want) in rows {
            assert_eq!(now.since_ms(&before), want, "{before:?} {now:?}");
        }
    }

    #[test]
    fn time_goes_on() {
        let now = || Moment::now(Timestamp::from_unix_ms(0));
        let before = now();
        assert!(!before.boot.is_empty());
        assert!(before.uptime_ms <= now().uptime_ms);
    }
}
