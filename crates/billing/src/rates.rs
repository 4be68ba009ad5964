//! The operator's prices, and what follows from them.

use domain::{Money, Timestamp};

use crate::{Month, meter::part};

/// How long a price of a first month stands, in seconds. It is good for as long again.
const STEP_S: i64 = 300;

const DAY_S: u64 = 86_400;

/// How far a balance is looked ahead, in months: a century.
const FORECAST_MONTHS: u32 = 1200;

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
    /// What is asked where nothing can be paid.
    pub const FREE: Self = Self {
        base_month: Money::ZERO,
        post: Money::ZERO,
        storage_gib_month: Money::ZERO,
        storage_free_gib: 0,
    };

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

    /// The price from then to the end of the month.
    fn rest_of_month(&self, from_s: i64) -> Money {
        let month = Month::of_second(from_s);
        let price = part(self.base_month, month.end_s().abs_diff(from_s), month.len_s());
        price.unwrap_or(self.base_month)
    }

    /// Until when `balance` pays for a space from `from` on, at the price of that time, if it also
    /// spends `spend_day` a day on other things. `None` if it costs nothing, or for longer than
    /// [`FORECAST_MONTHS`]. It is counted from the last full five minutes, as a first month is, so
    /// that this ends with the month.
    #[must_use]
    pub fn paid_until(
        &self,
        from: Timestamp,
        balance: Money,
        spend_day: Money,
    ) -> Option<Timestamp> {
        if self.base_month.is_zero() && spend_day.is_zero() {
            return None;
        }
        let (mut at_s, mut left) = (step(from), balance);
        for _ in 0..FORECAST_MONTHS {
            let month = Month::of_second(at_s);
            let (len_s, rest_s) = (month.len_s(), month.end_s().abs_diff(at_s));
            let base = part(self.base_month, rest_s, len_s)?;
            let rest = part(spend_day, rest_s, DAY_S)?.checked_add(base)?;
            match left.checked_sub(rest) {
                Some(more) if !more.is_zero() => (at_s, left) = (month.end_s(), more),
                Some(_) => return at(month.end_s()),
                None => {
                    // left ÷ (base ÷ month + spend ÷ day), all over one denominator.
                    let (len, day) = (u128::from(len_s), u128::from(DAY_S));
                    let a_second = u128::from(self.base_month.micros())
                        .checked_mul(day)?
                        .checked_add(u128::from(spend_day.micros()).checked_mul(len)?)?;
                    let money = u128::from(left.micros()).checked_mul(len)?.checked_mul(day)?;
                    let paid_s = money.checked_div(a_second)?;
                    return at(at_s.checked_add(i64::try_from(paid_s).ok()?)?);
                }
            }
        }
        None
    }
}

/// The last full five minutes, in Unix seconds.
fn step(at: Timestamp) -> i64 {
    at.unix_s().div_euclid(STEP_S).saturating_mul(STEP_S)
}

fn at(unix_s: i64) -> Option<Timestamp> {
    unix_s.checked_mul(1000).map(Timestamp::from_unix_ms)
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
            let found = rates("5.00").paid_until(time(from), balance.parse().unwrap(), Money::ZERO);
            assert_eq!(found, Some(time(until)), "{balance} from {from}");
        }
        assert_eq!(rates("0").paid_until(time(NOVEMBER), Money::ZERO, Money::ZERO), None);
    }

    #[test]
    fn what_is_spent_beside_the_base_counts_too() {
        const DAY: i64 = 86_400;
        #[rustfmt::skip]
        let rows = [
            // base    balance  a day    days
            ("0",      "0",     "0.10",  0),
            ("0",      "1.00",  "0.10",  10),
            ("3.00",   "2.00",  "0.10",  10),
            ("3.00",   "6.00",  "0.10",  30),
            ("3.00",   "0.20",  "0.00",  2),
        ];
        for (base, balance, a_day, days) in rows {
            let (balance, a_day) = (balance.parse().unwrap(), a_day.parse().unwrap());
            let until = rates(base).paid_until(time(NOVEMBER), balance, a_day);
            assert_eq!(until, Some(time(NOVEMBER + days * DAY)), "{base} {balance} {a_day}");
        }
    }

    proptest! {
        #[test]
        fn a_first_month_lasts_to_the_end_of_it(
            at_s in 0_i64..4_000_000_000, base in 1_u64..1_000_000_000,
        ) {
            let rates = Rates { base_month: Money::from_micros(base).unwrap(), ..rates("1") };
            let end = Month::of_second(at_s).end_s();
            let price = rates.first_month(time(at_s)).asked;
            prop_assert!(price <= rates.base_month);
            let until = rates.paid_until(time(at_s), price, Money::ZERO).unwrap().unix_s();
            prop_assert!(end <= until, "{until} is before {end}");
        }
    }
}
