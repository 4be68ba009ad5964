//! Keeps every space as it is wanted: whose turn it is, what came of it, who is told.

mod credentials;
mod disk;
mod known;
mod metered;
mod shared;
mod space;
mod telling;

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::{Desired, ObservedState, SpaceId, Timestamp};
use fleet::{DesiredSpace, Observation};
use futures::FutureExt as _;
use reconcile::{
    ContainerRuntime, Course, Failure, ObservedStack, Plan, Queue, Requeue, Step, Target,
    UpdateState, looks_settled, reconcile,
};
use tokio::sync::Notify;
use tracing::Instrument as _;

pub(crate) use self::credentials::SpaceCredentials;
use self::space::{End, Space};
use crate::{
    metrics::metrics,
    outbox::Outbox,
    routes::{Route, Routes},
    shared::is_stack,
    wish::{self, Templates},
};

/// When a space is looked at again in whose turn we ourselves went wrong.
const PANIC_PAUSE: Duration = Duration::from_mins(1);

/// When a space is looked at again of which nobody could say what is there.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// Keeps the spaces of one host. `R` is where their containers are.
pub(crate) struct Keeper<R> {
    runtime: R,
    templates: Templates,
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
        templates: Templates,
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
    pub(crate) fn want(&self, mut wish: DesiredSpace) {
        let mut state = self.state();
        let space = wish.id.clone();
        state.orphans.remove(&space);
        self.want_shared(&mut state, &wish);
        if let Some(known) = state.spaces.get_mut(&space) {
            // We may know before the edge does.
            wish.has_data |= known.wish.has_data;
            if wish.generation < known.wish.generation || wish == *known.wish {
                return;
            }
            if wish.generation == known.wish.generation {
                known.wish = Arc::new(wish);
            } else {
                let (was_seen, disk) = (known.was_seen, known.disk);
                *known = Space { was_seen, disk, ..Space::new(wish) };
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
            | ObservedState::Stopped
            | ObservedState::Halted => {}
        }
    }

    /// The edge will not take this observation. It is told again at the next resync: by then it may
    /// be understood.
    pub(crate) fn refused(&self, observation: &Observation) {
        if let Some(space) = self.state().spaces.get_mut(&observation.space)
            && space.told.as_ref() == Some(observation)
        {
            space.was_told_in_vain = true;
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
        let State { queue, spaces, .. } = &mut *state;
        for (id, space) in spaces {
            let observed = there.get(id).unwrap_or(&nothing);
            let standing = (observed.release.clone(), observed.update.clone());
            let desired = wish::stack(&space.wish, space.target(), &standing, &self.templates);
            // A domain may have come from a space that had its turn later, and took it along.
            let has_domains = !space.wish.domains.is_empty();
            if has_domains || !desired.is_ok_and(|it| looks_settled(&it, observed)) {
                queue.add(id.clone(), Instant::now());
            }
            if std::mem::take(&mut space.was_told_in_vain) {
                space.told.iter().for_each(|it| self.outbox.push(it.clone()));
            }
        }
        self.keep_shared(&mut state, there.keys());
        let is_known = |it: &SpaceId| state.spaces.contains_key(it);
        let unknown: Vec<_> = there.into_keys().filter(|it| !is_known(it)).collect();
        for space in unknown {
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
        let began = Instant::now();
        let span = self.span(&space);
        let turn = AssertUnwindSafe(self.work(&space)).catch_unwind().instrument(span).await;
        let outcome = if turn.is_ok() { "done" } else { "failed" };
        metrics().turn(outcome, began.elapsed().as_secs_f64());
        let next = turn.unwrap_or_else(|_| {
            tracing::error!(space.id = %space, "a turn went wrong by our own fault");
            Some(PANIC_PAUSE)
        });
        let next = next.and_then(|it| Instant::now().checked_add(it));
        let mut state = self.state();
        if let Some(space) = state.spaces.get_mut(&space) {
            space.was_seen = true;
        }
        state.queue.end(space, next);
        drop(state);
        self.changed.notify_one();
    }

    /// What is logged with everything that is done in a turn: which request it goes back to, too.
    fn span(&self, id: &SpaceId) -> tracing::Span {
        let state = self.state();
        let wish = state.spaces.get(id).map(|it| &it.wish);
        tracing::info_span!(
            "turn",
            space.id = %id,
            space.generation = wish.map(|it| it.generation.0),
            request.id = wish.and_then(|it| it.request_id.as_deref()),
        )
    }

    /// Takes the space's next step. Says when it needs another turn.
    async fn work(&self, id: &SpaceId) -> Option<Duration> {
        let (wish, target, mut course) = {
            let mut state = self.state();
            let space = state.spaces.get_mut(id)?;
            if space.end == End::GaveUp && !space.wish.gave_up {
                return None;
            }
            (Arc::clone(&space.wish), space.target(), std::mem::take(&mut space.course))
        };
        let standing = match self.runtime.standing(id).await {
            Ok(standing) => standing,
            Err(failure) => {
                self.failed(&wish, &failure);
                return Some(LOOK_PAUSE);
            }
        };
        let target = match (target, standing.1.as_ref().map(|it| &it.state)) {
            // The way back makes room, and starts nothing before its end.
            (Target::Stopped, Some(UpdateState::Trying { .. } | UpdateState::Undoing { .. }))
                if wish.desired == Desired::Running =>
            {
                Target::Running
            }
            _ => target,
        };
        let stack = match wish::stack(&wish, target, &standing, &self.templates) {
            Ok(stack) => stack,
            Err(failure) => return self.cannot_make(&wish, &failure).await,
        };
        if let Some(reason) = self.too_full_for(id, &stack) {
            let rejected = self.runtime.apply(&stack, &Step::RejectUpdate(reason)).await;
            return match rejected {
                Ok(()) => Some(Duration::ZERO),
                Err(failure) => {
                    self.failed(&wish, &failure);
                    Some(LOOK_PAUSE)
                }
            };
        }
        let begin = |plan: &Plan| self.begun(&wish, &stack, plan);
        let outcome = reconcile(&self.runtime, &stack, &mut course, Instant::now, begin).await;
        let next = match outcome.requeue {
            // What others need is never given up.
            Requeue::GivenUp if is_stack(&wish) => {
                course = Course::default();
                Some(PANIC_PAUSE)
            }
            Requeue::Now => Some(Duration::ZERO),
            Requeue::After(pause) => Some(pause),
            Requeue::Settled | Requeue::Superseded | Requeue::GivenUp => None,
        };
        match (&outcome.failure, outcome.requeue) {
            (Some(failure), Requeue::GivenUp) if !is_stack(&wish) => self.gave_up(&wish, failure),
            (Some(failure), _) => self.failed(&wish, failure),
            (None, Requeue::Settled) => self.settled(&stack, &wish, outcome.observed.as_ref()),
            (None, Requeue::Superseded) => {
                tracing::warn!(space.id = %id, generation = %wish.generation, "our wish is stale");
            }
            (None, _) => {}
        }
        let mut state = self.state();
        if let Some(space) = state.spaces.get_mut(id) {
            if outcome.observed.is_some_and(|it| it.was_ready) {
                space.note_data();
            }
            if space.wish.generation == wish.generation {
                space.course = course;
            }
        }
        next
    }

    /// What is wanted cannot be said in containers. What has data is left as it is, and looked at
    /// again with the next resync: the app's template may come back.
    async fn cannot_make(&self, wish: &Arc<DesiredSpace>, failure: &Failure) -> Option<Duration> {
        if wish.has_data {
            self.failed(wish, failure);
            self.route(wish, Route::Failed { reason: failure.to_string() });
            return None;
        }
        match self.runtime.observe(&wish::bare_stack(wish, Target::Stopped)).await {
            Ok(observed) if observed.was_ready => {
                if let Some(space) = self.state().spaces.get_mut(&wish.id) {
                    space.note_data();
                }
                Some(Duration::ZERO)
            }
            Ok(_) => {
                self.gave_up(wish, failure);
                None
            }
            Err(trouble) => {
                self.failed(wish, &trouble);
                Some(LOOK_PAUSE)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
