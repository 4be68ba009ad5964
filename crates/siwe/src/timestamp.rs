//! RFC 3339 date-times, in and out.

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Where `T` stands in `2022-01-27T17:09:38Z`.
const SEPARATOR_INDEX: usize = 10;

/// Why something is not a date-time of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text does not follow the grammar `date-time`, or names a day or second there is not.
    #[error("not an RFC 3339 date-time")]
    NotRfc3339,
    /// In UTC the year would not have four digits, so RFC 3339 cannot write it.
    #[error("in UTC the year is not in 0000-9999")]
    OutOfRange,
}

/// Reads a `date-time`, as an instant in UTC.
///
/// `t` and `z` may be lower case, as the RFC says. The second `:60` is read only where a leap
/// second can be (the last second of a month in UTC), as the last nanosecond before it. Digits
/// beyond nanoseconds are dropped.
pub(crate) fn parse(text: &str) -> Result<OffsetDateTime, TimestampError> {
    // `time` takes any separator, for the sake of other dialects. The grammar has only this one.
    if !matches!(text.as_bytes().get(SEPARATOR_INDEX), Some(b'T' | b't')) {
        return Err(TimestampError::NotRfc3339);
    }
    let local = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError::NotRfc3339)?;
    in_utc(local)
}

/// The same instant in UTC, where it is certain to be printable.
pub(crate) fn in_utc(local: OffsetDateTime) -> Result<OffsetDateTime, TimestampError> {
    local
        .checked_to_offset(UtcOffset::UTC)
        .filter(|it| (0..=9999).contains(&it.year()))
        .ok_or(TimestampError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_date_times_of_rfc_3339_are_read() {
        #[rustfmt::skip]
        let rows = [
            ("1985-04-12T23:20:50.52Z",             datetime!(1985-04-12 23:20:50.52 UTC)),
            ("1996-12-19T16:39:57-08:00",           datetime!(1996-12-20 00:39:57 UTC)),
            ("2026-01-01t00:00:00z",                datetime!(2026-01-01 00:00 UTC)),
            ("2026-01-01T00:00:00-00:00",           datetime!(2026-01-01 00:00 UTC)),
            ("2026-01-01T00:00:00+23:59",           datetime!(2025-12-31 00:01 UTC)),
            ("2026-01-01T00:00:00.123456789Z",      datetime!(2026-01-01 00:00:00.123_456_789 UTC)),
            ("2026-01-01T00:00:00.1234567899999Z",  datetime!(2026-01-01 00:00:00.123_456_789 UTC)),
            ("1990-12-31T23:59:60Z",                datetime!(1990-12-31 23:59:59.999_999_999 UTC)),
            ("1990-12-31T15:59:60-08:00",           datetime!(1990-12-31 23:59:59.999_999_999 UTC)),
            ("2024-02-29T00:00:00Z",                datetime!(2024-02-29 00:00 UTC)),
            ("0000-01-01T00:00:00Z",                datetime!(0000-01-01 00:00 UTC)),
            ("9999-12-31T23:59:59.999999999Z",      datetime!(9999-12-31 23:59:59.999_999_999 UTC)),
        ];
        for (text, want) in rows {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        #[rustfmt::skip]
        let rows = [
            ("",                               TimestampError::NotRfc3339),
            ("2026-01-01",                     TimestampError::NotRfc3339),
            ("2026-01-01T00:00Z",              TimestampError::NotRfc3339),
            ("2026-01-01 00:00:00Z",           TimestampError::NotRfc3339),
            ("2026-01-01_00:00:00Z",           TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00",            TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00.Z",          TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00,5Z",         TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00Z ",          TimestampError::NotRfc3339),
            (" 2026-01-01T00:00:00Z",          TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00+0100",       TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00+24:00",      TimestampError::NotRfc3339),
            ("2026-01-01T00:00:00+01:60",      TimestampError::NotRfc3339),
            ("2026-01-01T24:00:00Z",           TimestampError::NotRfc3339),
            ("2026-01-01T00:00:60Z",           TimestampError::NotRfc3339),
            ("2026-01-01T00:00:61Z",           TimestampError::NotRfc3339),
            ("2026-02-29T00:00:00Z",           TimestampError::NotRfc3339),
            ("2026-02-31T00:00:00Z",           TimestampError::NotRfc3339),
            ("2026-13-01T00:00:00Z",           TimestampError::NotRfc3339),
            ("+02026-01-01T00:00:00Z",         TimestampError::NotRfc3339),
            ("9999-12-31T23:59:59-00:01",      TimestampError::OutOfRange),
            ("0000-01-01T00:00:00+00:01",      TimestampError::OutOfRange),
        ];
        for (text, want) in rows {
            assert_eq!(parse(text), Err(want), "{text}");
        }
    }
}
