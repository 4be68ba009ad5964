//! Making readings of what was added up, with what is only looked at then: storage, and posts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bollard::Docker;
use domain::{SpaceId, Timestamp};
use fleet::Reading;

use super::{
    MeteredSpace,
    clock::Moment,
    journal::{Journal, Stand, Standing},
    posts::Asking,
};
use crate::{
    disk::DiskUse,
    docker::{Labels, Meters},
    releases::Releases,
};

/// Makes readings.
pub(super) struct Closer {
    disk: DiskUse,
    asking: Asking,
    journal: Arc<Journal>,
}

impl Closer {
    pub(super) fn new(
        docker: Docker,
        labels: Labels,
        releases: Arc<Releases>,
        journal: Arc<Journal>,
        period: Duration,
    ) -> Self {
        let disk = DiskUse::new(docker.clone(), labels.clone());
        let asking = Asking::new(Meters::new(docker, labels, releases), period);
        Self { disk, asking, journal }
    }

    /// Writes a reading of every space down, and where the meter stands then. If that fails, all of it is
    /// in the readings of the next time.
    pub(super) async fn close(
        &mut self,
        stand: &mut Stand,
        metered: &BTreeMap<SpaceId, MeteredSpace>,
        now: &Moment,
    ) {
        let bytes = self.disk.bytes().await;
        let asked = self.asking.ask(stand, metered, now.wall).await;
        let (mut after, mut readings) = (stand.spaces.clone(), Vec::new());
        for (space, standing) in &mut after {
            let asked = asked.get(space);
            if let Some(bytes) = bytes.get(space) {
                let shared = asked.and_then(|it| it.shared_kib);
                // What was not said is what it was.
                let shared_kib = shared.unwrap_or(standing.shared_kib);
                standing.shared_kib = shared_kib;
                standing.storage_kib = bytes.div_ceil(1024).saturating_add(shared_kib);
            }
            let posts = asked.and_then(|it| it.posts);
            standing.posts_until = posts.map(|it| it.1).or(standing.posts_until);
            readings.extend(reading(space, standing, posts.map_or(0, |it| it.0), now.wall));
        }
        // What is gone was told of for the last time.
        after.retain(|space, _| metered.contains_key(space));
        let journal = Arc::clone(&self.journal);
        let (moment, kept) = (now.clone(), after.clone());
        let write = move || journal.write(&moment, &kept, &readings);
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok(())) => stand.spaces = after,
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "readings can't be written down; they are made up for later"
                );
            }
            Err(_) => tracing::error!("the meter went wrong by our own fault"),
        }
    }
}

/// What is told of a space, if there is anything to be told.
pub(super) fn reading(
    space: &SpaceId,
    standing: &mut Standing,
    posts: u64,
    now: Timestamp,
) -> Option<Reading> {
    let used = standing.tally.take_whole();
    if used == super::tally::Whole::default() && posts == 0 {
        return None;
    }
    let lasted_ms = i64::try_from(used.seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    let to_ms = now.unix_s().saturating_mul(1000);
    Some(Reading {
        // It gets one when it is sent.
        id: String::new(),
        space: space.clone(),
        from: Timestamp::from_unix_ms(to_ms.saturating_sub(lasted_ms)),
        to: Timestamp::from_unix_ms(to_ms),
        seconds: used.seconds,
        running_seconds: used.running_seconds,
        hibernated_seconds: used.hibernated_seconds,
        cpu_ms: used.cpu_ms,
        memory_mib_seconds: used.memory_mib_seconds,
        network_rx_bytes: used.rx_bytes,
        network_tx_bytes: used.tx_bytes,
        disk_read_bytes: used.read_bytes,
        disk_write_bytes: used.write_bytes,
        storage_kib: standing.storage_kib,
        posts,
    })
}
