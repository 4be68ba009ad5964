//! When it is time to count.

use std::time::{Duration, Instant};

/// How much may be written before it is counted whose it is, at most and at least, in bytes.
const WRITTEN_MAX: u64 = 64 << 20;
const WRITTEN_MIN: u64 = 4 << 20;

/// When everything is counted, whatever was written.
const PERIOD_MAX: Duration = Duration::from_mins(5);

/// How much longer than a count the pause after it is, at least: counting takes a tenth of the time.
const PAUSE_FACTOR: u32 = 9;

/// The last count of all spaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastCount {
    /// When it ended.
    pub(super) ended: Instant,
    /// How long it took.
    pub(super) took: Duration,
    /// How much of Docker's disk was used when it began, in bytes.
    pub(super) used: u64,
    /// How much more could be written before a space is warned or stopped, in bytes.
    pub(super) room: u64,
}

impl LastCount {
    /// Whether it is time to count again, `now` that `used` bytes of Docker's disk are used.
    pub(super) fn is_over(&self, now: Instant, used: u64) -> bool {
        let since = now.saturating_duration_since(self.ended);
        let written_max = self.room.clamp(WRITTEN_MIN, WRITTEN_MAX);
        let is_enough = written_max <= used.saturating_sub(self.used);
        self.took.saturating_mul(PAUSE_FACTOR) <= since && (is_enough || PERIOD_MAX <= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_goes_by_what_was_written_and_by_what_it_costs() {
        let mib = |n: u64| n << 20;
        let seconds = Duration::from_secs;
        let ended = Instant::now();
        #[rustfmt::skip]
        let rows = [
            // room       written    took   since  is it time
            (mib(900), mib(63),  0, 10,  false),
            (mib(900), mib(64),  0, 10,  true),
            // Somebody has little room left.
            (mib(20),  mib(19),  0, 10,  false),
            (mib(20),  mib(20),  0, 10,  true),
            (0,        mib(3),   0, 10,  false),
            (0,        mib(4),   0, 10,  true),
            // In any case from time to time.
            (mib(900), 0,        0, 299, false),
            (mib(900), 0,        0, 300, true),
            // But never more than a tenth of the time.
            (mib(900), mib(999), 2, 17,  false),
            (mib(900), mib(999), 2, 18,  true),
        ];
        for (room, written, took, since, want) in rows {
            let last = LastCount { ended, took: seconds(took), used: mib(7), room };
            let is_over = last.is_over(ended + seconds(since), mib(7) + written);
            assert_eq!(is_over, want, "{room} {written} {took} s {since} s");
        }
        // What was removed is not written.
        let last = LastCount { ended, took: Duration::ZERO, used: mib(900), room: mib(900) };
        assert!(!last.is_over(ended + seconds(10), 0));
    }
}
