//! The final backup of a space: the step.

use std::{
    collections::BTreeSet,
    error::Error,
    io,
    path::{Path, PathBuf},
};

use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use domain::Timestamp;
use futures::StreamExt as _;
use reconcile::{DesiredStack, Failure, ObservedStack};
use tokio::task::spawn_blocking;

use super::{
    Engine,
    dump::Dump,
    error::{failed, files},
    volumes::{COPY_TIME_MAX, MOUNTED_AT, is_intact},
};
use crate::{
    backup::{
        About, Alive, ArchiveWriter, BackupKind, FORMAT, FinalBackup, Shelf, VerifiedBackup, pipe,
        verify,
    },
    files::Seen,
    update_file::State,
};

const LOOKING: &str = "look at the files of the space";
const RECORDING: &str = "note that it is backed up";

/// Where the data of a volume is.
enum Source {
    /// In the volume.
    Volume,
    /// In the copy that an update has made: the volume is gone, or half of the copy is in it.
    Copy(PathBuf),
    /// Nowhere.
    Nowhere,
}

impl Engine {
    /// Makes the final backup of the space, and verifies it, unless there is one.
    pub(super) async fn back_up(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let observed = self.observe_stack(desired).await?;
        if observed.final_backup == Some(desired.generation) {
            return Ok(());
        }
        let (backups, space) = (self.backups.shelf.clone(), desired.space.clone());
        let now = (self.backups.now)();
        let path = blocking(move || backups.make_room(&space, now)).await?;
        let part = Shelf::part_of(&path);
        let verified = match self.write_and_verify(desired, &observed, now, &part).await {
            Ok(verified) => verified,
            Err(failure) => {
                // It may be what the disk is full of. What is left of it all the same goes with the
                // next attempt.
                let _ = tokio::fs::remove_file(part).await;
                return Err(failure);
            }
        };

        // In this order: the record counts once there is the file that it names.
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let record = FinalBackup { file, generation: desired.generation };
        let recorded = self.files.write_final_backup(&desired.space, &record).await;
        recorded.map_err(|it| files(RECORDING, it))?;
        failpoints::hit("worker:backup:recorded");
        blocking(move || Shelf::keep(&path)).await?;
        tracing::info!(
            space.id = %desired.space,
            file = record.file,
            entries = verified.n_entries,
            bytes = verified.bytes,
            missing = ?verified.missing,
            "the final backup is made and verified"
        );
        Ok(())
    }

    /// Writes the backup to the file `part`, and reads it back.
    async fn write_and_verify(
        &self,
        desired: &DesiredStack,
        observed: &ObservedStack,
        now: Timestamp,
        part: &Path,
    ) -> Result<VerifiedBackup, Failure> {
        // If we are dropped, the threads that work for us see it by this.
        let alive = Alive::default();
        let seen = self.files.look(&desired.space).map_err(|it| files(LOOKING, it))?;
        let about = about(desired, &seen, now);
        let (key, token, to) = (self.backups.key.clone(), alive.token(), part.to_owned());
        let archive = blocking(move || ArchiveWriter::create(&to, &key, about, token)).await?;
        let archive = self.add_volumes(desired, observed, &seen, archive).await?;
        let archive = self.add_databases(desired, &seen, archive).await?;
        blocking(move || archive.finish()).await?;
        failpoints::hit("worker:backup:written");
        let (key, token, from) = (self.backups.key.clone(), alive.token(), part.to_owned());
        let verified = spawn_blocking(move || verify(&from, &key, token)).await;
        let verified = verified.map_err(|it| not_verified(&it))?.map_err(|it| not_verified(&it))?;
        failpoints::hit("worker:backup:verified");
        Ok(verified)
    }

    /// Adds what the space's volumes hold, and says which should be there and are gone.
    async fn add_volumes(
        &self,
        desired: &DesiredStack,
        observed: &ObservedStack,
        seen: &Seen,
        mut archive: ArchiveWriter,
    ) -> Result<ArchiveWriter, Failure> {
        for (volume, source) in self.sources(desired, observed, seen).await? {
            archive = match source {
                Source::Volume => self.add_volume(desired, &volume, archive).await?,
                Source::Copy(file) => {
                    let adding = move || {
                        archive.add_volume(&volume, std::fs::File::open(file)?)?;
                        Ok(archive)
                    };
                    blocking(adding).await?
                }
                Source::Nowhere => {
                    archive.miss_volume(&volume);
                    archive
                }
            };
        }
        Ok(archive)
    }

    /// Where the data of each volume is that is there or should be. While an update is undone that is
    /// its copy.
    async fn sources(
        &self,
        desired: &DesiredStack,
        observed: &ObservedStack,
        seen: &Seen,
    ) -> Result<Vec<(String, Source)>, Failure> {
        let update = seen.update.as_ref().filter(|it| it.needs_copies());
        let expected: BTreeSet<_> = match update {
            Some(update) => update.copies.iter().map(|it| it.volume.clone()).collect(),
            None => desired.volumes.iter().cloned().collect(),
        };
        let is_undone = update.is_some_and(|it| matches!(it.state, State::Undoing { .. }));
        let folder = self.files.copies_of(&desired.space);
        let mut sources = Vec::new();
        for volume in expected.union(&observed.volumes) {
            let is_there = observed.volumes.contains(volume);
            let copy = update.and_then(|it| it.copies.iter().find(|it| it.volume == *volume));
            let copy = match copy.filter(|_| is_undone || !is_there) {
                Some(copy) => {
                    let (file, copy) = (folder.join(format!("{volume}.tar")), copy.clone());
                    let intact =
                        move || Ok(is_intact(&file, &copy).ok().filter(|it| *it).map(|_| file));
                    blocking(intact).await?
                }
                None => None,
            };
            let source = match copy {
                Some(file) => Source::Copy(file),
                None if is_there => Source::Volume,
                None => Source::Nowhere,
            };
            sources.push((volume.clone(), source));
        }
        Ok(sources)
    }

    /// Adds what is in a volume, as it comes from Docker.
    async fn add_volume(
        &self,
        desired: &DesiredStack,
        volume: &str,
        mut archive: ArchiveWriter,
    ) -> Result<ArchiveWriter, Failure> {
        let holder = self.hold(desired, volume, true).await?;
        let options =
            DownloadFromContainerOptionsBuilder::new().path(&format!("{MOUNTED_AT}/.")).build();
        let patient = self.docker.clone().with_timeout(COPY_TIME_MAX);
        let mut chunks = patient.download_from_container(&holder, Some(options));
        let (sender, pipe) = pipe();
        let name = volume.to_owned();
        let adding = spawn_blocking(move || archive.add_volume(&name, pipe).map(|()| archive));
        let mut trouble = None;
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => {
                    if sender.send(chunk).await.is_err() {
                        // Who reads no more says why below.
                        break;
                    }
                }
                Err(error) => {
                    trouble = Some(failed(format!("copy the volume {volume}"), error));
                    break;
                }
            }
        }
        // Docker does not let go of a container that it still reads from.
        drop((sender, chunks));
        let added = adding.await.map_err(io::Error::other).flatten();
        match trouble {
            Some(trouble) => return Err(trouble),
            None => self.let_go(&holder).await?,
        }
        added.map_err(|it| not_written(&it))
    }

    /// Adds what the space has in databases of its host.
    async fn add_databases(
        &self,
        desired: &DesiredStack,
        seen: &Seen,
        mut archive: ArchiveWriter,
    ) -> Result<ArchiveWriter, Failure> {
        let Some(prepared) = &seen.prepared else { return Ok(archive) };
        let releases = [&desired.release, prepared];
        let mut known = releases.iter().filter(|it| !it.is_empty());
        let template = known.find_map(|it| self.releases.get(&desired.app, it));
        let unknown = || Failure::AppUnknown { app: desired.app.clone() };
        let template = template.ok_or_else(unknown)?;
        let Some(shared) = &template.shared else { return Ok(archive) };
        let is_there = self.is_there(shared).await?;
        let desired = DesiredStack { release: template.release.clone(), ..desired.clone() };
        for (key, database) in Self::shared_databases(template) {
            let dump =
                if is_there { self.dump(&desired, key, database).await? } else { Dump::NoDatabase };
            archive = match dump {
                Dump::Whole(file, bytes) => {
                    let key = key.to_owned();
                    let adding = move || archive.add_database(&key, bytes, file).map(|()| archive);
                    blocking(adding).await?
                }
                Dump::NoDatabase => {
                    archive.miss_database(key);
                    archive
                }
            };
        }
        Ok(archive)
    }
}

fn about(desired: &DesiredStack, seen: &Seen, now: Timestamp) -> About {
    let release = match &seen.update {
        Some(update) if update.state == State::Trying => Some(&update.to),
        Some(update) if update.needs_copies() => Some(&update.from),
        Some(_) | None => seen.release.as_ref(),
    };
    let release = release.or(Some(&desired.release)).filter(|it| !it.is_empty());
    About {
        format: FORMAT,
        kind: BackupKind::Final,
        space: desired.space.clone(),
        name: desired.values.get("SPACE_NAME").cloned(),
        app: desired.app.clone(),
        release: release.cloned(),
        created_at: now,
    }
}

/// Disks may take long; nobody else should wait for them.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let done = spawn_blocking(work).await.map_err(io::Error::other).flatten();
    done.map_err(|it| not_written(&it))
}

/// The backup could not be written, so that nothing may be removed.
pub(super) fn not_written(error: &io::Error) -> Failure {
    let said = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "no space left".to_owned(),
        _ => error.to_string(),
    };
    Failure::NotBackedUp { doing: "written", said }
}

/// What was read back is not what was written.
fn not_verified(error: &dyn Error) -> Failure {
    let cause = error.source().map(|it| format!(": {it}")).unwrap_or_default();
    Failure::NotBackedUp { doing: "verified", said: format!("{error}{cause}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::BackupError;

    #[test]
    fn a_full_disk_is_told_as_one() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let want = "the final backup could not be written: no space left";
        assert_eq!(not_written(&full).to_string(), want);
        let cut_short = not_verified(&BackupError::CutShort).to_string();
        assert_eq!(cut_short, "the final backup could not be verified: it is cut short");
    }
}
