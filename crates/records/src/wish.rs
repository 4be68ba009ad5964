//! Changing what is wanted of a space.

use billing::SuspendedBy;
use domain::{Desired, IllegalTransition, Phase, PhaseEvent, SpaceId, Timestamp, transition};
use fleet::AppOffer;
use serde_json::json;

use crate::{
    Answer, IdempotencyKey, KeyReused, Records, SpaceRecord,
    database::{Database, DatabaseError, params, transaction},
};

/// Who wants something.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// A wallet's address, `operator`, or `spaceport` for what follows from a rule.
    pub actor: &'a str,
    /// The request that it is wanted with, for the logs.
    pub request_id: Option<&'a str>,
}

/// What may be wanted of a space that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That it is no more.
    Delete,
    /// The same by the operator, for a reason.
    TearDown(String),
    /// That it is stopped and keeps its data, until the operator has it resumed. For a reason.
    Suspend(String),
    /// That it runs although it was suspended. For a reason.
    Resume(String),
    /// That it runs, made anew. Also how a space that failed is tried again.
    Restart,
    /// That it runs with what its host offers under its app now.
    Update(AppOffer),
}

/// Why a wish was not taken. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum WishError {
    /// The space is not in a phase in which this can be wanted.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// It was stopped by rule, and only the rule lets it run.
    #[error("the space is suspended")]
    Suspended,
    /// Its host offers something else by now.
    #[error("the host offers another release by now")]
    OfferChanged,
    /// Its host has no room for what the release needs more.
    #[error("the host has no room for this release")]
    NoCapacity,
    /// The idempotency key was used for another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl<D: Database> Records<D> {
    /// Wants something of the space `id`, and keeps the answer that `answer` writes for `key`, in
    /// one transaction. A repeated request gets the first answer, and wanting what is wanted already
    /// changes nothing.
    ///
    /// # Errors
    /// [`WishError`].
    pub async fn want(
        &self,
        id: &SpaceId,
        wish: Wish,
        by: &By<'_>,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: impl Fn(&SpaceRecord) -> Answer,
    ) -> Result<Answer, WishError> {
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<WishError>(key, now).await? {
                return Ok(answer);
            }
            let space = self.space(id).await?.ok_or_else(|| missing(id))?;
            match &wish {
                Wish::Delete => self.delete(&space, by, now).await?,
                Wish::TearDown(reason) => {
                    self.give_reason(&space, "torn-down", reason, by, now).await?;
                    self.delete(&space, by, now).await?;
                }
                Wish::Suspend(reason) => self.suspend_by_operator(&space, reason, by, now).await?,
                Wish::Resume(reason) => self.resume_by_operator(&space, reason, by, now).await?,
                Wish::Restart => self.run_again(&space, None, by, now).await?,
                Wish::Update(offer) => self.run_again(&space, Some(offer), by, now).await?,
            }
            let space = self.space(id).await?.ok_or_else(|| missing(id))?;
            let answer = answer(&space);
            self.keep_answer(key, &answer, now).await?;
            Ok(answer)
        })
        .await
    }

    async fn delete(
        &self,
        space: &SpaceRecord,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<(), WishError> {
        let phase = transition(space.phase, PhaseEvent::Wanted(Desired::Deleted))?;
        if space.desired == Desired::Deleted {
            return Ok(());
        }
        self.write_wish(space, Desired::Deleted, phase, by, now).await?;
        Ok(self.settle_up(&space.id, space.owner, now).await?)
    }

    /// Made anew, and of the release in `offer`. Nothing changes where that is wanted already.
    async fn run_again(
        &self,
        space: &SpaceRecord,
        offer: Option<&AppOffer>,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<(), WishError> {
        if space.desired == Desired::Suspended {
            return Err(WishError::Suspended);
        }
        let phase = transition(space.phase, PhaseEvent::Wanted(Desired::Running))?;
        if let Some(offer) = offer
            && !self.take_release(space, offer, by.actor, now).await?
        {
            return Ok(());
        }
        Ok(self.write_wish(space, Desired::Running, phase, by, now).await?)
    }

    async fn suspend_by_operator(
        &self,
        space: &SpaceRecord,
        reason: &str,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<(), WishError> {
        transition(space.phase, PhaseEvent::Wanted(Desired::Suspended))?;
        let suspended_by = space.standing.suspension.map(|it| it.by);
        if suspended_by == Some(SuspendedBy::Operator) {
            return Ok(());
        }
        self.give_reason(space, "suspended", reason, by, now).await?;
        Ok(self.suspend(space, SuspendedBy::Operator, by, now).await?)
    }

    async fn resume_by_operator(
        &self,
        space: &SpaceRecord,
        reason: &str,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<(), WishError> {
        transition(space.phase, PhaseEvent::Wanted(Desired::Running))?;
        if space.standing.suspension.is_none() {
            return Ok(());
        }
        self.give_reason(space, "resumed", reason, by, now).await?;
        Ok(self.resume(space, by, now).await?)
    }

    async fn give_reason(
        &self,
        space: &SpaceRecord,
        kind: &str,
        reason: &str,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let detail = json!({ "by": by.actor, "reason": reason });
        self.record_event(&space.id, now, kind, by.actor, &detail).await.map(|_| ())
    }

    /// Takes it that `space` shall be of the release in `offer`. Says whether that is news.
    async fn take_release(
        &self,
        space: &SpaceRecord,
        offer: &AppOffer,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, WishError> {
        if self.offer(&space.host, &space.app).await?.as_ref() != Some(offer) {
            return Err(WishError::OfferChanged);
        }
        if space.release == offer.release {
            return Ok(false);
        }
        if self.room(&space.host, &space.id).await? < i64::from(offer.memory_mib) {
            return Err(WishError::NoCapacity);
        }
        let detail = json!({ "from": space.version, "to": offer.version });
        self.record_event(&space.id, now, "update-wanted", actor, &detail).await?;
        let (release, memory) = (offer.release.as_str(), i64::from(offer.memory_mib));
        let statement = "UPDATE spaces SET release = ?, memory_mib = ? WHERE id = ?";
        self.database.execute(statement, params![release, memory, space.id.as_str()]).await?;
        Ok(true)
    }

    /// Writes down what is wanted of a space from now on, within a transaction.
    pub(crate) async fn write_wish(
        &self,
        space: &SpaceRecord,
        desired: Desired,
        phase: Phase,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let detail = json!({ "desired": desired, "from": space.phase, "phase": phase });
        let seq = self.record_event(&space.id, now, "desired-changed", by.actor, &detail).await?;
        self.database
            .execute(
                "UPDATE spaces SET desired = ?, phase = ?, generation = generation + 1, \
                 change_seq = ?, reason = NULL, steps = '[]', updated_at = ?, request_id = ? \
                 WHERE id = ?",
                params![
                    desired.as_str(),
                    phase.as_str(),
                    seq,
                    now,
                    by.request_id,
                    space.id.as_str()
                ],
            )
            .await?;
        self.note_period(space, phase, space.ready_at.is_some(), now).await
    }
}

pub(crate) fn missing(id: &SpaceId) -> DatabaseError {
    DatabaseError(format!("the row of space {id} is missing"))
}
