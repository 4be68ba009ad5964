//! Taking in what a worker saw.

use domain::{
    Generation, ObservedState, Phase, PhaseEvent, StepRecord, StepState, Timestamp, transition,
};
use fleet::Observation;
use ledger::HoldEnd;
use serde_json::json;

use crate::{
    Records, SpaceRecord,
    database::{Database, DatabaseError, params, transaction},
};

/// Longest reason that is kept, in characters.
const REASON_LEN_MAX: usize = 500;

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It is in the records.
    Recorded,
    /// It says nothing new.
    Known,
    /// It is about an older wish, a space of another host, or something that can't be.
    Stale,
}

impl<D: Database> Records<D> {
    /// Records what `host` saw of one of its spaces, if it is about what is wanted now.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing is recorded then.
    pub async fn observe(
        &self,
        host: &str,
        observation: &Observation,
        now: Timestamp,
    ) -> Result<Observed, DatabaseError> {
        transaction(&self.database, async {
            let Some(space) = self.space(&observation.space).await? else {
                return Ok(Observed::Stale);
            };
            if space.host != host || space.generation != observation.generation {
                return Ok(Observed::Stale);
            }
            let Ok(phase) = transition(space.phase, PhaseEvent::Observed(observation.state)) else {
                return Ok(Observed::Stale);
            };
            let next = Next::of(&space, observation, phase);
            if next.is_known(&space) {
                return Ok(Observed::Known);
            }
            let actor = format!("host:{host}");
            for step in news(&space.steps, &observation.steps) {
                let detail = json!({ "name": step.name, "state": step.state });
                self.record_event(&space.id, now, "step", &actor, &detail).await?;
            }
            if phase != space.phase {
                let detail = json!({ "from": space.phase, "phase": phase, "reason": next.reason });
                self.record_event(&space.id, now, "phase-changed", &actor, &detail).await?;
            }
            self.write_observation(&space, &next, now).await?;
            self.note_release(&space, observation, &actor, now).await?;
            Ok(Observed::Recorded)
        })
        .await
    }

    /// A space that runs something else than is wanted was given the wish up: it keeps what it has
    /// until somebody wants another release again.
    async fn note_release(
        &self,
        space: &SpaceRecord,
        observation: &Observation,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let Some(release) = &observation.release else { return Ok(()) };
        let is_update = observation.generation > space.observed_generation;
        if observation.state != ObservedState::Ready || !is_update {
            return Ok(());
        }
        if *release == space.release {
            return Ok(());
        }
        if !space.release.is_empty() {
            let detail = json!({ "wanted": space.version, "reason": observation.reason });
            self.record_event(&space.id, now, "update-failed", actor, &detail).await?;
        }
        let statement = "UPDATE spaces SET release = ?1, memory_mib = coalesce((SELECT memory_mib \
             FROM releases WHERE app = spaces.app AND release = ?1), memory_mib) WHERE id = ?2";
        self.database.execute(statement, params![release.as_str(), space.id.as_str()]).await?;
        Ok(())
    }

    async fn write_observation(
        &self,
        space: &SpaceRecord,
        next: &Next<'_>,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let steps = serde_json::to_string(next.steps).expect("steps are plain data");
        let is_first_ready = next.phase == Phase::Running && space.ready_at.is_none();
        let ready_at = if is_first_ready { Some(now) } else { space.ready_at };
        let deleted_at = (next.phase == Phase::Deleted).then_some(now);
        self.database
            .execute(
                "UPDATE spaces SET phase = ?, observed_generation = ?, reason = ?, steps = ?, \
                 ready_at = ?, deleted_at = ?, updated_at = ? WHERE id = ?",
                params![
                    next.phase.as_str(),
                    next.observed_generation.0,
                    next.reason.as_deref(),
                    steps,
                    ready_at,
                    deleted_at,
                    now,
                    space.id.as_str(),
                ],
            )
            .await?;
        if is_first_ready {
            self.end_first_month(&space.id, HoldEnd::Posted, now).await?;
        }
        self.note_period(space, next.phase, ready_at.is_some(), now).await
    }
}

/// What an observation makes of a space.
struct Next<'a> {
    phase: Phase,
    observed_generation: Generation,
    reason: Option<String>,
    steps: &'a [StepRecord],
}

impl<'a> Next<'a> {
    fn of(space: &'a SpaceRecord, observation: &'a Observation, phase: Phase) -> Self {
        // Work that goes on has not reached the generation yet.
        let observed_generation = match observation.state {
            ObservedState::Converging => space.observed_generation,
            _ => observation.generation,
        };
        let reason =
            observation.reason.as_ref().map(|it| it.chars().take(REASON_LEN_MAX).collect());
        // A worker that was started again does not know the steps of before.
        let is_forgotten = observation.steps.is_empty();
        let steps = if is_forgotten { &space.steps } else { &observation.steps };
        Self { phase, observed_generation, reason, steps }
    }

    fn is_known(&self, space: &SpaceRecord) -> bool {
        self.phase == space.phase
            && self.observed_generation == space.observed_generation
            && self.reason == space.reason
            && self.steps == space.steps
    }
}

/// The steps that have ended since they were last told of.
fn news<'a>(old: &'a [StepRecord], new: &'a [StepRecord]) -> impl Iterator<Item = &'a StepRecord> {
    new.iter()
        .filter(|step| step.state != StepState::Running)
        .filter(|step| !old.iter().any(|it| it.name == step.name && it.state == step.state))
}
