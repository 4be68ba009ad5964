//! Calendar months in UTC, in which prices are said.

use domain::Timestamp;
use time::{Date, Month, OffsetDateTime, Time};

/// A month, from its first second to that of the next one. In Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CalendarMonth {
    start_s: i64,
    pub(crate) end_s: i64,
}

impl CalendarMonth {
    /// The month that `at` is in; `None` outside the years that dates have.
    pub(crate) fn of(at: Timestamp) -> Option<Self> {
        let date = OffsetDateTime::from_unix_timestamp(at.unix_s()).ok()?.date();
        let (year, month) = (date.year(), date.month());
        let year_of_next = if month == Month::December { year.checked_add(1)? } else { year };
        Some(Self { start_s: start(year, month)?, end_s: start(year_of_next, month.next())? })
    }

    /// How long it is, in seconds.
    pub(crate) const fn len_s(self) -> u64 {
        self.end_s.abs_diff(self.start_s)
    }
}

fn start(year: i32, month: Month) -> Option<i64> {
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    Some(OffsetDateTime::new_utc(first, Time::MIDNIGHT).unix_timestamp())
}
