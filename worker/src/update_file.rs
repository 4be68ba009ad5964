//! What is kept of an update: the file `update`, and the copies of the volumes beside it.

use domain::Generation;
use reconcile::{UpdateRecord, UpdateState};
use serde::{Deserialize, Serialize};

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateFile {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) generation: Generation,
    pub(crate) state: State,
    /// The copies; none any more once the update was undone.
    pub(crate) copies: Vec<Copy>,
}

/// How far the update is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", deny_unknown_fields)]
pub(crate) enum State {
    Trying,
    Undoing { reason: String },
    Undone { reason: String },
}

/// The copy of a volume: a tar archive, `copies/<volume>.tar`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copy {
    pub(crate) volume: String,
    pub(crate) bytes: u64,
    /// In hexadecimal.
    pub(crate) sha256: String,
}

impl UpdateFile {
    /// Whether the volumes may have to be made what they were.
    pub(crate) const fn needs_copies(&self) -> bool {
        matches!(self.state, State::Trying | State::Undoing { .. })
    }

    /// What the planner has to know of it.
    pub(crate) fn record(&self) -> UpdateRecord {
        let state = match &self.state {
            State::Trying => UpdateState::Trying {
                saved: self.copies.iter().map(|it| it.volume.clone()).collect(),
            },
            State::Undoing { reason } => UpdateState::Undoing { reason: reason.clone() },
            State::Undone { reason } => UpdateState::Undone { reason: reason.clone() },
        };
        let Self { from, to, generation, .. } = self.clone();
        UpdateRecord { from, to, generation, state }
    }
}
