//! What backups of this host are encrypted with.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use age::{Identity, Recipient, secrecy::ExposeSecret as _, x25519};

use super::KEY;
use crate::files::{private_folder, write_durably};

/// The host's key: what opens its backups.
#[derive(Clone)]
pub(crate) struct BackupKey(x25519::Identity);

impl std::fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BackupKey(…)")
    }
}

impl BackupKey {
    /// The key in the folder `worker` of the state, made if there is none.
    ///
    /// # Errors
    /// The path that could not be used, and why.
    pub(crate) fn open_or_make(worker: &Path) -> Result<Self, (PathBuf, io::Error)> {
        let path = worker.join(KEY);
        let key = match Self::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(worker, &path),
            key => key,
        };
        key.map_err(|it| (path, it))
    }

    /// The key that is kept at `path`, in the form that `age-keygen` writes.
    ///
    /// # Errors
    /// If it can't be read, or is none.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
        let line = lines.find(|it| !it.starts_with('#')).unwrap_or_default();
        let invalid = |it: &str| io::Error::new(io::ErrorKind::InvalidData, it);
        line.parse().map(Self).map_err(|_| invalid("this is no age identity"))
    }

    fn make(worker: &Path, path: &Path) -> io::Result<Self> {
        let key = x25519::Identity::generate();
        let text = format!(
            "# Opens the backups of this host. Keep a copy elsewhere.\n# public key: {}\n{}\n",
            key.to_public(),
            key.to_string().expose_secret()
        );
        private_folder(worker)?;
        write_durably(path, text.as_bytes())?;
        Ok(Self(key))
    }

    pub(super) fn recipient(&self) -> impl Recipient + use<> {
        self.0.to_public()
    }

    pub(super) const fn identity(&self) -> &dyn Identity {
        &self.0
    }
}
