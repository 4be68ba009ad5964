//! What the worker keeps of each space besides what Docker has: `<space id>/secrets`, encrypted,
//! and `<space id>/ready`, an empty file that says the space was ready once.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use domain::SpaceId;

use crate::secrets::{SecretsKey, generate};

const SECRETS: &str = "secrets";
const READY: &str = "ready";

/// The files of a space could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    /// The system did not do it.
    #[error("could not use the files of the space")]
    Io(#[from] io::Error),
    /// The secrets are not what this worker's key has sealed for this space.
    #[error("the secrets of the space do not open with this worker's key")]
    Sealed,
}

/// What files a space has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Any at all.
    pub(crate) has_any: bool,
    /// Its secrets.
    pub(crate) has_secrets: bool,
    /// The one that says it was ready.
    pub(crate) was_ready: bool,
}

/// The files of all spaces.
#[derive(Clone, Debug)]
pub(crate) struct SpaceFiles {
    folder: PathBuf,
    key: SecretsKey,
}

impl SpaceFiles {
    /// The files under the folder `worker` of the state, with a key made if there is none.
    ///
    /// # Errors
    /// The path that could not be used, and why.
    pub(crate) fn open(worker: &Path) -> Result<Self, (PathBuf, io::Error)> {
        let folder = worker.join("spaces");
        let at = |path: &Path| {
            let path = path.to_owned();
            move |cause| (path, cause)
        };
        private_folder(&folder).map_err(at(&folder))?;
        let key_file = worker.join("secrets.key");
        let key = match fs::read(&key_file) {
            Ok(bytes) => SecretsKey::from_bytes(&bytes).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "this is no key of 32 bytes")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => SecretsKey::generate()
                .and_then(|key| {
                    write_durably(&key_file, key.as_bytes())?;
                    Ok(key)
                }),
            Err(error) => Err(error),
        };
        let key = key.map_err(at(&key_file))?;
        Ok(Self { folder, key })
    }

    /// The spaces that have files.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) fn spaces(&self) -> Result<Vec<SpaceId>, FilesError> {
        let mut spaces = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            spaces.extend(name.to_str().and_then(|it| it.parse().ok()));
        }
        Ok(spaces)
    }

    /// What files the space has. Not being able to look is not the same as seeing nothing: a space
    /// whose files seem to be gone is taken for lost.
    ///
    /// # Errors
    /// [`FilesError::Io`], also if the folder of all spaces is gone.
    pub(crate) fn look(&self, space: &SpaceId) -> Result<Seen, FilesError> {
        if !self.folder.try_exists()? {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        }
        let folder = self.folder_of(space);
        Ok(Seen {
            has_any: folder.try_exists()?,
            has_secrets: folder.join(SECRETS).try_exists()?,
            was_ready: folder.join(READY).try_exists()?,
        })
    }

    /// Makes and keeps secrets of so many bytes each, unless there are some.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn write_secrets(
        &self,
        space: &SpaceId,
        wanted: BTreeMap<String, u16>,
    ) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || {
            if it.look(&space)?.has_secrets {
                return Ok(());
            }
            let sealed = it.key.seal(&space, &generate(&wanted)?)?;
            it.write(&space, SECRETS, &sealed)
        })
        .await
    }

    /// The space's secrets.
    ///
    /// # Errors
    /// [`FilesError`].
    pub(crate) async fn secrets(
        &self,
        space: &SpaceId,
    ) -> Result<BTreeMap<String, String>, FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || {
            let sealed = fs::read(it.folder_of(&space).join(SECRETS))?;
            it.key.open(&space, &sealed).ok_or(FilesError::Sealed)
        })
        .await
    }

    /// Puts on record that the space was ready.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn mark_ready(&self, space: &SpaceId) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || it.write(&space, READY, b"")).await
    }

    /// Removes all files of the space.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn remove(&self, space: &SpaceId) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || {
            match fs::remove_dir_all(it.folder_of(&space)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            Ok(sync_folder(&it.folder)?)
        })
        .await
    }

    fn folder_of(&self, space: &SpaceId) -> PathBuf {
        self.folder.join(space.as_str())
    }

    fn write(&self, space: &SpaceId, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let folder = self.folder_of(space);
        private_folder(&folder)?;
        write_durably(&folder.join(name), bytes)?;
        Ok(sync_folder(&self.folder)?)
    }
}

/// Writes to disks may take long; nobody else should wait for them.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FilesError> + Send + 'static,
) -> Result<T, FilesError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file so that after a crash there is all of it or nothing.
fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use domain::Timestamp;

    use super::*;

    fn space(n: u8) -> SpaceId {
        SpaceId::new(Timestamp::from_unix_ms(0), [n; 10])
    }

    fn wanted() -> BTreeMap<String, u16> {
        BTreeMap::from([("DB_PASSWORD".to_owned(), 24), ("SALT".to_owned(), 8)])
    }

    #[tokio::test]
    async fn secrets_are_made_once_and_read_by_who_has_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let files = SpaceFiles::open(folder.path()).unwrap();
        assert_eq!(files.look(&space(1)).unwrap(), Seen::default());
        files.write_secrets(&space(1), wanted()).await.unwrap();
        let secrets = files.secrets(&space(1)).await.unwrap();
        assert_eq!(secrets["DB_PASSWORD"].len(), 48);
        assert_eq!(secrets["SALT"].len(), 16);

        // The same worker started again makes no others.
        let files = SpaceFiles::open(folder.path()).unwrap();
        files.write_secrets(&space(1), wanted()).await.unwrap();
        assert_eq!(files.secrets(&space(1)).await.unwrap(), secrets);
        files.write_secrets(&space(2), wanted()).await.unwrap();
        assert_ne!(files.secrets(&space(2)).await.unwrap(), secrets);
    }

    #[tokio::test]
    async fn secrets_are_of_no_use_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let files = SpaceFiles::open(folder.path()).unwrap();
        files.write_secrets(&space(1), wanted()).await.unwrap();
        let path = folder.path().join("spaces").join(space(1).as_str()).join("secrets");
        let sealed = fs::read(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let key = folder.path().join("secrets.key");
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);

        // In another space's place.
        files.write_secrets(&space(2), wanted()).await.unwrap();
        let other = folder.path().join("spaces").join(space(2).as_str()).join("secrets");
        fs::write(other, &sealed).unwrap();
        assert!(matches!(files.secrets(&space(2)).await, Err(FilesError::Sealed)));
        // With another key.
        fs::write(folder.path().join("secrets.key"), [7; 32]).unwrap();
        let files = SpaceFiles::open(folder.path()).unwrap();
        assert!(matches!(files.secrets(&space(1)).await, Err(FilesError::Sealed)));
        // Cut short.
        fs::write(&path, &sealed[..10]).unwrap();
        assert!(matches!(files.secrets(&space(1)).await, Err(FilesError::Sealed)));
    }

    #[tokio::test]
    async fn what_is_removed_is_gone_and_may_be_removed_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = SpaceFiles::open(folder.path()).unwrap();
        assert_eq!(files.look(&space(1)).unwrap(), Seen::default());
        files.mark_ready(&space(1)).await.unwrap();
        let want = Seen { has_any: true, has_secrets: false, was_ready: true };
        assert_eq!(files.look(&space(1)).unwrap(), want);
        assert_eq!(files.spaces().unwrap(), [space(1)]);
        files.remove(&space(1)).await.unwrap();
        files.remove(&space(1)).await.unwrap();
        assert_eq!(files.look(&space(1)).unwrap(), Seen::default());
    }

    #[tokio::test]
    async fn files_that_cannot_be_seen_are_not_taken_for_gone() {
        let folder = tempfile::tempdir().unwrap();
        let files = SpaceFiles::open(folder.path()).unwrap();
        files.mark_ready(&space(1)).await.unwrap();
        // Whoever runs this may be root, to whom no file is closed: a file in the place of a folder
        // can't be looked into by anybody.
        let own = folder.path().join("spaces").join(space(1).as_str());
        fs::remove_dir_all(&own).unwrap();
        fs::write(&own, "").unwrap();
        assert!(matches!(files.look(&space(1)), Err(FilesError::Io(_))));
        fs::remove_dir_all(folder.path().join("spaces")).unwrap();
        assert!(matches!(files.look(&space(1)), Err(FilesError::Io(_))));
        assert!(matches!(files.spaces(), Err(FilesError::Io(_))));
    }

    #[test]
    fn a_key_that_is_none_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        fs::write(&path, b"short").unwrap();
        assert!(matches!(SpaceFiles::open(folder.path()), Err((at, _)) if at == path));
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }
}
