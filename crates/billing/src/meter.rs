//! What is counted, and what a quantity of it costs.

use domain::Money;

use crate::{Month, Rates};

/// KiB in a GiB.
pub const KIB_OF_GIB: u64 = 1024 * 1024;

/// What is counted and paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meter {
    /// Seconds in which a space was there and not suspended.
    Base,
    /// Published posts.
    Posts,
    /// KiB above the free ones, times seconds.
    Storage,
}

impl Meter {
    /// All of them, in the order of an invoice.
    pub const ALL: [Self; 3] = [Self::Base, Self::Posts, Self::Storage];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Posts => "posts",
            Self::Storage => "storage",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// What one unit of the price costs.
    #[must_use]
    pub const fn unit_price(self, rates: &Rates) -> Money {
        match self {
            Self::Base => rates.base_month,
            Self::Posts => rates.post,
            Self::Storage => rates.storage_gib_month,
        }
    }

    /// How much of the quantity that unit is: all seconds of the month, one post, a GiB for all
    /// seconds of the month.
    #[must_use]
    pub fn unit(self, month: Month) -> u64 {
        match self {
            Self::Base => month.len_s(),
            Self::Posts => 1,
            Self::Storage => KIB_OF_GIB.saturating_mul(month.len_s()),
        }
    }

    /// What `quantity` costs that was used in `month`: rounded up to the µUSD, once. More than the
    /// largest amount is that one.
    #[must_use]
    pub fn amount(self, quantity: u64, rates: &Rates, month: Month) -> Money {
        part(self.unit_price(rates), quantity, self.unit(month)).unwrap_or(Money::MAX)
    }
}

/// KiB-seconds above the free GiB, of a space that took `storage_kib` for so many seconds.
#[must_use]
pub fn storage_quantity(storage_kib: u64, seconds: u64, rates: &Rates) -> u64 {
    let free_kib = KIB_OF_GIB.saturating_mul(rates.storage_free_gib.into());
    storage_kib.saturating_sub(free_kib).saturating_mul(seconds)
}

/// So many of `whole` parts of a price, rounded up.
pub(crate) fn part(price: Money, parts: u64, whole: u64) -> Option<Money> {
    let micros = u128::from(price.micros()).checked_mul(parts.into())?;
    let rounded = micros.div_ceil(u128::from(whole.max(1)));
    u64::try_from(rounded).ok().and_then(Money::from_micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rates() -> Rates {
        let money = |text: &str| text.parse().unwrap();
        Rates {
            base_month: money("5.00"),
            post: money("0.01"),
            storage_gib_month: money("0.50"),
            storage_free_gib: 1,
        }
    }

    #[test]
    fn a_quantity_costs_its_part_of_the_unit_rounded_up() {
        const DAY: u64 = 86_400;
        const GIB_MONTH: u64 = KIB_OF_GIB * 30 * DAY;
        #[rustfmt::skip]
        let rows = [
            // meter         month      quantity          amount
            (Meter::Base,    "2026-11", 0,                "0.00"),
            (Meter::Base,    "2026-11", 1,                "0.000002"), // 1.929 µUSD
            (Meter::Base,    "2026-11", 30 * DAY,         "5.00"),
            (Meter::Base,    "2026-12", 30 * DAY,         "4.83871"),
            (Meter::Base,    "2026-02", 14 * DAY,         "2.50"),
            (Meter::Posts,   "2026-11", 0,                "0.00"),
            (Meter::Posts,   "2026-11", 417,              "4.17"),
            (Meter::Storage, "2026-11", 1,                "0.000001"),
            (Meter::Storage, "2026-11", GIB_MONTH,        "0.50"),
            (Meter::Storage, "2026-11", GIB_MONTH / 3 + 1, "0.166667"),
            (Meter::Posts,   "2026-11", u64::MAX,         "1000000000.00"),
        ];
        for (meter, month, quantity, want) in rows {
            let amount = meter.amount(quantity, &rates(), month.parse().unwrap());
            assert_eq!(amount.to_string(), want, "{meter:?} {month} {quantity}");
        }
    }

    #[test]
    fn storage_counts_above_what_is_free() {
        #[rustfmt::skip]
        let rows = [
            (0,                60, 0),
            (KIB_OF_GIB,       60, 0),
            (KIB_OF_GIB + 1,   60, 60),
            (3 * KIB_OF_GIB,   2,  4 * KIB_OF_GIB),
            (u64::MAX,         2,  u64::MAX),
        ];
        for (kib, seconds, want) in rows {
            assert_eq!(storage_quantity(kib, seconds, &rates()), want, "{kib} {seconds}");
        }
    }

    proptest! {
        /// What is charged as a quantity grows adds up to what all of it costs: rounded once.
        #[test]
        fn charging_in_steps_charges_the_same(steps in prop::collection::vec(0_u64..10_000_000, 0..50)) {
            let month = "2026-11".parse().unwrap();
            let (mut quantity, mut charged) = (0, 0);
            for step in steps {
                quantity += step;
                let amount = Meter::Base.amount(quantity, &rates(), month).micros();
                prop_assert!(charged <= amount);
                charged += amount - charged;
            }
            let exact = u128::from(quantity) * 5_000_000;
            let unit = u128::from(month.len_s());
            prop_assert!(exact <= u128::from(charged) * unit);
            prop_assert!(u128::from(charged) * unit < exact + unit);
        }
    }
}
