//! Seeing to it that a space whose money runs out is warned, suspended, and deleted in the end.

use billing::{DunningPolicy, DunningStep, MoneyStanding, Rates, SuspendedBy, next_step};
use domain::{Desired, Money, PhaseEvent, SpaceId, Timestamp, transition};
use serde_json::{Value as Json, json};

use crate::{
    Records, SpaceRecord,
    database::{Database, DatabaseError, params, transaction},
    spaces::{SELECT, space},
    wish::By,
};

/// Who does what no person does.
const ACTOR: By<'static> = By { actor: "spaceport", request_id: None };

/// How many things are done with one space at once at most. Each changes its standing, so that they end.
const STEPS_MAX: usize = 8;

impl SpaceRecord {
    /// What it has used and can't pay.
    #[must_use]
    pub fn owed(&self) -> Money {
        self.standing.due.saturating_sub(self.available)
    }

    /// How its money stands, if what it costs is `rates` from here on.
    #[must_use]
    pub fn money(&self, rates: &Rates) -> MoneyStanding {
        let standing = &self.standing;
        MoneyStanding {
            available: self.available.saturating_sub(standing.due),
            owed: self.owed(),
            paid_until: self.paid_until(rates),
            warned_days: standing.warned_days,
            owed_since: standing.owed_since,
            suspension: standing.suspension,
        }
    }

    /// Until when its balance lasts, if what it costs is `rates` from here on; `None` if for ever.
    #[must_use]
    pub fn paid_until(&self, rates: &Rates) -> Option<Timestamp> {
        let standing = &self.standing;
        if standing.is_free {
            return None;
        }
        if !self.owed().is_zero() {
            return Some(standing.owed_since.unwrap_or(standing.accrued_at));
        }
        let from = standing.suspension.map_or(standing.accrued_at, |it| it.at);
        let balance = self.balance.saturating_sub(standing.due);
        rates.paid_until(from, balance, standing.spend_day)
    }
}

impl<D: Database> Records<D> {
    /// Does what is to be done with the spaces whose money runs out. Each is a transaction of its own.
    /// Returns how many things were done.
    ///
    /// # Errors
    /// [`DatabaseError`]; what was done before is done.
    pub async fn mind_money(
        &self,
        policy: &DunningPolicy,
        now: Timestamp,
    ) -> Result<usize, DatabaseError> {
        let rates = self.rates().await?;
        let statement = format!("{SELECT} WHERE t.ended_s IS NULL AND NOT t.is_free");
        let rows = self.database.execute(&statement, Vec::new()).await?;
        let mut n_steps = 0_usize;
        for row in &rows {
            let space = space(row)?;
            if next_step(&space.money(&rates), policy, now).is_some() {
                let done = self.mind_space(&space.id, policy, now).await?;
                n_steps = n_steps.saturating_add(done);
            }
        }
        Ok(n_steps)
    }

    /// The same with one space.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing is done then.
    pub async fn mind_space(
        &self,
        id: &SpaceId,
        policy: &DunningPolicy,
        now: Timestamp,
    ) -> Result<usize, DatabaseError> {
        transaction(&self.database, async {
            let (rates, mut n_steps) = (self.rates().await?, 0_usize);
            if self.is_living(id).await? {
                self.accrue(id, now).await?;
            }
            while n_steps < STEPS_MAX {
                let space = self.space(id).await?;
                let lives =
                    |it: &SpaceRecord| it.desired != Desired::Deleted && !it.standing.is_free;
                let Some(space) = space.filter(lives) else { break };
                let Some(step) = next_step(&space.money(&rates), policy, now) else { break };
                self.take_step(&space, step, &rates, policy, now).await?;
                n_steps = n_steps.saturating_add(1);
            }
            Ok(n_steps)
        })
        .await
    }

    /// What things cost from now on; nothing while no price is known.
    async fn rates(&self) -> Result<Rates, DatabaseError> {
        Ok(self.prices().await?.last().map_or(Rates::FREE, |it| it.rates))
    }

    async fn take_step(
        &self,
        space: &SpaceRecord,
        step: DunningStep,
        rates: &Rates,
        policy: &DunningPolicy,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let id = &space.id;
        match step {
            DunningStep::Warn(days) => {
                self.note_warning(id, Some(days)).await?;
                let until = space.paid_until(rates);
                let detail = json!({ "days": days, "paid_until": until, "balance": space.balance });
                self.notify(id, "balance-low", &detail, now).await
            }
            DunningStep::Unwarn(days) => self.note_warning(id, days).await,
            DunningStep::BeginGrace => {
                self.note_owed(id, Some(now)).await?;
                let until = now.plus(policy.grace);
                let detail = json!({ "owed": space.owed(), "suspended_at": until });
                self.notify(id, "balance-used-up", &detail, now).await
            }
            DunningStep::EndGrace => self.note_owed(id, None).await,
            DunningStep::Suspend => {
                let deleted_at = now.plus(policy.retention);
                let detail = json!({ "by": "payment", "owed": space.owed(),
                    "deleted_at": deleted_at });
                self.suspend(space, SuspendedBy::Payment, &ACTOR, now).await?;
                self.notify(id, "suspended", &detail, now).await
            }
            DunningStep::Resume => {
                self.resume(space, &ACTOR, now).await?;
                self.notify(id, "resumed", &json!({ "by": "payment" }), now).await
            }
            DunningStep::WarnOfDeletion(days) => {
                self.note_warning(id, Some(days)).await?;
                let at = space.standing.suspension.map(|it| it.at.plus(policy.retention));
                let detail = json!({ "days": days, "deleted_at": at,
                    "owed": space.owed() });
                self.notify(id, "deletion-near", &detail, now).await
            }
            DunningStep::Delete => {
                let detail = json!({ "owed": space.owed() });
                self.notify(id, "deleted-unpaid", &detail, now).await?;
                let deleted = PhaseEvent::Wanted(Desired::Deleted);
                let Ok(phase) = transition(space.phase, deleted) else { return Ok(()) };
                self.write_wish(space, Desired::Deleted, phase, &ACTOR, now).await?;
                self.settle_up(id, space.owner, now).await
            }
        }
    }

    /// Suspends a space, within a transaction.
    pub(crate) async fn suspend(
        &self,
        space: &SpaceRecord,
        by: SuspendedBy,
        who: &By<'_>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let Ok(phase) = transition(space.phase, PhaseEvent::Wanted(Desired::Suspended)) else {
            return Ok(());
        };
        // What it used until now is due.
        self.accrue(&space.id, now).await?;
        let statement = "UPDATE standings SET suspended_by = ?, suspended_at = ?, \
             warned_days = NULL WHERE space = ?";
        let parameters = params![by.as_str(), now, space.id.as_str()];
        self.database.execute(statement, parameters).await?;
        self.write_wish(space, Desired::Suspended, phase, who, now).await
    }

    /// Has a suspended space run again, within a transaction. What is owed has its grace anew.
    pub(crate) async fn resume(
        &self,
        space: &SpaceRecord,
        who: &By<'_>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let Ok(phase) = transition(space.phase, PhaseEvent::Wanted(Desired::Running)) else {
            return Ok(());
        };
        let statement = "UPDATE standings SET suspended_by = NULL, suspended_at = NULL, \
             warned_days = NULL, owed_since = NULL WHERE space = ?";
        self.database.execute(statement, params![space.id.as_str()]).await?;
        self.write_wish(space, Desired::Running, phase, who, now).await
    }

    async fn note_warning(&self, id: &SpaceId, days: Option<u8>) -> Result<(), DatabaseError> {
        let statement = "UPDATE standings SET warned_days = ? WHERE space = ?";
        let parameters = params![days.map(i64::from), id.as_str()];
        self.database.execute(statement, parameters).await.map(|_| ())
    }

    async fn note_owed(&self, id: &SpaceId, since: Option<Timestamp>) -> Result<(), DatabaseError> {
        let statement = "UPDATE standings SET owed_since = ? WHERE space = ?";
        self.database.execute(statement, params![since, id.as_str()]).await.map(|_| ())
    }

    /// Writes an event down that the owners are to know of, and has them told.
    async fn notify(
        &self,
        id: &SpaceId,
        kind: &str,
        detail: &Json,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let event = self.record_event(id, now, kind, ACTOR.actor, detail).await?;
        self.have_told(id, event, now).await
    }
}
