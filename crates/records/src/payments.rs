//! Payments: whose turn it is to ask about one, and what came of it.

use std::time::Duration;

use domain::{PaymentId, Timestamp, Wallet};
use ledger::{Account, Kind};
use serde_json::json;
use x402::{Effect, PaymentEvent, PaymentState, Transition, advance};

use crate::{
    NewPayment, PaymentRecord, Records,
    database::{Database, DatabaseError, params, transaction},
    payment_record::{SELECT, name_of, record},
    transfers::Transfer,
};

/// How long after its time a payment that was not settled is looked into for the last time: chains
/// and clocks are late.
const LAST_LOOK: Duration = Duration::from_mins(2);
/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller's, until its lease is over.
    Ours {
        /// The payment; an earlier one if the payer gave both one identifier.
        record: PaymentRecord,
        /// What is to be done: [`Effect::Ask`] or [`Effect::LookThenAsk`].
        effect: Effect,
    },
    /// Somebody else's, or nobody's for a moment.
    Busy(PaymentRecord),
    /// Nobody's any more: it is settled.
    Settled(PaymentRecord),
    /// The payer used its identifier for something else. Nothing has changed.
    IdentifierReused,
}

/// What happened to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News<'a> {
    /// What.
    pub event: PaymentEvent,
    /// Why it was refused, in x402's words, if it was.
    pub reason: &'a str,
    /// The transaction that settled it, or that may.
    pub transaction: Option<&'a str>,
}

impl News<'_> {
    /// Whether something is known by it that belongs to the state, even if that stays.
    const fn says_something(&self) -> bool {
        use PaymentEvent as E;
        !matches!(self.event, E::Resumed { .. } | E::ChainUnused | E::Hinted)
    }
}

impl<D: Database> Records<D> {
    /// Claims the right to have `new` settled, for the length of `lease`, and keeps it from then on.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn claim_payment(
        &self,
        new: &NewPayment,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, DatabaseError> {
        transaction(&self.database, async {
            let mut known = self.payment(&new.id).await?;
            let is_open = known.as_ref().is_none_or(|it| it.state == PaymentState::Refused);
            if let Some(identifier) = new.identifier.as_deref().filter(|_| is_open) {
                let other = self.payment_of_identifier(&new.payer, identifier).await?;
                match other.filter(|it| it.payment.id != new.id) {
                    None => {}
                    Some(other) if other.payment.fingerprint != new.fingerprint => {
                        return Ok(Claim::IdentifierReused);
                    }
                    // That one was not taken, so this one may be.
                    Some(other) if other.state == PaymentState::Refused => {
                        self.forget_identifier(&other.payment.id).await?;
                    }
                    Some(other) => known = Some(other),
                }
            }
            let state = known.as_ref().map(|it| it.state);
            let event = PaymentEvent::Asked { now, lease };
            let Transition { state, effect } = advance(state, event).ok_or_else(never)?;
            match (known, effect) {
                (Some(known), Effect::Nothing) => Ok(Claim::Settled(known)),
                (Some(known), Effect::Wait) => Ok(Claim::Busy(known)),
                (Some(known), _) if known.is_paused(now) => Ok(Claim::Busy(known)),
                (known, _) => {
                    let id = match &known {
                        None => self.insert_payment(new, now).await.map(|()| new.id)?,
                        Some(known) => {
                            // The rest of what it is for now is known once the chain was looked at.
                            if known.state == PaymentState::Refused {
                                self.name_payment(&known.payment.id, new).await?;
                            }
                            known.payment.id
                        }
                    };
                    self.write_state(&id, state, None, now).await?;
                    let record = self.payment(&id).await?.ok_or_else(never)?;
                    Ok(Claim::Ours { record, effect })
                }
            }
        })
        .await
    }

    /// Puts a payment there, without a state that means anything yet.
    async fn insert_payment(&self, new: &NewPayment, now: Timestamp) -> Result<(), DatabaseError> {
        self.database
            .execute(
                "INSERT INTO payments (id, version, chain_id, asset, payer, nonce, pay_to, amount, \
                 valid_before, question, account, identifier, fingerprint, state, created_at, \
                 updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'unknown', ?, ?)",
                params![
                    new.id.to_string(),
                    i64::from(new.version),
                    new.chain_id,
                    new.asset.to_string(),
                    new.payer.to_string(),
                    new.nonce.as_str(),
                    new.pay_to.to_string(),
                    new.amount.micros(),
                    new.valid_before_s,
                    new.question.as_str(),
                    new.account.to_string(),
                    new.identifier.as_deref(),
                    new.fingerprint.as_str(),
                    now,
                    now,
                ],
            )
            .await?;
        Ok(())
    }

    /// Lets a payment that was refused, and that the caller has claimed since, be for what `new` is
    /// for. Not before the chain was looked at: what was settled after all is for what it was for.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn change_purpose(
        &self,
        known: &PaymentRecord,
        new: &NewPayment,
    ) -> Result<PaymentRecord, DatabaseError> {
        let id = known.payment.id;
        let parameters = params![
            new.account.to_string(),
            new.fingerprint.as_str(),
            new.question.as_str(),
            id.to_string(),
        ];
        let statement = "UPDATE payments SET account = ?, fingerprint = ?, question = ? \
             WHERE id = ? AND state = 'settling' AND is_in_doubt = 0";
        self.database.execute(statement, parameters).await?;
        self.payment(&id).await?.ok_or_else(never)
    }

    /// Gives a payment the identifier that it comes with now.
    async fn name_payment(&self, id: &PaymentId, new: &NewPayment) -> Result<(), DatabaseError> {
        let statement = "UPDATE payments SET identifier = ? WHERE id = ?";
        let parameters = params![new.identifier.as_deref(), id.to_string()];
        self.database.execute(statement, parameters).await.map(|_| ())
    }

    async fn forget_identifier(&self, id: &PaymentId) -> Result<(), DatabaseError> {
        let statement = "UPDATE payments SET identifier = NULL WHERE id = ?";
        self.database.execute(statement, params![id.to_string()]).await.map(|_| ())
    }

    /// Notes what happened to a payment. What settles it credits its account: the payer's wallet if
    /// it was for a space that is gone. Once, however often it is told.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn note_payment(
        &self,
        id: &PaymentId,
        news: News<'_>,
        now: Timestamp,
    ) -> Result<PaymentRecord, DatabaseError> {
        transaction(&self.database, async {
            let known = self.payment(id).await?.ok_or_else(never)?;
            if known.state == PaymentState::Settled {
                return Ok(known);
            }
            let Transition { state, effect } =
                advance(Some(known.state), news.event).ok_or_else(never)?;
            if effect == Effect::Credit {
                self.credit(&known, news.transaction, now).await?;
            } else if state != known.state || news.says_something() {
                self.write_state(id, state, Some(&news), now).await?;
            }
            self.payment(id).await?.ok_or_else(never)
        })
        .await
    }

    /// Writes a state that is not the last one, with what belongs to it.
    async fn write_state(
        &self,
        id: &PaymentId,
        state: PaymentState,
        news: Option<&News<'_>>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let (lease_until, is_in_doubt) = match state {
            PaymentState::Settling { until, is_in_doubt } => (Some(until), is_in_doubt),
            _ => (None, false),
        };
        let reason = news.map(|it| it.reason).filter(|_| state == PaymentState::Refused);
        let last_look_ms = i64::try_from(LAST_LOOK.as_millis()).unwrap_or(i64::MAX);
        // Whoever refused may be wrong, so it is looked into once its time is over, and that is all.
        self.database
            .execute(
                "UPDATE payments SET state = ?1, lease_until = ?2, is_in_doubt = ?3, reason = ?4, \
                 transaction_hash = coalesce(?5, transaction_hash), updated_at = ?6, \
                 check_at = CASE ?1 WHEN 'unknown' THEN ?7 WHEN 'refused' \
                 THEN nullif(max(min(valid_before, 9000000000000) * 1000 + ?8, ?6), ?6) END \
                 WHERE id = ?9",
                params![
                    name_of(state),
                    lease_until,
                    i64::from(is_in_doubt),
                    reason,
                    news.and_then(|it| it.transaction),
                    now,
                    now,
                    last_look_ms,
                    id.to_string(),
                ],
            )
            .await?;
        Ok(())
    }

    async fn credit(
        &self,
        known: &PaymentRecord,
        hash: Option<&str>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let payment = &known.payment;
        let account = match &payment.account {
            Account::Space(space) if !self.is_living(space).await? => {
                Account::Wallet(payment.payer)
            }
            account => account.clone(),
        };
        let id = payment.id.to_string();
        self.database
            .execute(
                "UPDATE payments SET state = 'settled', transaction_hash = ?, settled_at = ?, \
                 account = ?, lease_until = NULL, is_in_doubt = 0, check_at = NULL, \
                 reason = NULL, updated_at = ? WHERE id = ?",
                params![hash, now, account.to_string(), now, id.as_str()],
            )
            .await?;
        if let Account::Space(space) = &account {
            let detail = json!({ "payment": id, "amount": payment.amount });
            self.record_event(space, now, "paid", &payment.payer.to_string(), &detail).await?;
        }
        let credit = Transfer {
            id,
            debit: Account::Payments { chain_id: payment.chain_id, asset: payment.asset },
            credit: account,
            amount: payment.amount,
            kind: Kind::Payment,
            payment: Some(payment.id),
        };
        self.transfer(&credit, now).await
    }

    /// Has `id` looked into again at `check_at`, or never, unless somebody is about it or it is
    /// settled.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn postpone_payment(
        &self,
        id: &PaymentId,
        check_at: Option<Timestamp>,
    ) -> Result<(), DatabaseError> {
        let statement = "UPDATE payments SET check_at = ? \
             WHERE id = ? AND state IN ('unknown', 'refused')";
        self.database.execute(statement, params![check_at, id.to_string()]).await.map(|_| ())
    }

    /// The payment with this id.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<PaymentRecord>, DatabaseError> {
        let statement = format!("{SELECT} WHERE id = ?");
        let rows = self.database.execute(&statement, params![id.to_string()]).await?;
        rows.first().map(record).transpose()
    }

    /// The payment that `payer` gave this identifier.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn payment_of_identifier(
        &self,
        payer: &Wallet,
        identifier: &str,
    ) -> Result<Option<PaymentRecord>, DatabaseError> {
        let statement = format!("{SELECT} WHERE payer = ? AND identifier = ?");
        let rows =
            self.database.execute(&statement, params![payer.to_string(), identifier]).await?;
        rows.first().map(record).transpose()
    }

    /// Payments that may have been settled without our knowing it, of `payer` and with `nonce` if
    /// these are known, newest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn payments_in_doubt(
        &self,
        payer: Option<&Wallet>,
        nonce: Option<&str>,
        limit: u32,
    ) -> Result<Vec<PaymentRecord>, DatabaseError> {
        let statement = format!(
            "{SELECT} WHERE state <> 'settled' AND coalesce(check_at, lease_until) IS NOT NULL \
             AND coalesce(payer = ?1, TRUE) AND coalesce(nonce = ?2, TRUE) \
             ORDER BY created_at DESC LIMIT ?3"
        );
        let parameters = params![payer.map(ToString::to_string), nonce, i64::from(limit)];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.iter().map(record).collect()
    }

    /// Payments that are to be looked into by now, those that wait longest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn payments_to_look_into(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<PaymentRecord>, DatabaseError> {
        let statement = format!(
            "{SELECT} WHERE state <> 'settled' AND coalesce(check_at, lease_until) <= ? \
             ORDER BY coalesce(check_at, lease_until) LIMIT ?"
        );
        let rows = self.database.execute(&statement, params![now, i64::from(limit)]).await?;
        rows.iter().map(record).collect()
    }
}

/// What the schema and the rules of a payment's life rule out.
fn never() -> DatabaseError {
    DatabaseError("a payment is not as it was a moment ago".to_owned())
}
