//! The rules of moving money, in memory.

use std::collections::{BTreeMap, HashMap};

use domain::{Money, Timestamp};

use crate::{
    Account, EndError, HoldEnd, Recorded, Transfer, TransferError,
    totals::{Sum, Totals, money},
};

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What can be spent.
    pub available: Money,
    /// What is the account's and held for something.
    pub held: Money,
    /// What another account holds for this one.
    pub incoming: Money,
}

/// All transfers, and what follows from them.
///
/// It is the rules as they are meant. The records keep the same in a database, and their tests
/// compare the two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    transfers: HashMap<String, Transfer>,
    /// How holds ended, by their ids.
    ends: HashMap<String, HoldEnd>,
    totals: BTreeMap<Account, Totals>,
}

impl Ledger {
    /// Records `transfer` once.
    ///
    /// # Errors
    /// [`TransferError`]; nothing is recorded then.
    pub fn record(&mut self, transfer: Transfer) -> Result<Recorded, TransferError> {
        if transfer.amount.is_zero() {
            return Err(TransferError::Nothing);
        }
        if transfer.debit == transfer.credit {
            return Err(TransferError::SameAccount);
        }
        // Idempotence comes before every check that depends on balances.
        match self.transfers.get(&transfer.id) {
            Some(old) if *old == transfer => return Ok(Recorded::Exists),
            Some(_) => return Err(TransferError::ExistsDifferent),
            None => (),
        }
        let (from, to): (Sum, Sum) = if transfer.expires_at.is_some() {
            (|it| &mut it.held, |it| &mut it.incoming)
        } else {
            (|it| &mut it.debits, |it| &mut it.credits)
        };
        // Compute both totals before writing either.
        let micros = micros(transfer.amount);
        let debit = self.totals_of(&transfer.debit).plus(from, micros);
        let debit = debit.ok_or(TransferError::Overflow)?;
        let credit = self.totals_of(&transfer.credit).plus(to, micros);
        let credit = credit.ok_or(TransferError::Overflow)?;
        let is_covered = debit.available().is_some_and(|it| 0 <= it);
        if !is_covered && !transfer.debit.may_be_negative() {
            return Err(TransferError::NotEnough);
        }

        self.totals.insert(transfer.debit.clone(), debit);
        self.totals.insert(transfer.credit.clone(), credit);
        self.transfers.insert(transfer.id.clone(), transfer);
        Ok(Recorded::Created)
    }

    /// Ends the hold with the id `hold`, once. Whatever its time, it can be posted and voided until
    /// it has ended.
    ///
    /// # Errors
    /// [`EndError`]; nothing is recorded then.
    pub fn end(
        &mut self,
        hold: &str,
        outcome: HoldEnd,
        now: Timestamp,
    ) -> Result<Recorded, EndError> {
        let transfer = self.transfers.get(hold).ok_or(EndError::NoSuchHold)?;
        let expires_at = transfer.expires_at.ok_or(EndError::NoSuchHold)?;
        match self.ends.get(hold) {
            Some(old) if *old == outcome => return Ok(Recorded::Exists),
            Some(_) => return Err(EndError::EndedDifferently),
            None => (),
        }
        if outcome == HoldEnd::Expired && now < expires_at {
            return Err(EndError::TooEarly);
        }
        let (from, to) = (transfer.debit.clone(), transfer.credit.clone());
        let micros = micros(transfer.amount);
        let debit = let_go(self.totals_of(&from), |it| &mut it.held, micros);
        let credit = let_go(self.totals_of(&to), |it| &mut it.incoming, micros);
        let (debit, credit) = match outcome {
            HoldEnd::Posted => (
                debit.and_then(|it| it.plus(|it| &mut it.debits, micros)),
                credit.and_then(|it| it.plus(|it| &mut it.credits, micros)),
            ),
            HoldEnd::Voided | HoldEnd::Expired => (debit, credit),
        };
        let (debit, credit) = (debit.ok_or(EndError::Overflow)?, credit.ok_or(EndError::Overflow)?);

        self.totals.insert(from, debit);
        self.totals.insert(to, credit);
        self.ends.insert(hold.to_owned(), outcome);
        Ok(Recorded::Created)
    }

    /// What `account` has. `None` if that is below zero, which only the outside may be, or more than
    /// [`Money::MAX`].
    #[must_use]
    pub fn balance(&self, account: &Account) -> Option<Balance> {
        let totals = self.totals_of(account);
        Some(Balance {
            available: money(totals.available()?)?,
            held: money(totals.held)?,
            incoming: money(totals.incoming)?,
        })
    }

    /// What `account` will have if every hold is posted, in µUSD, below zero if it owes. Over all
    /// accounts this adds up to nothing.
    #[must_use]
    pub fn worth(&self, account: &Account) -> i64 {
        self.totals_of(account).worth().expect("totals are only kept if this can be counted")
    }

    /// The accounts that money has moved or is to move on.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.totals.keys()
    }

    fn totals_of(&self, account: &Account) -> Totals {
        self.totals.get(account).copied().unwrap_or_default()
    }
}

fn let_go(totals: Totals, sum: Sum, micros: i64) -> Option<Totals> {
    totals.plus(sum, micros.checked_neg()?)
}

fn micros(amount: Money) -> i64 {
    i64::try_from(amount.micros()).expect("the largest amount is below 2^63")
}
