//! What a caller may do.

use std::time::Duration;

use domain::Timestamp;

/// So many requests in a period, as a token bucket: it holds `requests` tokens when it is full, and
/// gets one back every `period / requests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// At least 1.
    requests: u32,
    /// At least a nanosecond and at most an hour, so that no product below leaves 128 bits.
    period: Duration,
}

impl Allowance {
    /// So many requests a minute; none, and that is no limit, if it is 0.
    #[must_use]
    pub const fn per_minute(requests: u32) -> Option<Self> {
        Self::new(requests, Duration::from_mins(1))
    }

    /// So many requests an hour; none, and that is no limit, if it is 0.
    #[must_use]
    pub const fn per_hour(requests: u32) -> Option<Self> {
        Self::new(requests, Duration::from_hours(1))
    }

    const fn new(requests: u32, period: Duration) -> Option<Self> {
        if requests == 0 { None } else { Some(Self { requests, period }) }
    }

    /// How many requests in a period, and at once.
    #[must_use]
    pub const fn requests(self) -> u32 {
        self.requests
    }

    /// The period.
    #[must_use]
    pub const fn period(self) -> Duration {
        self.period
    }
    /// How far back the times must go from which [`Level::from_times`](crate::Level::from_times)
    /// tells a level: 24 periods.
    ///
    /// A bucket remembers as long as it is not full, and a caller who never rests never lets it be.
    /// So this is a compromise: within any stretch of this length the bound of a token bucket
    /// holds, and for each such stretch a caller who never rests gets one bucket more, 4 %.
    #[must_use]
    pub const fn history(self) -> Duration {
        self.period.saturating_mul(24)
    }

    /// A time in ticks since 1970. There are `requests` ticks in a nanosecond, so that the time
    /// for one token is a whole number of them: nothing is rounded before the end, and no rate is
    /// too high.
    pub(crate) fn ticks(self, at: Timestamp) -> u128 {
        let unix_ms = u128::try_from(at.unix_ms()).unwrap_or(0);
        unix_ms * 1_000_000 * u128::from(self.requests)
    }

    /// The time for one token, in ticks.
    pub(crate) const fn ticks_per_token(self) -> u128 {
        self.period.as_nanos()
    }

    /// Ticks as nanoseconds, rounded up: after them it is so.
    pub(crate) fn nanos(self, ticks: u128) -> u128 {
        ticks.div_ceil(u128::from(self.requests))
    }
}
