//! Which version of a wish is meant.

use serde::{Deserialize, Serialize};

/// Counts the changes of what is desired of a space, from 1. A greater one is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    /// What a new space begins with.
    pub const FIRST: Self = Self(1);
}

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
