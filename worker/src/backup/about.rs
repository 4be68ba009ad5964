//! Whose a backup is.

use domain::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

/// The version of the format that is written.
pub(crate) const FORMAT: u32 = 1;

/// Whose a backup is, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// The version of the format.
    pub(crate) format: u32,
    /// What it was made for.
    pub(crate) kind: BackupKind,
    /// The space.
    pub(crate) space: SpaceId,
    /// What the space was called, if that is known.
    pub(crate) name: Option<String>,
    /// The app's id.
    pub(crate) app: String,
    /// The release of the app that had the data last, if that is known.
    pub(crate) release: Option<String>,
    /// When it was begun.
    pub(crate) created_at: Timestamp,
}

/// What a backup was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BackupKind {
    /// The space was deleted.
    Final,
}

/// What every version of the format has.
#[derive(Deserialize)]
pub(super) struct AnyFormat {
    pub(super) format: u32,
}
