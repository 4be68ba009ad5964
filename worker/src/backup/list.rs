//! Which backups there are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::{SpaceId, Timestamp};

use super::{
    BackupError, Shelf,
    verify::{key_of, read_about},
};

/// A backup that is kept.
#[derive(Debug)]
pub struct KeptBackup {
    /// Where it is.
    pub file: PathBuf,
    /// The space that it is of.
    pub space: SpaceId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Its size on the disk.
    pub bytes: u64,
    /// What the space was called, if that is on record; or why that can't be read.
    pub name: Result<Option<String>, BackupError>,
}

/// The backups of a state, whether or not its worker runs. Nothing but their beginning is read.
///
/// # Errors
/// [`BackupError`] if the folder or the key can't be read.
pub fn list_backups(state_dir: &Path) -> Result<Vec<KeptBackup>, BackupError> {
    let shelf = Shelf::new(state_dir);
    let cannot_read = |path: &Path| {
        let path = path.to_owned();
        move |cause| BackupError::Read { path, cause }
    };
    let all = shelf.all().map_err(cannot_read(shelf.folder()))?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let key = key_of(state_dir)?;
    let kept = all.into_iter().map(|(space, created_at, file)| {
        let bytes = fs::metadata(&file).map_err(cannot_read(&file))?.len();
        let name = read_about(&file, &key).map(|it| it.name);
        Ok(KeptBackup { file, space, created_at, bytes, name })
    });
    kept.collect()
}
