//! Whether hosts have what the records say, and nothing else.

use std::time::Duration;

use domain::{SpaceId, Timestamp};

use super::{LISTED_MAX, text};
use crate::{
    HOST_ALIVE, Records,
    database::{Database, DatabaseError, Row, params},
};

/// How long a space may be on its way from one phase to another. A first start can take ten minutes.
const ON_ITS_WAY_MAX: Duration = Duration::from_mins(15);

/// What is wrong between the records and the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFindings {
    /// What is on a host and of no space that should be there.
    pub strays: Vec<Stray>,
    /// Spaces that should run and of which their host has no running container.
    pub missing_stacks: Vec<SpaceId>,
    /// Spaces with data of which their host has fewer volumes than there should be.
    pub missing_volumes: Vec<MissingVolumes>,
    /// Spaces that have been on their way to another phase for too long.
    pub stuck_spaces: Vec<SpaceId>,
    /// Hosts with spaces that were not heard of lately.
    pub silent_hosts: Vec<String>,
}

/// What is on a host and of no space that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Where.
    pub host: String,
    /// Of which space it says it is.
    pub space: String,
    /// How many containers there are.
    pub n_containers: u64,
    /// How many volumes.
    pub n_volumes: u64,
    /// How many networks.
    pub n_networks: u64,
}

/// A space of which volumes are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingVolumes {
    /// Which.
    pub space: SpaceId,
    /// How many there are.
    pub found: u64,
    /// How many there should be.
    pub wanted: u64,
}

/// Of a space that was changed after its host was looked at, the look says nothing.
const STRAYS: &str = "SELECT i.host, i.space, containers, volumes, networks FROM inventories i \
    LEFT JOIN spaces s ON s.id = i.space AND s.host = i.host \
    WHERE (s.id IS NULL OR (s.phase = 'deleted' AND s.deleted_at < i.taken_at)) \
    AND containers + volumes + networks > 0 ORDER BY 1, 2 LIMIT ?";

const MISSING_STACKS: &str = "SELECT s.id FROM spaces s JOIN hosts h ON h.name = s.host \
    LEFT JOIN inventories i ON i.space = s.id AND i.host = s.host \
    WHERE s.phase = 'running' AND h.inventory_at > s.updated_at AND coalesce(running, 0) = 0 \
    ORDER BY 1 LIMIT ?";

const MISSING_VOLUMES: &str = "SELECT s.id, coalesce(volumes, 0), volumes_wanted FROM spaces s \
    JOIN inventories i ON i.space = s.id AND i.host = s.host \
    WHERE s.ready_at < i.taken_at AND s.desired <> 'deleted' AND volumes < volumes_wanted \
    ORDER BY 1 LIMIT ?";

const STUCK: &str = "SELECT id FROM spaces WHERE updated_at < ?2 AND phase IN \
    ('pending', 'provisioning', 'waking', 'hibernating', 'suspending', 'deleting') ORDER BY 1 LIMIT ?1";

const SILENT: &str = "SELECT name FROM hosts WHERE coalesce(seen_at < ?2, TRUE) AND EXISTS \
    (SELECT 1 FROM spaces WHERE host = hosts.name AND phase <> 'deleted') ORDER BY 1 LIMIT ?1";

impl<D: Database> Records<D> {
    pub(super) async fn audit_hosts(&self, now: Timestamp) -> Result<HostFindings, DatabaseError> {
        let id = |row: &Row| row.text(0).parse::<SpaceId>().ok();
        let before = |time: Duration| {
            let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
            now.unix_ms().saturating_sub(ms)
        };
        let volumes = |row: &Row| {
            let (found, wanted) = (row.unsigned(1), row.unsigned(2));
            Some(MissingVolumes { space: id(row)?, found, wanted })
        };
        let stuck = params![LISTED_MAX, before(ON_ITS_WAY_MAX)];
        Ok(HostFindings {
            strays: self.found(STRAYS, params![LISTED_MAX], stray).await?,
            missing_stacks: self.found(MISSING_STACKS, params![LISTED_MAX], id).await?,
            missing_volumes: self.found(MISSING_VOLUMES, params![LISTED_MAX], volumes).await?,
            stuck_spaces: self.found(STUCK, stuck, id).await?,
            silent_hosts: self.found(SILENT, params![LISTED_MAX, before(HOST_ALIVE)], text).await?,
        })
    }
}

fn stray(row: &Row) -> Option<Stray> {
    Some(Stray {
        host: row.text(0).to_owned(),
        space: row.text(1).to_owned(),
        n_containers: row.unsigned(2),
        n_volumes: row.unsigned(3),
        n_networks: row.unsigned(4),
    })
}
