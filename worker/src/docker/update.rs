//! The steps of an update.

use std::io;

use reconcile::{Blocked, DesiredStack, Failure};
use tokio::task::spawn_blocking;

use super::{
    Engine,
    error::files,
    volumes::{is_intact, not_restored, not_saved},
};
use crate::{
    files::private_folder,
    update_file::{State, UpdateFile},
};

const KEEPING: &str = "keep how far the update is";

impl Engine {
    /// Copies all volumes, and puts on record that the update to `desired.release` is tried.
    pub(super) async fn save_data(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let seen = self.files.look(&desired.space).map_err(|it| files(KEEPING, it))?;
        let folder = self.files.copies_of(&desired.space);
        // Of an attempt that was cut short.
        self.files.remove_copies(&desired.space).await.map_err(|it| files(KEEPING, it))?;
        private_folder(&folder).map_err(|it| not_saved(&it))?;
        let mut copies = Vec::new();
        for volume in self.observe_stack(desired).await?.volumes {
            let file = folder.join(format!("{volume}.tar"));
            copies.push(self.copy_volume(desired, &volume, &file).await?);
        }
        std::fs::File::open(&folder).and_then(|it| it.sync_all()).map_err(|it| not_saved(&it))?;
        // The new release may have more secrets than the old one.
        if desired.has_secrets {
            self.write_secrets(desired).await?;
        }
        let update = UpdateFile {
            from: seen.release.unwrap_or_default(),
            to: desired.release.clone(),
            generation: desired.generation,
            state: State::Trying,
            copies,
        };
        self.write_update(desired, &update).await
    }

    /// Puts on record that the data is of `desired.release` now, and drops the copies.
    pub(super) async fn commit_update(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let done = self.files.commit_update(&desired.space, &desired.release).await;
        done.map_err(|it| files(KEEPING, it))
    }

    /// Puts on record that `desired.release` is no use.
    pub(super) async fn reject_update(
        &self,
        desired: &DesiredStack,
        reason: &str,
    ) -> Result<(), Failure> {
        let seen = self.files.look(&desired.space).map_err(|it| files(KEEPING, it))?;
        if seen.release.as_deref() == Some(&desired.release) {
            // It was committed, and the answer was lost, or we were killed half way.
            return self.commit_update(desired).await;
        }
        if seen.update.as_ref().is_some_and(|it| matches!(it.state, State::Undoing { .. })) {
            return Ok(());
        }
        let reason = reason.to_owned();
        let update = match seen.update {
            Some(update) if update.state == State::Trying => {
                UpdateFile { state: State::Undoing { reason }, ..update }
            }
            // Nothing was changed yet, so there is nothing to undo.
            _ => UpdateFile {
                from: seen.release.unwrap_or_default(),
                to: desired.release.clone(),
                generation: desired.generation,
                state: State::Undone { reason },
                copies: Vec::new(),
            },
        };
        self.write_update(desired, &update).await?;
        if update.copies.is_empty() {
            let removed = self.files.remove_copies(&desired.space).await;
            removed.map_err(|it| files(KEEPING, it))?;
        }
        Ok(())
    }

    /// Makes all volumes what they were, and puts on record that the update was undone.
    pub(super) async fn restore_data(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let seen = self.files.look(&desired.space).map_err(|it| files(KEEPING, it))?;
        let Some(update) = seen.update else { return Ok(()) };
        let State::Undoing { reason } = &update.state else { return Ok(()) };
        // Before the first volume is touched.
        self.check_copies(desired, &update).await?;
        for copy in &update.copies {
            let file = self.files.copies_of(&desired.space).join(format!("{}.tar", copy.volume));
            self.replace_volume(desired, &copy.volume, &file).await?;
        }
        let saved = |volume: &String| update.copies.iter().any(|it| it.volume == *volume);
        for volume in self.observe_stack(desired).await?.volumes {
            if !saved(&volume) {
                self.remove_volume(desired, &volume).await?;
            }
        }
        // The copies go next, so what was made of them has to be on the disk.
        spawn_blocking(rustix::fs::sync).await.map_err(|it| not_restored(io::Error::other(it)))?;
        let state = State::Undone { reason: reason.clone() };
        let undone = UpdateFile { state, copies: Vec::new(), ..update };
        self.write_update(desired, &undone).await?;
        self.files.remove_copies(&desired.space).await.map_err(|it| files(KEEPING, it))
    }

    /// A copy that is not what it was is not put in the place of anything.
    async fn check_copies(
        &self,
        desired: &DesiredStack,
        update: &UpdateFile,
    ) -> Result<(), Failure> {
        let (folder, copies) = (self.files.copies_of(&desired.space), update.copies.clone());
        let damaged = spawn_blocking(move || {
            for copy in copies {
                if !is_intact(&folder.join(format!("{}.tar", copy.volume)), &copy)? {
                    return Ok(Some(copy.volume));
                }
            }
            Ok(None)
        });
        match damaged.await.map_err(io::Error::other).flatten().map_err(not_restored)? {
            None => Ok(()),
            Some(volume) => Err(Failure::Lost(Blocked::CopyDamaged(volume))),
        }
    }

    async fn write_update(
        &self,
        desired: &DesiredStack,
        update: &UpdateFile,
    ) -> Result<(), Failure> {
        let written = self.files.write_update(&desired.space, update).await;
        written.map_err(|it| files(KEEPING, it))
    }
}
