//! The operator's prices, and what follows from them.

use domain::{Money, Timestamp};

use crate::month::CalendarMonth;

/// How long a price of a first month stands, in seconds. It is good for as long again.
const STEP_S: i64 = 300;

/// What the operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// A space, a month; by the second where it is not a whole one.
    pub base_month: Money,
    /// A published post.
    pub post: Money,
    /// A GiB above the free ones, a month.
    pub storage_gib_month: Money,
    /// How many GiB cost nothing.
    pub storage_free_gib: u32,
}

/// What the rest of a month costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstMonth {
    /// What is asked now.
    pub asked: Money,
    /// What was asked just before, if it was another price. It is still good: whoever was asked for
    /// it may be paying.
    pub honoured: Option<Money>,
}

impl Rates {
    /// The price of a space for the rest of the calendar month (UTC) that `now` is in.
    ///
    /// It is rounded up to the µUSD and counted from the last full five minutes, so that it
    /// stands for a while.
    #[must_use]
    pub fn first_month(&self, now: Timestamp) -> FirstMonth {
        let step = step(now);
        let asked = self.rest_of_month(step);
        let before = self.rest_of_month(step.saturating_sub(STEP_S));
        FirstMonth { asked, honoured: Some(before).filter(|it| *it != asked) }
    }

    /// The price from then to the end of the month; the whole month's where there is no calendar.
    fn rest_of_month(&self, from_s: i64) -> Money {
        let Some(month) = month_of(from_s) else { return self.base_month };
        let price = part(self.base_month, month.end_s.abs_diff(from_s), month.len_s());
        price.unwrap_or(self.base_month)
    }

    /// What a space costs from `from` to `to`, rounded up to the µUSD in each month.
    #[must_use]
    pub fn used(&self, from: Timestamp, to: Timestamp) -> Money {
        let (mut at_s, end_s) = (from.unix_s(), to.unix_s());
        let mut used = Money::ZERO;
        while at_s < end_s {
            let Some(month) = month_of(at_s) else { return Money::MAX };
            let until_s = month.end_s.min(end_s);
            let cost = part(self.base_month, until_s.abs_diff(at_s), month.len_s());
            let sum = cost.and_then(|it| used.checked_add(it));
            used = sum.unwrap_or(Money::MAX);
            at_s = until_s;
        }
        used
    }

    /// Until when `balance` pays for a space that costs from `from` on, by the price of that time.
    /// `None` if it costs nothing.
    #[must_use]
    pub fn paid_until(&self, from: Timestamp, balance: Money) -> Option<Timestamp> {
        if self.base_month.is_zero() {
            return None;
        }
        let (mut at_s, mut left) = (step(from), balance);
        loop {
            let month = month_of(at_s)?;
            let rest_s = month.end_s.abs_diff(at_s);
            let rest = part(self.base_month, rest_s, month.len_s())?;
            match left.checked_sub(rest) {
                Some(more) if !more.is_zero() => (at_s, left) = (month.end_s, more),
                Some(_) => return at(month.end_s),
                None => {
                    let micros = u128::from(left.micros()).checked_mul(month.len_s().into())?;
                    let paid_s = micros.checked_div(self.base_month.micros().into())?;
                    return at(at_s.checked_add(i64::try_from(paid_s).ok()?)?);
                }
            }
        }
    }
}

/// The last full five minutes, in Unix seconds.
fn step(at: Timestamp) -> i64 {
    at.unix_s().div_euclid(STEP_S).saturating_mul(STEP_S)
}

fn month_of(unix_s: i64) -> Option<CalendarMonth> {
    CalendarMonth::of(at(unix_s)?)
}

fn at(unix_s: i64) -> Option<Timestamp> {
    unix_s.checked_mul(1000).map(Timestamp::from_unix_ms)
}

/// So many of `whole` parts of a price, rounded up.
fn part(price: Money, parts: u64, whole: u64) -> Option<Money> {
    let micros = u128::from(price.micros()).checked_mul(parts.into())?;
    let rounded =
        micros.checked_add(u128::from(whole).checked_sub(1)?)?.checked_div(whole.into())?;
    u64::try_from(rounded).ok().and_then(Money::from_micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOVEMBER: i64 = 1_793_491_200; // 2026-11-01T00:00:00Z
    const DECEMBER: i64 = 1_796_083_200; // 2026-12-01T00:00:00Z

    fn rates(base_month: &str) -> Rates {
        let base_month = base_month.parse().unwrap();
        let (post, storage_gib_month) = ("0.01".parse().unwrap(), "0.50".parse().unwrap());
        Rates { base_month, post, storage_gib_month, storage_free_gib: 1 }
    }

    fn time(unix_s: i64) -> Timestamp {
        at(unix_s).unwrap()
    }

    #[test]
    fn the_rest_of_a_month_costs_its_part_of_it() {
        #[rustfmt::skip]
        let rows = [
            (NOVEMBER,               "5.00",     Some("0.000561")), // the last step of October
            (NOVEMBER + 299,         "5.00",     Some("0.000561")),
            (NOVEMBER + 300,         "4.999422", Some("5.00")),
            (NOVEMBER + 15 * 86_400, "2.50",     Some("2.500579")),
            (DECEMBER - 300,         "0.000579", Some("0.001158")),
            (DECEMBER - 1,           "0.000579", Some("0.001158")),
        ];
        for (at, asked, honoured) in rows {
            let price = rates("5.00").first_month(time(at));
            assert_eq!(price.asked.to_string(), asked, "{at}");
            assert_eq!(price.honoured.map(|it| it.to_string()).as_deref(), honoured, "{at}");
        }
        let free = FirstMonth { asked: Money::ZERO, honoured: None };
        assert_eq!(rates("0").first_month(time(NOVEMBER)), free);
    }

    #[test]
    fn a_balance_lasts_to_the_second() {
        #[rustfmt::skip]
        let rows = [
            ("0",        NOVEMBER, NOVEMBER),
            ("5.00",     NOVEMBER, DECEMBER),
            ("2.50",     NOVEMBER, NOVEMBER + 15 * 86_400),
            ("2.50",     NOVEMBER + 15 * 86_400, DECEMBER),
            ("10.00",    NOVEMBER, DECEMBER + 31 * 86_400),
            ("7.50",     NOVEMBER, DECEMBER + 31 * 43_200),
        ];
        for (balance, from, until) in rows {
            let found = rates("5.00").paid_until(time(from), balance.parse().unwrap());
            assert_eq!(found, Some(time(until)), "{balance} from {from}");
        }
        assert_eq!(rates("0").paid_until(time(NOVEMBER), Money::ZERO), None);
    }

    #[test]
    fn what_was_used_is_paid_by_the_second() {
        #[rustfmt::skip]
        let rows = [
            (NOVEMBER, NOVEMBER,                  "0.00"),
            (NOVEMBER, NOVEMBER - 1,              "0.00"),
            (NOVEMBER, NOVEMBER + 1,              "0.000002"),
            (NOVEMBER, NOVEMBER + 15 * 86_400,    "2.50"),
            (NOVEMBER, DECEMBER,                  "5.00"),
            (NOVEMBER, DECEMBER + 31 * 43_200,    "7.50"),
        ];
        for (from, to, want) in rows {
            assert_eq!(rates("5.00").used(time(from), time(to)).to_string(), want, "{from} {to}");
        }
    }

    proptest! {
        #[test]
        fn a_first_month_lasts_to_the_end_of_it(
            at_s in 0_i64..4_000_000_000, base in 1_u64..1_000_000_000,
        ) {
            let rates = Rates { base_month: Money::from_micros(base).unwrap(), ..rates("1") };
            let end = CalendarMonth::of(time(at_s)).unwrap().end_s;
            let price = rates.first_month(time(at_s)).asked;
            prop_assert!(price <= rates.base_month);
            let until = rates.paid_until(time(at_s), price).unwrap().unix_s();
            prop_assert!(end <= until, "{until} is before {end}");
        }
    }
}
