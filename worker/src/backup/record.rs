//! What is on record of a space's final backup: the file `final-backup` among those of the space.

use domain::{Generation, SpaceId};
use serde::{Deserialize, Serialize};

use crate::files::{FilesError, SpaceFiles};

/// A final backup that was verified. It is there once its file has this name: the record is written
/// first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinalBackup {
    /// The name of its file.
    pub(crate) file: String,
    /// The wish that it was made for: whoever wants the space to run again, and then to be gone, gets
    /// another one.
    pub(crate) generation: Generation,
}

impl FinalBackup {
    /// What `text` says, if that can be understood; otherwise the backup is made anew.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl SpaceFiles {
    /// Puts on record which file is the final backup as soon as it is there.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn write_final_backup(
        &self,
        space: &SpaceId,
        backup: &FinalBackup,
    ) -> Result<(), FilesError> {
        let text = serde_json::to_vec(backup).map_err(std::io::Error::other)?;
        self.write_later(space, crate::files::FINAL_BACKUP, text).await
    }
}
