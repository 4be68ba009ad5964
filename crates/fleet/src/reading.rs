//! What spaces used, as their workers tell it.

use domain::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

/// What one space used in a while.
///
/// Amounts are of this while alone, so they add up. They were measured by a clock that never jumps;
/// `from` and `to` are what the host's clock showed, and may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Names it for ever: `<source>-<number>`, 3 to 64 of `a-z`, `0-9` and `-`.
    pub id: String,
    /// Which space.
    pub space: SpaceId,
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// How long it lasted.
    pub seconds: u64,
    /// How much of that its containers ran.
    pub running_seconds: u64,
    /// How much of that it was hibernated.
    pub hibernated_seconds: u64,
    /// CPU time, in milliseconds of one core.
    pub cpu_ms: u64,
    /// Memory times time.
    pub memory_mib_seconds: u64,
    /// What came in over the network.
    pub network_rx_bytes: u64,
    /// What went out over it.
    pub network_tx_bytes: u64,
    /// What was read from disks.
    pub disk_read_bytes: u64,
    /// What was written to them.
    pub disk_write_bytes: u64,
    /// What it takes of the disk at the end, its part of shared databases included, in KiB.
    pub storage_kib: u64,
    /// Posts that were published.
    pub posts: u64,
}

/// Readings, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readings {
    /// At most 200.
    pub items: Vec<Reading>,
}

/// What became of readings. All of them may be forgotten by whoever sent them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingsAnswer {
    /// Those that can't be, or are of no space of this host: their ids. The others count, once each.
    pub refused: Vec<String>,
}
