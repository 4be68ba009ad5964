//! What is kept of the update of a space, and the copies of its volumes.

use std::{fs, io, path::PathBuf};

use domain::SpaceId;

use super::{FilesError, RELEASE, SpaceFiles, UPDATE, blocking};
use crate::update_file::UpdateFile;

const COPIES: &str = "copies";

impl SpaceFiles {
    /// Puts on record how far an update is.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn write_update(
        &self,
        space: &SpaceId,
        update: &UpdateFile,
    ) -> Result<(), FilesError> {
        let text = serde_json::to_vec(update).map_err(io::Error::other)?;
        self.write_later(space, UPDATE, text).await
    }

    /// Puts on record that the data is of `release`, and that there is no update any more.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn commit_update(
        &self,
        space: &SpaceId,
        release: &str,
    ) -> Result<(), FilesError> {
        let (it, id, release) = (self.clone(), space.clone(), release.to_owned());
        blocking(move || {
            // In this order: until the last of it, the update can be committed once more.
            it.write(&id, RELEASE, release.as_bytes())?;
            it.drop_copies(&id)?;
            it.unwrite(&id, UPDATE)
        })
        .await
    }

    /// Removes the copies of the volumes, if there are any.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn remove_copies(&self, space: &SpaceId) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || it.drop_copies(&space)).await
    }

    /// Removes copies that nobody needs any more: we were killed before they were removed.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) fn remove_stale_copies(&self) -> Result<(), FilesError> {
        for space in self.spaces()? {
            let is_needed = self.look(&space)?.update.is_some_and(|it| it.needs_copies());
            if !is_needed {
                self.drop_copies(&space)?;
            }
        }
        Ok(())
    }

    fn drop_copies(&self, space: &SpaceId) -> Result<(), FilesError> {
        match fs::remove_dir_all(self.copies_of(space)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The folder of the copies of the space's volumes, which need not be there.
    pub(crate) fn copies_of(&self, space: &SpaceId) -> PathBuf {
        self.folder_of(space).join(COPIES)
    }
}
