//! Moving money. The schema sees to it that nobody gives what it does not have.

use domain::{Money, PaymentId, SpaceId, Timestamp, Wallet};
use ledger::{Account, Balance, HoldEnd, Kind};

use crate::{
    Records,
    database::{Database, DatabaseError, Row, Value, params},
};

/// A transfer to be made.
pub(crate) struct Transfer {
    pub(crate) id: String,
    pub(crate) debit: Account,
    pub(crate) credit: Account,
    pub(crate) amount: Money,
    pub(crate) kind: Kind,
    pub(crate) payment: Option<PaymentId>,
}

/// A line of an account's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number; greater is later, over all accounts.
    pub seq: u64,
    /// The transfer's id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: Kind,
    /// How the hold ended that this line takes back.
    pub outcome: Option<HoldEnd>,
    /// Where the money comes from.
    pub debit: Account,
    /// Where it goes.
    pub credit: Account,
    /// How much.
    pub amount: Money,
    /// The payment behind it.
    pub payment: Option<PaymentId>,
}

impl<D: Database> Records<D> {
    /// Moves money, within the transaction that it is for.
    pub(crate) async fn transfer(
        &self,
        transfer: &Transfer,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.insert_transfer(transfer, None, None, now).await
    }

    /// Holds money until `expires_at`, within the transaction that it is for.
    pub(crate) async fn hold(
        &self,
        transfer: &Transfer,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.insert_transfer(transfer, Some(expires_at), None, now).await
    }

    async fn insert_transfer(
        &self,
        transfer: &Transfer,
        expires_at: Option<Timestamp>,
        ends: Option<(&str, HoldEnd)>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.database
            .execute(
                "INSERT INTO transfers (id, debit, credit, amount, kind, at, payment, expires_at, \
                 ends, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    transfer.id.as_str(),
                    transfer.debit.to_string(),
                    transfer.credit.to_string(),
                    transfer.amount.micros(),
                    transfer.kind.as_str(),
                    now,
                    transfer.payment.map(|it| it.to_string()),
                    expires_at,
                    ends.map(|it| it.0),
                    ends.map(|it| it.1.as_str()),
                ],
            )
            .await?;
        Ok(())
    }

    /// Ends the hold of a space's first month, if there is one that has not ended.
    pub(crate) async fn end_first_month(
        &self,
        space: &SpaceId,
        end: HoldEnd,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let account = Account::Space(space.clone()).to_string();
        self.end_holds("credit = ?", params![account], end, now).await.map(|_| ())
    }

    /// Ends the holds that uses of a payment left on the payer's balance, for nothing.
    pub(crate) async fn end_charges(
        &self,
        payment: &PaymentId,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let parameters = params![payment.to_string()];
        self.end_holds("payment = ?", parameters, HoldEnd::Voided, now).await.map(|_| ())
    }

    /// Ends a hold, if it has not ended. Says whether it had not.
    pub(crate) async fn end_one_hold(
        &self,
        id: &str,
        end: HoldEnd,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        Ok(!self.end_holds("id = ?", params![id], end, now).await?.is_empty())
    }

    /// Ends all holds that are still open and that `condition` is true of. Returns for which accounts
    /// they were.
    pub(crate) async fn end_holds(
        &self,
        condition: &str,
        parameters: Vec<Value>,
        end: HoldEnd,
        now: Timestamp,
    ) -> Result<Vec<Account>, DatabaseError> {
        let statement = format!(
            "SELECT id, debit, credit, amount, kind, payment FROM transfers AS hold \
             WHERE expires_at IS NOT NULL AND {condition} \
             AND NOT EXISTS (SELECT 1 FROM transfers WHERE ends = hold.id)"
        );
        let rows = self.database.execute(&statement, parameters).await?;
        let mut for_whom = Vec::new();
        for row in &rows {
            for_whom.push(self.end_hold(row, end, now).await?);
        }
        Ok(for_whom)
    }

    async fn end_hold(
        &self,
        row: &Row,
        end: HoldEnd,
        now: Timestamp,
    ) -> Result<Account, DatabaseError> {
        let unreadable = || DatabaseError(format!("the hold {:?} can't be read", row.text(0)));
        let account = |index| row.text(index).parse::<Account>().map_err(|_| unreadable());
        let (from, to) = (account(1)?, account(2)?);
        let for_whom = to.clone();
        let (debit, credit) = if end == HoldEnd::Posted { (from, to) } else { (to, from) };
        let transfer = Transfer {
            id: format!("{}:{}", row.text(0), end.as_str()),
            debit,
            credit,
            amount: Money::from_micros(row.unsigned(3)).ok_or_else(unreadable)?,
            kind: Kind::parse(row.text(4)).ok_or_else(unreadable)?,
            payment: row.optional_text(5).and_then(|it| it.parse().ok()),
        };
        self.insert_transfer(&transfer, None, Some((row.text(0), end)), now).await?;
        Ok(for_whom)
    }

    /// Charges a space for all it used and gives what is left back to its owner, within the transaction
    /// that ends it.
    pub(crate) async fn settle_up(
        &self,
        space: &SpaceId,
        owner: Wallet,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.end_first_month(space, HoldEnd::Voided, now).await?;
        self.accrue(space, now).await?;
        let statement = "UPDATE standings SET ended_s = accrued_s WHERE space = ?";
        self.database.execute(statement, params![space.as_str()]).await?;
        let debit = Account::Space(space.clone());
        let amount = self.balance(&debit).await?.available;
        if amount.is_zero() {
            return Ok(());
        }
        let (id, credit) = (format!("refund:{space}"), Account::Wallet(owner));
        let refund = Transfer { id, debit, credit, amount, kind: Kind::Refund, payment: None };
        self.transfer(&refund, now).await
    }

    /// What `account` has.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn balance(&self, account: &Account) -> Result<Balance, DatabaseError> {
        let statement =
            "SELECT credits - debits - held, held, incoming FROM accounts WHERE account = ?";
        let rows = self.database.execute(statement, params![account.to_string()]).await?;
        let Some(row) = rows.first() else { return Ok(Balance::default()) };
        let money = |index| {
            let money = u64::try_from(row.integer(index)).ok().and_then(Money::from_micros);
            money.ok_or_else(|| DatabaseError(format!("{account} has no balance that is one")))
        };
        Ok(Balance { available: money(0)?, held: money(1)?, incoming: money(2)? })
    }

    /// The line with which a payment was credited.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn credit_of(&self, payment: &PaymentId) -> Result<Option<Entry>, DatabaseError> {
        let statement =
            format!("SELECT {COLUMNS} FROM transfers WHERE payment = ? AND kind = 'payment'");
        let rows = self.database.execute(&statement, params![payment.to_string()]).await?;
        rows.first().map(entry).transpose()
    }

    /// The lines of `account` before `before`, newest first, at most `limit`. Their sum over all is
    /// its balance, with what is incoming.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn entries(
        &self,
        account: &Account,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Entry>, DatabaseError> {
        // A hold that was posted has its line from when it began.
        let one_side = |side| {
            format!(
                "SELECT {COLUMNS} FROM transfers WHERE {side} = ?1 AND (?2 IS NULL OR seq < ?2) \
                 AND coalesce(outcome <> 'posted', TRUE)"
            )
        };
        let statement = format!(
            "{} UNION ALL {} ORDER BY seq DESC LIMIT ?3",
            one_side("debit"),
            one_side("credit")
        );
        let parameters = params![account.to_string(), before, i64::from(limit)];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.iter().map(entry).collect()
    }
}

/// What [`entry`] reads.
const COLUMNS: &str = "seq, id, at, kind, outcome, debit, credit, amount, payment";

fn entry(row: &Row) -> Result<Entry, DatabaseError> {
    read(row).ok_or_else(|| DatabaseError(format!("transfer {:?} can't be read", row.text(1))))
}

fn read(row: &Row) -> Option<Entry> {
    let outcome = match row.optional_text(4) {
        Some(name) => Some(HoldEnd::parse(name)?),
        None => None,
    };
    let payment = match row.optional_text(8) {
        Some(id) => Some(id.parse().ok()?),
        None => None,
    };
    Some(Entry {
        seq: row.unsigned(0),
        id: row.text(1).to_owned(),
        at: Timestamp::from_unix_ms(row.integer(2)),
        kind: Kind::parse(row.text(3))?,
        outcome,
        debit: row.text(5).parse().ok()?,
        credit: row.text(6).parse().ok()?,
        amount: Money::from_micros(row.unsigned(7))?,
        payment,
    })
}
