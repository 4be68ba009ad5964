//! What the worker keeps of each space besides what Docker has, in a folder `<space id>`: `secrets`,
//! encrypted; `ready` and `first-admin`, which say that this was so once; `release`, which its data
//! is of; `prepared`, the release for which shared services were prepared; `credentials`, which
//! ticket took them; `update`; and `final-backup`.

mod updates;

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use domain::SpaceId;

use crate::{
    backup::FinalBackup,
    credentials::TicketUse,
    secrets::{SecretsKey, generate},
    update_file::UpdateFile,
};

const SECRETS: &str = "secrets";
const READY: &str = "ready";
const FIRST_ADMIN: &str = "first-admin";
const CREDENTIALS: &str = "credentials";
const PREPARED: &str = "prepared";
const RELEASE: &str = "release";
const UPDATE: &str = "update";
pub(crate) const FINAL_BACKUP: &str = "final-backup";

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "files that have nothing to do with each other")]
pub(crate) struct Seen {
    /// Any at all.
    pub(crate) has_any: bool,
    /// Its secrets.
    pub(crate) has_secrets: bool,
    /// The one that says it was ready.
    pub(crate) was_ready: bool,
    /// The one that says its first admin was made.
    pub(crate) has_first_admin: bool,
    /// The release for which shared services were prepared.
    pub(crate) prepared: Option<String>,
    /// The release that its data is of.
    pub(crate) release: Option<String>,
    /// The update that is under way, or was undone.
    pub(crate) update: Option<UpdateFile>,
    /// Its final backup, once that has its name.
    pub(crate) final_backup: Option<FinalBackup>,
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
            has_first_admin: folder.join(FIRST_ADMIN).try_exists()?,
            prepared: text_of(&folder.join(PREPARED))?,
            release: text_of(&folder.join(RELEASE))?,
            update: match text_of(&folder.join(UPDATE))? {
                Some(text) => Some(serde_json::from_str(&text).map_err(io::Error::other)?),
                None => None,
            },
            final_backup: text_of(&folder.join(FINAL_BACKUP))?
                .and_then(|it| FinalBackup::parse(&it)),
        })
    }

    /// Makes and keeps secrets of so many bytes each. Those that are there stay what they are.
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
            let mut secrets = match fs::read(it.folder_of(&space).join(SECRETS)) {
                Ok(sealed) => it.key.open(&space, &sealed).ok_or(FilesError::Sealed)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
                Err(error) => return Err(error.into()),
            };
            let n_before = secrets.len();
            for (name, value) in generate(&wanted)? {
                secrets.entry(name).or_insert(value);
            }
            if n_before == secrets.len() && n_before != 0 {
                return Ok(());
            }
            it.write(&space, SECRETS, &it.key.seal(&space, &secrets)?)
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

    /// Puts on record that the space was ready, and that its data is of `release` unless it is known
    /// to be of another one.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn mark_ready(
        &self,
        space: &SpaceId,
        release: &str,
    ) -> Result<(), FilesError> {
        let (it, space, release) = (self.clone(), space.clone(), release.to_owned());
        blocking(move || {
            if it.look(&space)?.release.is_none() {
                it.write(&space, RELEASE, release.as_bytes())?;
            }
            it.write(&space, READY, b"")
        })
        .await
    }

    /// Puts on record that the space's first admin was made.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn mark_first_admin(&self, space: &SpaceId) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || it.write(&space, FIRST_ADMIN, b"")).await
    }

    /// Puts on record that `ticket` takes the credentials, unless another one took them before. Says
    /// which one did. Two must not be asked at once for one space.
    ///
    /// # Errors
    /// [`FilesError::Io`], also if the space has no files: none are made for one that goes.
    pub(crate) async fn take_credentials(
        &self,
        space: &SpaceId,
        ticket: &TicketUse,
    ) -> Result<TicketUse, FilesError> {
        let (path, ticket) = (self.folder_of(space).join(CREDENTIALS), ticket.clone());
        blocking(move || {
            if let Some(text) = text_of(&path)? {
                return Ok(serde_json::from_str(&text).map_err(io::Error::other)?);
            }
            let text = serde_json::to_vec(&ticket).map_err(io::Error::other)?;
            write_durably(&path, &text)?;
            Ok(ticket)
        })
        .await
    }

    /// Puts on record for which release shared services are prepared; `None` if for none any more.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn mark_prepared(
        &self,
        space: &SpaceId,
        release: Option<&str>,
    ) -> Result<(), FilesError> {
        let (it, space, release) = (self.clone(), space.clone(), release.map(str::to_owned));
        blocking(move || match release {
            Some(release) => it.write(&space, PREPARED, release.as_bytes()),
            None => it.unwrite(&space, PREPARED),
        })
        .await
    }

    /// Writes a file of the space.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn write_later(
        &self,
        space: &SpaceId,
        name: &'static str,
        bytes: Vec<u8>,
    ) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || it.write(&space, name, &bytes)).await
    }

    /// Removes all files of the space.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub(crate) async fn remove(&self, space: &SpaceId) -> Result<(), FilesError> {
        let (it, space) = (self.clone(), space.clone());
        blocking(move || {
            // First of all, so that half of the rest does not look like a space with lost data.
            if it.folder_of(&space).try_exists()? {
                it.unwrite(&space, READY)?;
            }
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

    fn unwrite(&self, space: &SpaceId, name: &str) -> Result<(), FilesError> {
        let folder = self.folder_of(space);
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => {
                removed?;
                Ok(sync_folder(&folder)?)
            }
        }
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

fn text_of(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}

pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file so that after a crash there is all of it or nothing.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
