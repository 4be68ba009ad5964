//! From one release of an app to another, and back if it is no use.
//!
//! The images of the new release are got while the old one runs. Then everything is stopped, the
//! volumes are copied, and the new release is tried on them. If it becomes ready, the copy is
//! dropped. If not, the volumes are made what they were, and the old release is started.
//!
//! What survives a crash is an [`UpdateRecord`], written after the copy is complete; before that
//! nothing has happened that matters.

use domain::Generation;

use crate::{
    Blocked, DesiredStack, ObservedStack, Plan, Step,
    plan::{last_first, run, stop, stop_then_remove},
};

/// How far an update is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The old release runs or is being stopped; the wish is for the new one.
    Preparing,
    /// The new one has the volumes.
    Trying {
        /// The volumes of which there is a copy.
        saved: Vec<String>,
    },
    /// The new one is no use; the wish is for the old one.
    Undoing,
}

/// What is on record of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRecord {
    /// The release that the copy is of.
    pub from: String,
    /// The release that is tried.
    pub to: String,
    /// The wish that asked for it.
    pub generation: Generation,
    /// How far it is.
    pub state: UpdateState,
}

/// How far a recorded update is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateState {
    /// The copy is complete.
    Trying {
        /// The volumes that it has.
        saved: Vec<String>,
    },
    /// The new release is no use.
    Undoing {
        /// Why, for people.
        reason: String,
    },
    /// All is as it was.
    Undone {
        /// Why, for people.
        reason: String,
    },
}

/// The release to work on, and the stage of the update that this is part of.
///
/// `release` is the one on record, `wanted` and `generation` are the wish's. An update that has
/// begun is brought to its end, whatever is wanted by then.
#[must_use]
pub fn release_of<'a>(
    release: Option<&'a str>,
    update: Option<&'a UpdateRecord>,
    wanted: &'a str,
    generation: Generation,
) -> (&'a str, Option<Stage>) {
    match update.map(|it| (it, &it.state)) {
        Some((it, UpdateState::Trying { saved })) => {
            (&it.to, Some(Stage::Trying { saved: saved.clone() }))
        }
        Some((it, UpdateState::Undoing { .. })) => (&it.from, Some(Stage::Undoing)),
        // It is not tried again unless it is asked for again.
        Some((it, UpdateState::Undone { .. }))
            if it.to == wanted && it.generation == generation =>
        {
            (&it.from, None)
        }
        Some((_, UpdateState::Undone { .. })) | None => match release {
            Some(release) if wanted.is_empty() || release == wanted => (release, None),
            Some(_) => (wanted, Some(Stage::Preparing)),
            // It was never ready, so there is nothing to lose.
            None => (wanted, None),
        },
    }
}

/// To a stopped stack with a copy of its volumes.
pub(crate) fn prepare(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if !desired.shared.is_empty() {
        return Plan::Blocked(Blocked::NoWayBack);
    }
    let missing = desired.services.iter().find(|it| observed.images_missing.contains(&it.name));
    if let Some(service) = missing {
        return Plan::Act(Step::PullImage(service.name.clone()));
    }
    match stop(desired, observed) {
        Plan::Converged => Plan::Act(Step::SaveData),
        plan => plan,
    }
}

/// To a new release that answers.
pub(crate) fn try_out(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    match run(desired, observed) {
        Plan::Converged => Plan::Act(Step::CommitUpdate),
        plan => plan,
    }
}

/// To the volumes as they were, with no container left that could write to them.
pub(crate) fn undo(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if let Some(container) = last_first(desired, observed).first() {
        return stop_then_remove(container);
    }
    let missing = desired.services.iter().find(|it| observed.images_missing.contains(&it.name));
    Plan::Act(missing.map_or(Step::RestoreData, |it| Step::PullImage(it.name.clone())))
}

impl DesiredStack {
    /// Whether it is a new release that may turn out to be no use.
    #[must_use]
    pub const fn is_on_trial(&self) -> bool {
        matches!(self.stage, Some(Stage::Preparing | Stage::Trying { .. }))
    }
}

impl UpdateRecord {
    /// Why the update that the wish of `generation` asked for was undone.
    #[must_use]
    pub fn undone(&self, generation: Generation) -> Option<&str> {
        match &self.state {
            UpdateState::Undone { reason } if self.generation == generation => Some(reason),
            _ => None,
        }
    }
}
