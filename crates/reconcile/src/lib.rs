//! From what is wanted of a space to what is there, one step at a time.
//!
//! Domain model: a *stack* is what one space is made of on a host: a network, volumes, and a
//! container for each service. [`plan`] compares the stack that is wanted with the stack that is
//! observed and says the one next step; [`reconcile`] observes, plans and takes it. A [`Course`] is
//! the patience with one wish: how long to wait, when to try again, when to give up. A [`Queue`]
//! says whose turn it is.
//!
//! Owns: what comes after what, what is a failure and how it is told to people. Does not own:
//! Docker, the edge, time: they come in through ports and arguments.
//!
//! Invariants: [`plan`] has no memory, so a crash between two steps loses nothing. Nothing is done
//! to what is newer than our wish. A volume that should hold data and is gone is never replaced by
//! an empty one, and volumes are removed only when the space never held data, or is to be gone and
//! has a verified final backup.

mod course;
mod diagnose;
mod plan;
mod queue;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
mod stack;
mod step;
mod turn;
mod update;

pub use course::{Course, Verdict, backoff};
pub use diagnose::{Exit, Failure};
pub use plan::{Blocked, Plan, plan};
pub use queue::Queue;
pub use stack::{
    Dependency, DesiredStack, Health, ObservedContainer, ObservedStack, Readiness, RunState,
    ServiceWish, SharedState, Target, Web,
};
pub use step::{Step, Waiting};
pub use turn::{ContainerRuntime, Outcome, Requeue, looks_settled, reconcile};
pub use update::{Stage, UpdateRecord, UpdateState, release_of};
