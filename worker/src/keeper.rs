//! Keeps every space as it is wanted: whose turn it is, what came of it, who is told.

mod space;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use apps::Template;
use domain::{ObservedState, SpaceId, Timestamp};
use fleet::{DesiredSpace, Observation};
use futures::FutureExt as _;
use reconcile::{
    ContainerRuntime, DesiredStack, Failure, ObservedStack, Plan, Queue, Requeue, Step, Target,
    Waiting, looks_settled, reconcile,
};
use tokio::sync::Notify;

use self::space::{End, Space, note_failure};
use crate::{
    outbox::Outbox,
    progress::Progress,
    routes::{Route, RouteEntry, Routes},
    wish,
};

/// When a space is looked at again in whose turn we ourselves went wrong.
const PANIC_PAUSE: Duration = Duration::from_mins(1);

/// Keeps the spaces of one host. `R` is where their containers are.
pub(crate) struct Keeper<R> {
    runtime: R,
    templates: BTreeMap<String, Template>,
    routes: Routes,
    outbox: Arc<Outbox>,
    now: fn() -> Timestamp,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    queue: Queue<SpaceId, Instant>,
    spaces: HashMap<SpaceId, Space>,
    /// What is not the edge's and was said to be so.
    orphans: HashSet<SpaceId>,
}

impl<R: ContainerRuntime + Send + Sync + 'static> Keeper<R> {
    /// A keeper of no space yet.
    pub(crate) fn new(
        runtime: R,
        templates: BTreeMap<String, Template>,
        routes: Routes,
        outbox: Arc<Outbox>,
        now: fn() -> Timestamp,
    ) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self { runtime, templates, routes, outbox, now, state, changed }
    }

    /// Takes turns until it is dropped, as many at once as there are spaces that need one.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut turns = tokio::task::JoinSet::new();
        loop {
            let due = loop {
                let mut state = self.state();
                let Some(space) = state.queue.take(Instant::now()) else {
                    break state.queue.next_due();
                };
                drop(state);
                let keeper = Arc::clone(&self);
                turns.spawn(async move { keeper.turn(space).await });
            };
            let due = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.changed.notified() => {}
                Some(_) = turns.join_next() => {}
            }
        }
    }

    /// Takes note of what the edge wants.
    pub(crate) fn want(&self, wish: DesiredSpace) {
        let mut state = self.state();
        let space = wish.id.clone();
        state.orphans.remove(&space);
        if let Some(known) = state.spaces.get_mut(&space) {
            if wish.generation < known.wish.generation || wish == *known.wish {
                return;
            }
            if wish.generation == known.wish.generation {
                known.wish = Arc::new(wish);
            } else {
                *known = Space { was_seen: known.was_seen, ..Space::new(wish) };
            }
        } else {
            let fresh = Space::new(wish);
            self.route(&fresh.wish, fresh.first_route());
            state.spaces.insert(space.clone(), fresh);
        }
        state.queue.add(space, Instant::now());
        drop(state);
        self.changed.notify_one();
    }

    /// Something may have changed with this space.
    pub(crate) fn look_again(&self, space: &SpaceId) {
        let mut state = self.state();
        if state.spaces.contains_key(space) {
            state.queue.add(space.clone(), Instant::now());
            drop(state);
            self.changed.notify_one();
        }
    }

    /// The edge has taken this observation.
    pub(crate) fn taken(&self, observation: &Observation) {
        let mut state = self.state();
        let Some(space) = state.spaces.get_mut(&observation.space) else { return };
        if space.wish.generation != observation.generation {
            return;
        }
        match observation.state {
            ObservedState::Gone => _ = state.spaces.remove(&observation.space),
            ObservedState::Failed if space.end == End::GaveUp => {
                space.end = End::Cleared;
                drop(state);
                self.look_again(&observation.space);
            }
            ObservedState::Failed
            | ObservedState::Converging
            | ObservedState::Ready
            | ObservedState::Stopped => {}
        }
    }

    /// Compares everything with everything, and gives a turn to what differs.
    pub(crate) async fn resync(&self) {
        let there = match self.runtime.observe_all().await {
            Ok(there) => there,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "could not look at all spaces");
                return;
            }
        };
        let nothing = ObservedStack::default();
        let mut state = self.state();
        let known: Vec<_> = state.spaces.iter().map(|(id, it)| (id.clone(), it.target())).collect();
        for (space, target) in known {
            let desired = wish::stack(&state.spaces[&space].wish, target, &self.templates);
            let observed = there.get(&space).unwrap_or(&nothing);
            if desired.is_ok_and(|it| !looks_settled(&it, observed)) {
                state.queue.add(space, Instant::now());
            }
        }
        for space in
            there.into_keys().filter(|it| !state.spaces.contains_key(it)).collect::<Vec<_>>()
        {
            if state.orphans.insert(space.clone()) {
                tracing::warn!(space.id = %space, "unknown to the edge, and left alone");
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Whether every space has had a turn.
    pub(crate) fn has_seen_all(&self) -> bool {
        self.state().spaces.values().all(|it| it.was_seen)
    }

    async fn turn(&self, space: SpaceId) {
        let turn = AssertUnwindSafe(self.work(&space)).catch_unwind().await;
        let next = turn.unwrap_or_else(|_| {
            tracing::error!(space.id = %space, "a turn went wrong by our own fault");
            Some(PANIC_PAUSE)
        });
        let next = next.and_then(|it| Instant::now().checked_add(it));
        self.state().queue.end(space, next);
        self.changed.notify_one();
    }

    /// Takes the space's next step. Says when it needs another turn.
    async fn work(&self, id: &SpaceId) -> Option<Duration> {
        let (wish, target, mut course) = {
            let mut state = self.state();
            let space = state.spaces.get_mut(id)?;
            space.was_seen |= space.end == End::GaveUp;
            if space.end == End::GaveUp && !space.wish.gave_up {
                return None;
            }
            (Arc::clone(&space.wish), space.target(), std::mem::take(&mut space.course))
        };
        let stack = match wish::stack(&wish, target, &self.templates) {
            Ok(stack) => stack,
            Err(failure) => {
                self.gave_up(&wish, &failure);
                return None;
            }
        };
        let begin = |plan: &Plan| self.begun(&wish, target, plan);
        let outcome = reconcile(&self.runtime, &stack, &mut course, Instant::now, begin).await;
        let next = match outcome.requeue {
            Requeue::Now => Some(Duration::ZERO),
            Requeue::After(pause) => Some(pause),
            Requeue::Settled | Requeue::Superseded | Requeue::GivenUp => None,
        };
        match (&outcome.failure, outcome.requeue) {
            (Some(failure), Requeue::GivenUp) => self.gave_up(&wish, failure),
            (Some(failure), _) => self.failed(&wish, failure),
            (None, Requeue::Settled) => self.settled(&stack, &wish, outcome.observed.as_ref()),
            (None, Requeue::Superseded) => {
                tracing::warn!(space.id = %id, generation = %wish.generation, "our wish is stale");
            }
            (None, _) => {}
        }
        let mut state = self.state();
        if let Some(space) = state.spaces.get_mut(id) {
            space.was_seen = true;
            if space.wish.generation == wish.generation {
                space.course = course;
            }
        }
        next
    }

    /// Something is about to be done.
    fn begun(&self, wish: &Arc<DesiredSpace>, target: Target, plan: &Plan) {
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
        let title = wish.title.clone();
        let route = match target {
            Target::Running => {
                let steps = self.steps(&wish.id);
                Route::Starting { title, steps }
            }
            Target::Stopped => Route::Stopped,
            Target::Cleared => return,
            Target::Absent => Route::Removing,
        };
        self.route(wish, route);
    }

    /// What is there is what is wanted.
    fn settled(
        &self,
        stack: &DesiredStack,
        wish: &Arc<DesiredSpace>,
        observed: Option<&ObservedStack>,
    ) {
        match (stack.target, observed.and_then(|it| it.upstream)) {
            (Target::Running, Some(upstream)) => self.route(wish, Route::Ready { upstream }),
            (Target::Stopped, _) => self.route(wish, Route::Stopped),
            (Target::Absent, _) => self.routes.remove(&wish::route_host(wish), &wish.id),
            (Target::Running, None) | (Target::Cleared, _) => {}
        }
        if let Some(state) = wish::state_at(stack.target) {
            let is_new = self.tell(wish, state, None, Progress::finish);
            if is_new {
                let generation = wish.generation;
                tracing::info!(space.id = %wish.id, %generation, ?state, "settled");
            }
        }
    }

    /// An attempt failed, and there will be another.
    fn failed(&self, wish: &Arc<DesiredSpace>, failure: &Failure) {
        let error: &dyn std::error::Error = failure;
        tracing::warn!(space.id = %wish.id, error, "an attempt failed");
        let reason = Some(failure.to_string());
        self.tell(wish, ObservedState::Converging, reason, |progress, now| {
            note_failure(progress, failure, now);
        });
    }

    /// It is no use.
    fn gave_up(&self, wish: &Arc<DesiredSpace>, failure: &Failure) {
        let error: &dyn std::error::Error = failure;
        tracing::warn!(space.id = %wish.id, error, "gave up");
        let reason = failure.to_string();
        self.route(wish, Route::Failed { reason: reason.clone() });
        if let Some(space) = self.state().spaces.get_mut(&wish.id)
            && space.wish.generation == wish.generation
        {
            (space.end, space.was_seen) = (End::GaveUp, true);
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
            reason,
            steps: space.progress.steps().to_vec(),
        };
        if space.told.as_ref() == Some(&observation) {
            return false;
        }
        space.told = Some(observation.clone());
        drop(all);
        self.outbox.push(observation);
        true
    }

    fn steps(&self, space: &SpaceId) -> Vec<domain::StepRecord> {
        let state = self.state();
        state.spaces.get(space).map(|it| it.progress.steps().to_vec()).unwrap_or_default()
    }

    fn route(&self, wish: &DesiredSpace, route: Route) {
        let entry = RouteEntry { space: wish.id.clone(), route };
        self.routes.set(&wish::route_host(wish), entry);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
