//! What a host has, so that the edge can compare it with what it should have.

use domain::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a host's Docker Engine has of this installation, stacks that spaces share left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// When the worker looked.
    pub taken_at: Timestamp,
    /// Every space of which there is anything; at most 2000.
    pub items: Vec<InventoryItem>,
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
