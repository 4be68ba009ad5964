//! What is done with money that came in.

use std::time::Duration;

use domain::{Money, PaymentId, SpaceId, Timestamp, Wallet};
use ledger::{Account, HoldEnd, Kind};
use serde_json::json;

use crate::{
    Answer, Entry, IdempotencyKey, KeyReused, PaymentRecord, Records,
    database::{Database, DatabaseError, params, transaction},
    transfers::Transfer,
};

/// Why a space was not topped up. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum TopUpError {
    /// The wallet's balance is too low.
    #[error("the wallet's balance is too low")]
    NotEnough,
    /// The space is gone.
    #[error("the space is gone")]
    Gone,
    /// The idempotency key was used for another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The first answer to a paid request, of a handler that keeps no books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidAnswer {
    /// The HTTP status code.
    pub status: u16,
    /// Its headers: a JSON array of pairs.
    pub headers: String,
    /// Its body, in base64.
    pub body_base64: String,
}

/// Whether a payment may be used for a request now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    /// By the caller, until its lease is over, for what this transfer holds.
    Ours(String),
    /// Somebody else is using it.
    Busy,
    /// It was used, and this was the answer.
    Answered(PaidAnswer),
    /// The payer has spent the money otherwise.
    Spent,
}

impl<D: Database> Records<D> {
    /// Moves prepaid money of `wallet` to a space, under the id `id`, and keeps the answer that
    /// `answer` writes for `key`, in one transaction. A repeated request gets the first answer.
    ///
    /// # Errors
    /// [`TopUpError`].
    #[expect(clippy::too_many_arguments, reason = "all of it is one transfer")]
    pub async fn top_up(
        &self,
        space: &SpaceId,
        wallet: Wallet,
        amount: Money,
        id: String,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: impl Fn(&Entry) -> Answer,
    ) -> Result<Answer, TopUpError> {
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<TopUpError>(key, now).await? {
                return Ok(answer);
            }
            if !self.is_living(space).await? {
                return Err(TopUpError::Gone);
            }
            let from = Account::Wallet(wallet);
            if self.balance(&from).await?.available < amount {
                return Err(TopUpError::NotEnough);
            }
            let (debit, credit) = (from, Account::Space(space.clone()));
            let transfer = Transfer { id, debit, credit, amount, kind: Kind::TopUp, payment: None };
            let entry = self.give(space, &transfer, "paid", &wallet.to_string(), None, now).await?;
            let answer = answer(&entry);
            self.keep_answer(key, &answer, now).await?;
            Ok(answer)
        })
        .await
    }

    /// Moves money to a space and writes down that `actor` gave it, for a reason if there is one, within a
    /// transaction. Returns its line.
    pub(crate) async fn give(
        &self,
        space: &SpaceId,
        transfer: &Transfer,
        event: &str,
        actor: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Entry, DatabaseError> {
        self.transfer(transfer, now).await?;
        let mut detail = json!({ "transfer": transfer.id, "amount": transfer.amount });
        if let Some(reason) = reason {
            detail["reason"] = reason.into();
        }
        self.record_event(space, now, event, actor, &detail).await?;
        let entries = self.entries(&transfer.credit, None, 1).await?;
        entries.into_iter().next().ok_or_else(|| DatabaseError("a transfer is missing".to_owned()))
    }

    /// The answer that `answer` writes to whoever topped up `account` by `amount` with a payment,
    /// kept for `key`; a repeated request gets the first one. `None` if the payment did not do that.
    ///
    /// # Errors
    /// [`TopUpError`].
    pub async fn topped_up(
        &self,
        account: &Account,
        amount: Money,
        payment: &PaymentId,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: impl Fn(&Entry) -> Answer,
    ) -> Result<Option<Answer>, TopUpError> {
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<TopUpError>(key, now).await? {
                return Ok(Some(answer));
            }
            let credit = self.credit_of(payment).await?;
            let credit = credit.filter(|it| it.credit == *account && it.amount == amount);
            let Some(credit) = credit else { return Ok(None) };
            let answer = answer(&credit);
            self.keep_answer(key, &answer, now).await?;
            Ok(Some(answer))
        })
        .await
    }

    /// Claims the use of a settled payment for one request, and holds what was paid.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn begin_serving(
        &self,
        record: &PaymentRecord,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Serving, DatabaseError> {
        let payment = &record.payment;
        transaction(&self.database, async {
            if let Some(answer) = self.paid_answer(&payment.id).await? {
                return Ok(Serving::Answered(answer));
            }
            if !self.may_be_served(&payment.id, now).await? {
                return Ok(Serving::Busy);
            }
            // Of one whose lease is over.
            self.end_charges(&payment.id, now).await?;
            if self.balance(&payment.account).await?.available < payment.amount {
                return Ok(Serving::Spent);
            }
            let until = now.plus(lease);
            let statement = "UPDATE payments SET serving_until = ? WHERE id = ?";
            self.database.execute(statement, params![until, payment.id.to_string()]).await?;
            let hold = Transfer {
                id: format!("charge:{}:{}", payment.id, self.n_charges(&payment.id).await?),
                debit: payment.account.clone(),
                credit: Account::Revenue,
                amount: payment.amount,
                kind: Kind::Charge,
                payment: Some(payment.id),
            };
            // Whoever is late may still be in time to say so.
            self.hold(&hold, until.plus(lease), now).await?;
            Ok(Serving::Ours(hold.id))
        })
        .await
    }

    /// Whether it is settled, and nobody else is being served for it.
    async fn may_be_served(&self, id: &PaymentId, now: Timestamp) -> Result<bool, DatabaseError> {
        let statement = "SELECT 1 FROM payments WHERE id = ? AND state = 'settled' \
             AND coalesce(serving_until <= ?, TRUE)";
        Ok(!self.database.execute(statement, params![id.to_string(), now]).await?.is_empty())
    }

    /// How often the use of a payment was begun.
    async fn n_charges(&self, payment: &PaymentId) -> Result<u64, DatabaseError> {
        let statement =
            "SELECT count(*) FROM transfers WHERE payment = ? AND expires_at IS NOT NULL";
        let rows = self.database.execute(statement, params![payment.to_string()]).await?;
        Ok(rows.first().map_or(0, |row| row.unsigned(0)))
    }

    /// Gives up the use of a payment: the request was not served.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn stop_serving(
        &self,
        id: &PaymentId,
        hold: &str,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        transaction(&self.database, async {
            // Of one whose lease is over another may have the turn.
            if self.end_one_hold(hold, HoldEnd::Voided, now).await? {
                let statement = "UPDATE payments SET serving_until = NULL WHERE id = ?";
                self.database.execute(statement, params![id.to_string()]).await?;
            }
            Ok(())
        })
        .await
    }

    /// Keeps the answer to a request that was served, and takes what was held for it.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then. So it is if another has the turn by now.
    pub async fn finish_serving(
        &self,
        id: &PaymentId,
        hold: &str,
        answer: &PaidAnswer,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        transaction(&self.database, async {
            if !self.end_one_hold(hold, HoldEnd::Posted, now).await? {
                return Err(DatabaseError(format!("nothing is held for payment {id} any more")));
            }
            self.database
                .execute(
                    "INSERT INTO paid_answers (payment, status, headers, body_base64, created_at) \
                     VALUES (?, ?, ?, ?, ?)",
                    params![
                        id.to_string(),
                        i64::from(answer.status),
                        answer.headers.as_str(),
                        answer.body_base64.as_str(),
                        now,
                    ],
                )
                .await?;
            Ok(())
        })
        .await
    }

    async fn paid_answer(&self, id: &PaymentId) -> Result<Option<PaidAnswer>, DatabaseError> {
        let statement = "SELECT status, headers, body_base64 FROM paid_answers WHERE payment = ?";
        let rows = self.database.execute(statement, params![id.to_string()]).await?;
        Ok(rows.first().map(|row| PaidAnswer {
            status: u16::try_from(row.integer(0)).unwrap_or(500),
            headers: row.text(1).to_owned(),
            body_base64: row.text(2).to_owned(),
        }))
    }
}
