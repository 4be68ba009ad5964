//! What a host has, so that the edge can compare it with what it should have.

use domain::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a host's Docker Engine has of this installation, stacks that spaces share left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// When the worker looked: the same in all parts of one look.
    pub taken_at: Timestamp,
    /// Spaces of which there is anything; at most 300 in one part.
    pub items: Vec<InventoryItem>,
    /// Whether this is the last part: what is in none of them is not there.
    pub is_last: bool,
}

/// What there is of one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryItem {
    /// Which space.
    pub space: SpaceId,
    /// How many containers, whether or not they run.
    pub n_containers: u32,
    /// How many of them run.
    pub n_running: u32,
    /// How many volumes.
    pub n_volumes: u32,
    /// How many networks.
    pub n_networks: u32,
    /// How many volumes its release has; nothing if the worker does not know the space or its release.
    pub n_volumes_wanted: Option<u32>,
}
