//! What this host has of the installation, told to the edge, which compares it with its records.

use std::collections::{BTreeMap, HashMap};

use bollard::{
    Docker,
    errors::Error,
    models::ContainerSummaryStateEnum as State,
    query_parameters::{
        ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    },
};
use domain::{SpaceId, Timestamp};
use fleet::{Inventory, InventoryItem};

use crate::docker::{Labels, space_of};

/// How many spaces are told of at once, so that the message stays below what the edge reads.
const ITEMS_MAX: usize = 300;

/// The spaces that the worker knows.
pub(crate) trait Known {
    /// How many volumes each of them has by its release; nothing where that is not known.
    fn volumes_wanted(&self) -> BTreeMap<SpaceId, Option<u32>>;

    /// Whether it is a stack that spaces share, and no space.
    fn is_shared(&self, space: &SpaceId) -> bool;
}

/// What there is of the installation with these `labels`, in parts, the last one last.
///
/// # Errors
/// What Docker says.
pub(crate) async fn take(
    docker: &Docker,
    labels: &Labels,
    known: &impl Known,
    now: Timestamp,
) -> Result<Vec<Inventory>, Error> {
    let filters = HashMap::from([("label".to_owned(), labels.of_all())]);
    let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
    let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
    // What is known is asked for first: what was not there then is not missed.
    let wanted = known.volumes_wanted();
    let (containers, volumes, networks) = tokio::try_join!(
        docker.list_containers(Some(containers)),
        docker.list_volumes(Some(volumes)),
        docker.list_networks(Some(networks)),
    )?;
    let mut items: BTreeMap<SpaceId, InventoryItem> = BTreeMap::new();
    for (space, n_volumes_wanted) in &wanted {
        items.insert(space.clone(), item(space, *n_volumes_wanted));
    }
    let mut count = |space: Option<SpaceId>, count: fn(&mut InventoryItem)| {
        if let Some(space) = space {
            count(items.entry(space.clone()).or_insert_with(|| item(&space, None)));
        }
    };
    for container in containers {
        let space = container.labels.as_ref().and_then(space_of);
        let is_running =
            matches!(container.state, Some(State::RUNNING | State::PAUSED | State::RESTARTING));
        count(space.clone(), |it| it.n_containers = it.n_containers.saturating_add(1));
        if is_running {
            count(space, |it| it.n_running = it.n_running.saturating_add(1));
        }
    }
    for volume in volumes.volumes.unwrap_or_default() {
        count(space_of(&volume.labels), |it| it.n_volumes = it.n_volumes.saturating_add(1));
    }
    for network in networks {
        let space = network.labels.as_ref().and_then(space_of);
        count(space, |it| it.n_networks = it.n_networks.saturating_add(1));
    }
    let items: Vec<_> = items.into_values().filter(|it| !known.is_shared(&it.space)).collect();
    Ok(parts(&items, now))
}

fn item(space: &SpaceId, n_volumes_wanted: Option<u32>) -> InventoryItem {
    InventoryItem {
        space: space.clone(),
        n_containers: 0,
        n_running: 0,
        n_volumes: 0,
        n_networks: 0,
        n_volumes_wanted,
    }
}

fn parts(items: &[InventoryItem], taken_at: Timestamp) -> Vec<Inventory> {
    let n_parts = items.len().div_ceil(ITEMS_MAX).max(1);
    let mut chunks = items.chunks(ITEMS_MAX).map(<[_]>::to_vec);
    let part = |number: usize| Inventory {
        taken_at,
        items: chunks.next().unwrap_or_default(),
        is_last: number + 1 == n_parts,
    };
    (0..n_parts).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_comes_in_parts_with_one_end() {
        let now = Timestamp::from_unix_ms(5);
        for (n, want) in [(0, vec![0]), (1, vec![1]), (300, vec![300]), (301, vec![300, 1])] {
            let items = vec![item(&SpaceId::new(now, [1; 10]), None); n];
            let parts = parts(&items, now);
            let lengths: Vec<_> = parts.iter().map(|it| it.items.len()).collect();
            assert_eq!(lengths, want, "{n}");
            let ends: Vec<_> = parts.iter().map(|it| it.is_last).collect();
            assert!(ends.iter().rev().skip(1).all(|it| !it) && ends.ends_with(&[true]), "{ends:?}");
        }
    }
}
