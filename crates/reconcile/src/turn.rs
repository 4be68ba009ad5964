//! One turn: observe, plan, at most one effect.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::SpaceId;

use crate::{
    Course, DesiredStack, Exit, Failure, ObservedStack, Plan, Readiness, Step, UpdateRecord,
    Verdict, Waiting, backoff, plan,
};

/// What is needed of a container runtime.
pub trait ContainerRuntime {
    /// What is there of one space now.
    ///
    /// # Errors
    /// [`Failure`] if that could not be found out.
    fn observe(
        &self,
        desired: &DesiredStack,
    ) -> impl Future<Output = Result<ObservedStack, Failure>> + Send;

    /// Of which release the data of `space` is, and how far an update is, as is on record.
    ///
    /// # Errors
    /// [`Failure`] if that could not be found out.
    fn standing(
        &self,
        space: &SpaceId,
    ) -> impl Future<Output = Result<(Option<String>, Option<UpdateRecord>), Failure>> + Send;

    /// What is there of all spaces, in as many questions as for one. Nobody is asked whether it is
    /// ready, and nothing is said of images.
    ///
    /// # Errors
    /// [`Failure`] if that could not be found out.
    fn observe_all(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<SpaceId, ObservedStack>, Failure>> + Send;

    /// Carries out one step. "Already so" is success.
    ///
    /// # Errors
    /// [`Failure`] if it is not so, or not known to be so.
    fn apply(
        &self,
        desired: &DesiredStack,
        step: &Step,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Returns when the wait may be over, and after half a second in any case. `waited` is how long
    /// it has gone on already.
    fn wait(
        &self,
        desired: &DesiredStack,
        observed: &ObservedStack,
        waiting: &Waiting,
        waited: Duration,
    ) -> impl Future<Output = ()> + Send;

    /// How the container of a service ended.
    ///
    /// # Errors
    /// [`Failure`] if that could not be found out.
    fn exit_of(
        &self,
        desired: &DesiredStack,
        service: &str,
    ) -> impl Future<Output = Result<Exit, Failure>> + Send;
}

/// When a space wants its next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// At once.
    Now,
    /// After this time, whatever happens until then.
    After(Duration),
    /// When something happens: what is there is what is wanted.
    Settled,
    /// When the newer wish arrives, which somebody has worked on.
    Superseded,
    /// When something else is wanted: this was given up.
    GivenUp,
}

/// What happened in a turn.
#[derive(Debug)]
pub struct Outcome {
    /// When the next one is due.
    pub requeue: Requeue,
    /// What was seen; `None` if it was not time to look, or nothing could be seen.
    pub observed: Option<ObservedStack>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// Takes the one step that brings a space closer to what is wanted of it.
///
/// Safe to call at any time, any number of times, and after a crash at any point: it starts from
/// what it observes. `course` only has the patience. `begin` is told what is about to be done, so
/// that people can watch; `clock` says what time it is.
pub async fn reconcile(
    runtime: &impl ContainerRuntime,
    desired: &DesiredStack,
    course: &mut Course,
    clock: impl Fn() -> Instant,
    mut begin: impl FnMut(&Plan),
) -> Outcome {
    if let Some(pause) = course.pause(clock()) {
        return Outcome { requeue: Requeue::After(pause), observed: None, failure: None };
    }
    let mut observed = None;
    let result = step(runtime, desired, course, &clock, &mut begin, &mut observed).await;
    let was_ready = desired.has_data || observed.as_ref().is_some_and(|it| it.was_ready);
    let (requeue, failure) = match result {
        Ok(requeue) => (requeue, None),
        Err(failure) => {
            let requeue = match course.failed(&failure, desired, was_ready, clock()) {
                Verdict::RetryAfter(delay) => Requeue::After(delay),
                Verdict::GiveUp if desired.is_on_trial() => {
                    reject(runtime, desired, course, &failure).await
                }
                Verdict::GiveUp => Requeue::GivenUp,
            };
            (requeue, Some(failure))
        }
    };
    Outcome { requeue, observed, failure }
}

/// Whether a space that was observed with [`ContainerRuntime::observe_all`] is as it should be, as
/// far as that shows.
#[must_use]
pub fn looks_settled(desired: &DesiredStack, observed: &ObservedStack) -> bool {
    match plan(desired, observed) {
        Plan::Converged | Plan::Superseded => true,
        Plan::Wait(Waiting::Ready) => {
            observed.was_ready && observed.readiness == Readiness::Unknown
        }
        Plan::Act(_) | Plan::Wait(_) | Plan::Blocked(_) => false,
    }
}

/// A release on trial is no use: what comes next is the one before it.
async fn reject(
    runtime: &impl ContainerRuntime,
    desired: &DesiredStack,
    course: &mut Course,
    failure: &Failure,
) -> Requeue {
    match runtime.apply(desired, &Step::RejectUpdate(failure.to_string())).await {
        Ok(()) => {
            *course = Course::default();
            Requeue::Now
        }
        Err(_) => Requeue::After(backoff(u32::MAX)),
    }
}

async fn step(
    runtime: &impl ContainerRuntime,
    desired: &DesiredStack,
    course: &mut Course,
    clock: &impl Fn() -> Instant,
    begin: &mut impl FnMut(&Plan),
    observed: &mut Option<ObservedStack>,
) -> Result<Requeue, Failure> {
    let next = DesiredStack { target: course.target(desired.target), ..desired.clone() };
    let seen = observed.insert(runtime.observe(&next).await?);
    let plan = plan(&next, seen);
    if let Some(service) = course.ended(&plan) {
        let exit = runtime.exit_of(&next, service).await?;
        return Err(Failure::Exited { service: service.to_owned(), exit });
    }
    begin(&plan);
    match plan {
        Plan::Act(step) => {
            runtime.apply(&next, &step).await?;
            course.stepped(&step);
            Ok(Requeue::Now)
        }
        Plan::Wait(waiting) => {
            if let Some(failure) = course.wait(&waiting, &next, clock()) {
                return Err(failure.given(seen));
            }
            runtime.wait(&next, seen, &waiting, course.waited(clock())).await;
            Ok(Requeue::Now)
        }
        Plan::Converged if course.converged(desired.target, clock()) => Ok(Requeue::Settled),
        Plan::Converged => Ok(Requeue::Now),
        Plan::Superseded => Ok(Requeue::Superseded),
        Plan::Blocked(blocked) => Err(Failure::Lost(blocked)),
    }
}
