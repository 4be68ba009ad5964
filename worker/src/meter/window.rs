//! When a reading is made: at the full quarter of an hour, and never later than one of them after the last.

use std::time::Duration;

use super::clock::Moment;

/// The time that one reading is about.
#[derive(Clone, Debug)]
pub(super) struct Window {
    begin: Moment,
    period_ms: i64,
}

impl Window {
    pub(super) fn begin(at: &Moment, period: Duration) -> Self {
        let period_ms = i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1);
        Self { begin: at.clone(), period_ms }
    }

    /// How long to wait until the next look, which is at the end of the window or `max` away.
    pub(super) fn pause(&self, now: &Moment, max: Duration) -> Duration {
        let into_ms = now.wall.unix_ms().rem_euclid(self.period_ms);
        let left_ms = self.period_ms.saturating_sub(into_ms);
        Duration::from_millis(left_ms.unsigned_abs()).min(max)
    }

    /// Whether a full period of the wall's has begun since, or one has passed by the clock that does not
    /// jump.
    pub(super) fn is_over(&self, now: &Moment) -> bool {
        let number = |at: &Moment| at.wall.unix_ms().div_euclid(self.period_ms);
        number(now) != number(&self.begin)
            || self.period_ms.unsigned_abs() <= now.since_ms(&self.begin)
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn moment(uptime_ms: u64, wall_ms: i64) -> Moment {
        Moment { boot: "b".to_owned(), uptime_ms, wall: Timestamp::from_unix_ms(wall_ms) }
    }

    #[test]
    fn it_ends_at_the_full_period_or_after_one() {
        let window = Window::begin(&moment(0, 10_500), Duration::from_secs(1));
        #[rustfmt::skip]
        let rows = [
            // uptime wall      over   pause, at most 300 ms
            (0,       10_500,   false, 300),
            (400,     10_900,   false, 100),
            (500,     11_000,   true,  300),
            (500,     9_000,    true,  300), // it jumped back
            (400,     10_501,   false, 300), // it stands still
            (1000,    10_501,   true,  300),
        ];
        for (uptime_ms, wall_ms, is_over, pause_ms) in rows {
            let now = moment(uptime_ms, wall_ms);
            assert_eq!(window.is_over(&now), is_over, "{uptime_ms} {wall_ms}");
            let pause = window.pause(&now, Duration::from_millis(300));
            assert_eq!(pause, Duration::from_millis(pause_ms), "{uptime_ms} {wall_ms}");
        }
    }
}
