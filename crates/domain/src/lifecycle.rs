//! The life of a space.
//!
//! ```text
//!            +--------------- Failed <--------+----------+
//!            v                 ^              |          |
//! Pending -> Provisioning -> Running -> Hibernating -> Hibernated
//!                              ^   ^                     |
//!                              |   +----- Waking <-------+
//!                              |             ^
//!            any living one -> Suspending -> Suspended
//!            any that should run <---------> Suspended   (by the host)
//!            any of them    -> Deleting   -> Deleted
//! ```

use serde::{Deserialize, Serialize};

/// Where a space is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Wanted; no worker has begun.
    Pending,
    /// A worker makes it.
    Provisioning,
    /// It answers.
    Running,
    /// It is being put to sleep.
    Hibernating,
    /// It sleeps; its data is kept.
    Hibernated,
    /// It is being woken.
    Waking,
    /// It is being stopped by rule.
    Suspending,
    /// Stopped by rule, the edge's or the host's; its data is kept.
    Suspended,
    /// The worker gave up on it; the reason says why.
    Failed,
    /// It is being removed.
    Deleting,
    /// It is gone.
    Deleted,
}

/// What is wanted of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Desired {
    /// It should answer.
    Running,
    /// It should sleep until it is needed.
    Hibernated,
    /// It should be stopped by rule.
    Suspended,
    /// It should be gone, with its data.
    Deleted,
}

/// What a worker says of a space, compared with what is wanted of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObservedState {
    /// Work goes on.
    Converging,
    /// It runs and is ready.
    Ready,
    /// All of its containers are stopped.
    Stopped,
    /// It should run, and the host has stopped it by rule; it runs again by itself when the reason is
    /// gone.
    Halted,
    /// Nothing is left of it.
    Gone,
    /// The worker gave up; it tries again when something else is wanted.
    Failed,
}

/// What may change a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhaseEvent {
    /// Somebody who may wants this.
    Wanted(Desired),
    /// The worker saw this.
    Observed(ObservedState),
}

/// The event cannot happen in this phase. A caller's mistake or a stale view, never a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible while a space is {phase:?}")]
pub struct IllegalTransition {
    /// The phase the space is in.
    pub phase: Phase,
    /// The event that was refused.
    pub event: PhaseEvent,
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Provisioning,
        Self::Running,
        Self::Hibernating,
        Self::Hibernated,
        Self::Waking,
        Self::Suspending,
        Self::Suspended,
        Self::Failed,
        Self::Deleting,
        Self::Deleted,
    ];

    /// The phase as it is written in JSON and in the records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Provisioning => "provisioning",
            Self::Running => "running",
            Self::Hibernating => "hibernating",
            Self::Hibernated => "hibernated",
            Self::Waking => "waking",
            Self::Suspending => "suspending",
            Self::Suspended => "suspended",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// The phase written as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl Desired {
    /// The wish as it is written in JSON and in the records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Hibernated => "hibernated",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// The wish written as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Hibernated, Self::Suspended, Self::Deleted]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// The phase after `event`.
///
/// Repeating the event that led to a phase leaves the phase as it is, so a message that is
/// delivered twice does no harm. An observation that says nothing new for the phase (a worker that
/// still works) leaves it too.
///
/// # Errors
/// [`IllegalTransition`] for every pair that is not in the drawing above.
pub fn transition(phase: Phase, event: PhaseEvent) -> Result<Phase, IllegalTransition> {
    use Phase as P;
    use PhaseEvent::{Observed, Wanted};

    let next = match (phase, event) {
        (P::Deleted, Wanted(Desired::Deleted)) => P::Deleted,
        (_, Wanted(Desired::Deleted)) => P::Deleting,
        (P::Deleting | P::Deleted, Wanted(_)) => return Err(IllegalTransition { phase, event }),

        (P::Suspended, Wanted(Desired::Suspended)) => P::Suspended,
        (_, Wanted(Desired::Suspended)) => P::Suspending,

        (P::Pending | P::Provisioning | P::Running | P::Waking, Wanted(Desired::Running)) => phase,
        (P::Failed, Wanted(Desired::Running)) => P::Provisioning,
        (_, Wanted(Desired::Running)) => P::Waking,

        (P::Hibernated, Wanted(Desired::Hibernated)) => P::Hibernated,
        (P::Running | P::Waking | P::Hibernating, Wanted(Desired::Hibernated)) => P::Hibernating,

        (P::Pending, Observed(ObservedState::Converging)) => P::Provisioning,
        (P::Deleted, Observed(ObservedState::Converging)) => {
            return Err(IllegalTransition { phase, event });
        }
        (_, Observed(ObservedState::Converging)) => phase,

        (
            P::Pending | P::Provisioning | P::Waking | P::Running | P::Failed | P::Suspended,
            Observed(ObservedState::Ready),
        ) => P::Running,

        (
            P::Pending | P::Provisioning | P::Waking | P::Running | P::Failed | P::Suspended,
            Observed(ObservedState::Halted),
        ) => P::Suspended,

        (P::Hibernating | P::Hibernated, Observed(ObservedState::Stopped)) => P::Hibernated,
        (P::Suspending | P::Suspended, Observed(ObservedState::Stopped)) => P::Suspended,

        // What fails to go or to stop goes on being wanted so; the reason says what is in the way.
        (P::Deleting | P::Suspending | P::Suspended, Observed(ObservedState::Failed)) => phase,
        (P::Deleted, Observed(ObservedState::Failed)) => {
            return Err(IllegalTransition { phase, event });
        }
        (_, Observed(ObservedState::Failed)) => P::Failed,

        (P::Deleting | P::Deleted, Observed(ObservedState::Gone)) => P::Deleted,

        _ => return Err(IllegalTransition { phase, event }),
    };
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<PhaseEvent> {
        let wanted = [Desired::Running, Desired::Hibernated, Desired::Suspended, Desired::Deleted];
        let observed = [
            ObservedState::Converging,
            ObservedState::Ready,
            ObservedState::Stopped,
            ObservedState::Halted,
            ObservedState::Gone,
            ObservedState::Failed,
        ];
        wanted
            .map(PhaseEvent::Wanted)
            .into_iter()
            .chain(observed.map(PhaseEvent::Observed))
            .collect()
    }

    /// The whole table, so that a new phase or event shows up in review as a changed drawing.
    #[test]
    fn transition_table() {
        let mut got = Vec::new();
        for phase in Phase::ALL {
            for event in events() {
                if let Ok(next) = transition(phase, event)
                    && next != phase
                {
                    got.push(format!("{phase:?} + {event:?} = {next:?}\n"));
                }
            }
        }
        assert_eq!(got.concat(), include_str!("lifecycle_table.txt"));
    }

    #[test]
    fn events_are_idempotent() {
        for phase in Phase::ALL {
            for event in events() {
                if let Ok(next) = transition(phase, event) {
                    assert_eq!(transition(next, event), Ok(next), "{phase:?} + {event:?} twice");
                }
            }
        }
    }

    #[test]
    fn nothing_comes_back_from_deleted() {
        for event in events() {
            assert!(matches!(transition(Phase::Deleted, event), Ok(Phase::Deleted) | Err(_)));
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.as_str()), Some(phase));
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
        }
        assert_eq!(Phase::parse("asleep"), None);
        assert_eq!(Desired::parse("deleted"), Some(Desired::Deleted));
    }
}
