//! What a person sees of the work on a space while it goes on.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// One step of the work that brings a space to what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRecord {
    /// What is done, in kebab-case: `create-network`, `start-db`.
    pub name: String,
    /// How far it is.
    pub state: StepState,
    /// When it was first tried.
    pub started_at: Timestamp,
    /// When it was done or given up.
    pub ended_at: Option<Timestamp>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Being worked on.
    Running,
    /// Done.
    Done,
    /// Tried, and not done.
    Failed,
}
