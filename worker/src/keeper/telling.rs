//! Who is told what came of a turn: the edge, visitors, the log.

use std::sync::Arc;

use domain::{ObservedState, SpaceId, StepRecord, Timestamp};
use fleet::{DesiredSpace, Observation};
use reconcile::{
    ContainerRuntime, DesiredStack, Failure, ObservedStack, Plan, Stage, Step, Target, Waiting,
};

use super::{
    Keeper,
    space::{End, note_failure},
};
use crate::{
    disk::Level,
    progress::Progress,
    routes::{Route, RouteEntry},
    shared::is_stack,
    wish,
};

impl<R: ContainerRuntime + Send + Sync + 'static> Keeper<R> {
    /// Something is about to be done.
    pub(super) fn begun(&self, wish: &Arc<DesiredSpace>, stack: &DesiredStack, plan: &Plan) {
        let name = match plan {
            Plan::Act(step) => step.name(),
            Plan::Wait(waiting) => waiting.name(),
            Plan::Converged | Plan::Superseded | Plan::Blocked(_) => return,
        };
        let is_ready = matches!(plan, Plan::Act(Step::MarkReady) | Plan::Wait(Waiting::Ready));
        if !is_ready {
            tracing::info!(space.id = %wish.id, step = name, "begins");
        }
        self.tell(wish, ObservedState::Converging, None, |progress, now| {
            progress.begin(&name, now);
        });
        // An update begins while the space runs on.
        if stack.stage == Some(Stage::Preparing) && matches!(plan, Plan::Act(Step::PullImage(_))) {
            return;
        }
        let title = wish.title.clone();
        let route = match stack.target {
            Target::Running => {
                let steps = self.steps(&wish.id);
                Route::Starting { title, steps }
            }
            Target::Stopped => wish::stopped_route(wish),
            Target::Cleared => return,
            Target::Absent => Route::Removing,
        };
        self.route(wish, route);
    }

    /// What is there is what is wanted.
    pub(super) fn settled(
        &self,
        stack: &DesiredStack,
        wish: &Arc<DesiredSpace>,
        observed: Option<&ObservedStack>,
    ) {
        let mut disk = Level::default();
        if let Some(space) = self.state().spaces.get_mut(&wish.id) {
            space.release = observed.and_then(|it| it.release.clone());
            disk = space.disk;
        }
        match (stack.target, observed.and_then(|it| it.upstream)) {
            (Target::Running, Some(upstream)) => self.route(wish, Route::Ready { upstream }),
            (Target::Stopped, _) => self.route(wish, wish::stopped_route(wish)),
            (Target::Absent, _) => self.routes.remove(&wish.id),
            (Target::Running, None) | (Target::Cleared, _) => {}
        }
        if let Some(state) = wish::state_at(wish.desired, stack.target) {
            let undone = observed.and_then(|it| it.update.as_ref()?.undone(wish.generation));
            let reason = undone.map(|it| format!("the update was undone: {it}"));
            let reason = disk.reason().or(reason);
            let is_new = self.tell(wish, state, reason, Progress::finish);
            if is_new && is_stack(wish) {
                self.look_again_at_users(wish);
            }
            if is_new {
                let generation = wish.generation;
                tracing::info!(space.id = %wish.id, %generation, ?state, "settled");
            }
        }
    }

    /// An attempt failed, and there will be another.
    pub(super) fn failed(&self, wish: &Arc<DesiredSpace>, failure: &Failure) {
        let error: &dyn std::error::Error = failure;
        tracing::warn!(space.id = %wish.id, error, "an attempt failed");
        let reason = Some(failure.to_string());
        self.tell(wish, ObservedState::Converging, reason, |progress, now| {
            note_failure(progress, failure, now);
        });
    }

    /// It is no use.
    pub(super) fn gave_up(&self, wish: &Arc<DesiredSpace>, failure: &Failure) {
        let error: &dyn std::error::Error = failure;
        tracing::warn!(space.id = %wish.id, error, "gave up");
        let reason = failure.to_string();
        self.route(wish, Route::Failed { reason: reason.clone() });
        if let Some(space) = self.state().spaces.get_mut(&wish.id)
            && space.wish.generation == wish.generation
        {
            space.end = End::GaveUp;
            if matches!(failure, Failure::Lost(_)) {
                // Whether there was data, nobody can say any more.
                space.note_data();
            }
        }
        self.tell(wish, ObservedState::Failed, Some(reason), |progress, now| {
            note_failure(progress, failure, now);
        });
    }

    /// Has the edge told, unless it is what it was told last. Says whether it is not.
    fn tell(
        &self,
        wish: &DesiredSpace,
        state: ObservedState,
        reason: Option<String>,
        change: impl FnOnce(&mut Progress, Timestamp),
    ) -> bool {
        let mut all = self.state();
        let Some(space) = all.spaces.get_mut(&wish.id) else { return false };
        if space.wish.generation != wish.generation {
            return false;
        }
        change(&mut space.progress, (self.now)());
        // While what is left of an attempt is removed, what was told of it stays: why.
        let is_given_up = space.end != End::Open || space.target() == Target::Cleared;
        if state == ObservedState::Converging && is_given_up {
            return false;
        }
        let observation = Observation {
            space: wish.id.clone(),
            generation: wish.generation,
            state,
            release: space.release.clone(),
            reason,
            steps: space.progress.steps().to_vec(),
        };
        if space.told.as_ref() == Some(&observation) {
            return false;
        }
        (space.told, space.was_told_in_vain) = (Some(observation.clone()), false);
        drop(all);
        if !is_stack(wish) {
            self.outbox.push(observation);
        }
        true
    }

    fn steps(&self, space: &SpaceId) -> Vec<StepRecord> {
        let state = self.state();
        state.spaces.get(space).map(|it| it.progress.steps().to_vec()).unwrap_or_default()
    }

    pub(super) fn route(&self, wish: &DesiredSpace, route: Route) {
        if is_stack(wish) {
            return;
        }
        let entry = RouteEntry { space: wish.id.clone(), route };
        self.routes.set(&wish::route_hosts(wish), entry);
    }
}
