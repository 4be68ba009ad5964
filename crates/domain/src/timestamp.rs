//! Points in time.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A point in time in milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Written as RFC 3339 in UTC with `Z` and, unless it is a whole second, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self(unix_ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later; the end of time if that is out of range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0).saturating_mul(1_000_000);
        let text = OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|it| it.format(&Rfc3339).ok())
            .ok_or(fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)?;
        // What is read can be printed: an offset may lead out of the years that RFC 3339 has.
        let parsed = parsed.checked_to_offset(UtcOffset::UTC);
        let parsed = parsed.filter(|it| (0..=9999).contains(&it.year()));
        let parsed =
            parsed.ok_or_else(|| de::Error::custom("in UTC the year is not in 0000-9999"))?;
        let unix_ms = parsed.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(unix_ms).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_rfc_3339() {
        #[rustfmt::skip]
        let rows = [
            // ms            text
            (0,              "1970-01-01T00:00:00Z"),
            (1_500,          "1970-01-01T00:00:01.5Z"),
            (1_795_000_000_000, "2026-11-18T11:06:40Z"),
            (-1,             "1969-12-31T23:59:59.999Z"),
        ];
        for (unix_ms, text) in rows {
            let timestamp = Timestamp::from_unix_ms(unix_ms);
            assert_eq!(timestamp.to_string(), text);
            let json = format!("\"{text}\"");
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), timestamp);
        }
    }

    #[test]
    fn only_what_can_be_printed_is_read() {
        #[rustfmt::skip]
        let rows = [
            ("9999-12-31T23:59:59Z",      true),
            ("9999-12-31T23:59:59-00:01", false),
            ("0000-01-01T00:00:00Z",      true),
            ("0000-01-01T00:00:00+00:01", false),
            ("10000-01-01T00:00:00Z",     false),
        ];
        for (text, want) in rows {
            let read = serde_json::from_str::<Timestamp>(&format!("\"{text}\""));
            assert_eq!(read.is_ok(), want, "{text}");
            assert!(read.is_err() || !read.unwrap().to_string().is_empty());
        }
    }

    #[test]
    fn time_never_runs_backwards() {
        let (early, late) = (Timestamp::from_unix_ms(5), Timestamp::from_unix_ms(9));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
