//! How much of the disk each space takes, counted when somebody asks.

use std::collections::BTreeMap;

use bollard::Docker;
use domain::SpaceId;

use super::{WatchError, bytes_of, homes::Homes};
use crate::docker::Labels;

/// Counts what spaces take of the disk.
pub(crate) struct DiskUse {
    homes: Homes,
    labels: Labels,
}

impl DiskUse {
    /// Of the spaces with these labels.
    pub(crate) fn new(docker: Docker, labels: Labels) -> Self {
        Self { homes: Homes::new(docker), labels }
    }

    /// The bytes that each space takes, as far as they can be counted. Of a space that is not in it
    /// nothing is known.
    pub(crate) async fn bytes(&mut self) -> BTreeMap<SpaceId, u64> {
        let homes = match self.homes.all(self.labels.of_all()).await {
            Ok(homes) => homes,
            Err(error) => {
                warn(&WatchError::Docker(error));
                return BTreeMap::new();
            }
        };
        let mut all = BTreeMap::new();
        for (space, home) in homes {
            match bytes_of(home, u32::MAX).await {
                Ok(bytes) => _ = all.insert(space, bytes),
                Err(error) => warn(&error),
            }
        }
        all
    }
}

fn warn(error: &WatchError) {
    let error: &dyn std::error::Error = error;
    tracing::warn!(error, "what spaces take of the disk can't be counted");
}
