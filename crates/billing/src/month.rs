//! Calendar months in UTC, in which prices are said and invoices written.

use std::{fmt, str::FromStr};

use domain::Timestamp;
use time::{Date, Month as MonthName, OffsetDateTime, Time};

/// A calendar month in UTC, such as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Months since January of the year 0.
    number: u32,
}

/// A text is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a month, such as 2026-11")]
pub struct MonthError;

/// The years that dates are written in.
const YEAR_MAX: u32 = 9999;

impl Month {
    const MAX: Self = Self { number: YEAR_MAX * 12 + 11 };

    /// The month that `at` is in; the nearest one outside the years 0 to 9999.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self::of_second(at.unix_s())
    }

    /// The month that this Unix second is in.
    #[must_use]
    pub fn of_second(unix_s: i64) -> Self {
        let Ok(at) = OffsetDateTime::from_unix_timestamp(unix_s) else {
            return if unix_s < 0 { Self { number: 0 } } else { Self::MAX };
        };
        let Ok(year) = u32::try_from(at.year()) else { return Self { number: 0 } };
        let name = u32::from(u8::from(at.month())).saturating_sub(1);
        Self { number: year.saturating_mul(12).saturating_add(name) }
    }

    /// Its first second, in Unix seconds.
    #[must_use]
    pub fn start_s(self) -> i64 {
        let name = u8::try_from(self.number % 12).ok().and_then(|it| it.checked_add(1));
        let name = name.and_then(|it| MonthName::try_from(it).ok());
        let name = name.expect("a remainder of 12 and one more is a month's number");
        let year = i32::try_from(self.number / 12).ok();
        let first = year.and_then(|it| Date::from_calendar_date(it, name, 1).ok());
        let first = first.expect("every month of these years has a first day");
        OffsetDateTime::new_utc(first, Time::MIDNIGHT).unix_timestamp()
    }

    /// The first second after it, in Unix seconds.
    #[must_use]
    pub fn end_s(self) -> i64 {
        const DECEMBER_S: i64 = 31 * 86_400;
        if self == Self::MAX {
            self.start_s().saturating_add(DECEMBER_S)
        } else {
            self.next().start_s()
        }
    }

    /// How long it is, in seconds.
    #[must_use]
    pub fn len_s(self) -> u64 {
        self.end_s().abs_diff(self.start_s())
    }

    /// The one after it. The last there is has none and stays.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: self.number.saturating_add(1).min(Self::MAX.number) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.number / 12, (self.number % 12).saturating_add(1))
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let (year, name) = text.split_once('-').ok_or(MonthError)?;
        let is_digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
        if year.len() != 4 || name.len() != 2 || !is_digits(year) || !is_digits(name) {
            return Err(MonthError);
        }
        let year: u32 = year.parse().map_err(|_| MonthError)?;
        let name: u32 = name.parse().map_err(|_| MonthError)?;
        let number = name.checked_sub(1).filter(|it| *it < 12).ok_or(MonthError)?;
        Ok(Self { number: year.saturating_mul(12).saturating_add(number) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_month_begins_and_ends_where_the_calendar_says() {
        #[rustfmt::skip]
        let rows = [
            ("1970-01", 0,             31),
            ("2026-02", 1_769_904_000, 28),
            ("2026-11", 1_793_491_200, 30),
            ("2026-12", 1_796_083_200, 31),
            ("2028-02", 1_832_976_000, 29),
        ];
        for (text, start_s, days) in rows {
            let month: Month = text.parse().unwrap();
            assert_eq!(month.start_s(), start_s, "{text}");
            assert_eq!(month.len_s(), days * 86_400, "{text}");
            assert_eq!(month.to_string(), text);
            assert_eq!(Month::of_second(start_s), month);
            assert_eq!(Month::of_second(month.end_s() - 1), month);
            assert_eq!(Month::of_second(month.end_s()), month.next());
        }
    }

    #[test]
    fn other_texts_are_no_months() {
        for text in ["", "2026", "2026-00", "2026-13", "2026-1", "26-01", "2026-11-01", "+026-01"] {
            assert_eq!(text.parse::<Month>(), Err(MonthError), "{text}");
        }
    }

    #[test]
    fn there_is_a_month_for_every_second() {
        for unix_s in [i64::MIN, -62_167_219_201, 253_402_300_800, i64::MAX] {
            let month = Month::of_second(unix_s);
            assert!(month.start_s() < month.end_s(), "{unix_s}: {month}");
        }
    }

    proptest! {
        #[test]
        fn a_second_is_in_its_month(unix_s in -62_167_219_200_i64..253_402_300_800) {
            let month = Month::of_second(unix_s);
            prop_assert!(month.start_s() <= unix_s && unix_s < month.end_s());
            prop_assert_eq!(month.to_string().parse(), Ok(month));
        }
    }
}
