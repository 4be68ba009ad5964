//! Watches how much disk spaces use, since Docker does not limit it.
//!
//! What is used of Docker's disk in all costs nothing to see, so that is looked at often. Whose it is
//! has to be counted, so that is done when enough was written to matter. A space that has used up what
//! it may use is stopped by the keeper, and killed here if there is no time for that.

mod all;
mod homes;
mod level;
mod pace;
mod walk;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bollard::{Docker, query_parameters::KillContainerOptions};
use domain::SpaceId;

pub(crate) use self::{
    all::DiskUse,
    level::{Level, Usage},
};
use self::{
    homes::{Home, Homes},
    pace::LastCount,
};
use crate::docker::Labels;

/// How often the disk is looked at, and a space that is full while it still runs.
const PERIOD: Duration = Duration::from_millis(500);

/// How often a space that is full and stopped is looked at: whether somebody has made room.
const FULL_PERIOD: Duration = Duration::from_secs(10);

/// What an inode counts, in bytes: who makes empty files takes from the host, too.
const INODE_BYTES: u64 = 4096;

/// The spaces whose disk is watched.
pub(crate) trait Spaces {
    /// How much disk each space may use, in mebibytes.
    fn disk_limits(&self) -> BTreeMap<SpaceId, u32>;

    /// Takes note of how a space stands.
    fn note_disk(&self, space: &SpaceId, level: Level);
}

/// It is not known how much disk spaces use.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error("Docker does not say where they are")]
    Docker(#[from] bollard::errors::Error),
    #[error("{} can't be counted", folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// A space as it was seen last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    level: Level,
    /// When to look again, if it is full.
    next: Instant,
}

/// Watches the disk that the spaces of one installation are on.
pub(crate) struct DiskWatch {
    docker: Docker,
    labels: Labels,
    /// Where Docker keeps everything.
    root: PathBuf,
    homes: Homes,
    seen: BTreeMap<SpaceId, Seen>,
    last: Option<LastCount>,
    /// Whether it was said that nothing is known.
    is_blind: bool,
}

impl DiskWatch {
    /// A watch over what `docker` keeps in the folder `root`.
    pub(crate) fn new(docker: Docker, labels: Labels, root: PathBuf) -> Self {
        let (homes, seen) = (Homes::new(docker.clone()), BTreeMap::new());
        Self { docker, labels, root, homes, seen, last: None, is_blind: false }
    }

    /// Watches. Never ends.
    pub(crate) async fn run(mut self, spaces: &impl Spaces) {
        loop {
            tokio::time::sleep(PERIOD).await;
            self.look(spaces).await;
        }
    }

    /// Looks once, and counts what is due.
    pub(crate) async fn look(&mut self, spaces: &impl Spaces) {
        let looked = self.try_look(spaces).await;
        match &looked {
            Err(error) if !self.is_blind => {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "not known how much disk spaces use, so nobody is stopped");
            }
            Ok(()) | Err(_) => {}
        }
        self.is_blind = looked.is_err();
    }

    async fn try_look(&mut self, spaces: &impl Spaces) -> Result<(), WatchError> {
        let limits = spaces.disk_limits();
        self.seen.retain(|space, _| limits.contains_key(space));
        let used = used_at(&self.root)
            .map_err(|cause| WatchError::Folder { folder: self.root.clone(), cause })?;
        if self.last.is_none_or(|it| it.is_over(Instant::now(), used)) {
            return self.count_all(spaces, &limits, used).await;
        }
        let now = Instant::now();
        let is_due = |it: &Seen| it.level.is_full() && it.next <= now;
        let due: Vec<_> =
            self.seen.iter().filter(|it| is_due(it.1)).map(|it| it.0.clone()).collect();
        for space in due {
            let homes = self.homes.labelled(self.labels.of_space(&space)).await?;
            let home = homes.get(&space).cloned().unwrap_or_default();
            self.count(spaces, &space, &home, limits[&space]).await?;
        }
        Ok(())
    }

    async fn count_all(
        &mut self,
        spaces: &impl Spaces,
        limits: &BTreeMap<SpaceId, u32>,
        used: u64,
    ) -> Result<(), WatchError> {
        let begin = Instant::now();
        let homes = self.homes.all(self.labels.of_all()).await?;
        let (mut room, mut counted) = (u64::MAX, Ok(()));
        for (space, home) in &homes {
            // Others are not spaces, or not wanted: nobody could be told.
            let Some(limit_mib) = limits.get(space) else { continue };
            match self.count(spaces, space, home, *limit_mib).await {
                Ok(usage) if !home.running.is_empty() => room = room.min(usage.room()),
                Ok(_) => {}
                // The others are counted all the same.
                Err(error) => counted = Err(error),
            }
        }
        let ended = Instant::now();
        let took = ended.saturating_duration_since(begin);
        self.last = Some(LastCount { ended, took, used, room });
        counted
    }

    /// Counts what one space uses, has that noted, and does what can't wait.
    async fn count(
        &mut self,
        spaces: &impl Spaces,
        space: &SpaceId,
        home: &Home,
        limit_mib: u32,
    ) -> Result<Usage, WatchError> {
        let usage = Usage { bytes: bytes_of(home.clone(), limit_mib).await?, limit_mib };
        let before = self.seen.get(space).map(|it| it.level).unwrap_or_default();
        let level = before.next(usage);
        let is_running = !home.running.is_empty();
        let pause = if is_running { PERIOD } else { FULL_PERIOD };
        let next = Instant::now().checked_add(pause).unwrap_or_else(Instant::now);
        self.seen.insert(space.clone(), Seen { level, next });
        if level.is_full() != before.is_full() {
            let (bytes, is_full) = (usage.bytes, level.is_full());
            tracing::warn!(space.id = %space, bytes, limit_mib, is_full, "disk");
        }
        spaces.note_disk(space, level);
        if level.is_full() && usage.is_far_over() && is_running {
            self.kill(space, home).await?;
        }
        Ok(usage)
    }

    async fn kill(&self, space: &SpaceId, home: &Home) -> Result<(), WatchError> {
        tracing::warn!(space.id = %space, "killed: it writes faster than it stops");
        for container in &home.running {
            match self.docker.kill_container(container, None::<KillContainerOptions>).await {
                // It has stopped by itself, or is gone.
                Err(bollard::errors::Error::DockerResponseServerError {
                    status_code: 404 | 409,
                    ..
                }) => {}
                result => result?,
            }
        }
        Ok(())
    }
}

/// How much of the disk with `folder` is used, in bytes, or what its inodes count.
fn used_at(folder: &Path) -> io::Result<u64> {
    let all = rustix::fs::statvfs(folder)?;
    let blocks = all.f_blocks.saturating_sub(all.f_bfree).saturating_mul(all.f_frsize);
    let inodes = all.f_files.saturating_sub(all.f_ffree).saturating_mul(INODE_BYTES);
    Ok(blocks.saturating_add(inodes))
}

/// How many bytes a space uses, or more than matters.
async fn bytes_of(home: Home, limit_mib: u32) -> Result<u64, WatchError> {
    let max = Usage::countable_max(limit_mib);
    let counted = tokio::task::spawn_blocking(move || {
        home.folders.iter().try_fold(home.elsewhere, |sum: u64, folder| {
            match walk::bytes_in(folder, max) {
                Ok(bytes) => Ok(sum.saturating_add(bytes)),
                // It was removed since Docker named it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(sum),
                Err(cause) => Err(WatchError::Folder { folder: folder.clone(), cause }),
            }
        })
    });
    let cause = |it| WatchError::Folder { folder: PathBuf::new(), cause: io::Error::other(it) };
    counted.await.map_err(cause)?
}
