//! The sums of one account.

use domain::Money;

/// What has moved and is to move, in µUSD. None of them is below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) debits: i64,
    pub(crate) credits: i64,
    pub(crate) held: i64,
    pub(crate) incoming: i64,
}

/// Which of the sums.
pub(crate) type Sum = fn(&mut Totals) -> &mut i64;

impl Totals {
    /// With so much more in one of the sums, if that and what follows from it can be counted.
    pub(crate) fn plus(mut self, sum: Sum, micros: i64) -> Option<Self> {
        let changed = sum(&mut self);
        *changed = changed.checked_add(micros)?;
        self.available().and(self.worth()).map(|_| self)
    }

    /// What came in, without what went out or is held.
    pub(crate) fn available(self) -> Option<i64> {
        self.credits.checked_sub(self.debits)?.checked_sub(self.held)
    }

    /// What is available, and what will be if every hold is posted.
    pub(crate) fn worth(self) -> Option<i64> {
        self.available()?.checked_add(self.incoming)
    }
}

/// The amount of so many µUSD, if there is one.
pub(crate) fn money(micros: i64) -> Option<Money> {
    u64::try_from(micros).ok().and_then(Money::from_micros)
}
