//! The folder in which one installation keeps what it must.
//!
//! ```text
//! id                         names the installation on the Docker Engine
//! edge.lock worker.lock      held by the process that runs that half
//! edge/ worker/              what the halves keep
//! backups/                   final backups of deleted spaces
//! keys/session.key           what the edge derives its credentials from
//! keys/admin.key             the operator's bearer key
//! keys/host-<name>.key       a worker's key
//! ```

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use credentials::Secret;

use crate::{environment, files, random};

/// Which half of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// The edge.
    Edge,
    /// The worker with its gateway.
    Worker,
}

/// As long as it lives, no other process runs this half on the same state.
#[derive(Debug)]
#[must_use]
pub(crate) struct HalfLock(#[expect(dead_code, reason = "held, not used")] File);

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct State(PathBuf);

impl State {
    /// The state in `folder`, or in the user's own folder for such things. Nothing is made yet.
    ///
    /// # Errors
    /// If there is no such folder because there is no home.
    pub(crate) fn at(folder: Option<PathBuf>) -> anyhow::Result<Self> {
        let usual = || environment::state_home().map(|it| it.join("spaceport"));
        folder.or_else(usual).map(Self).context("there is no home folder: say --state DIR")
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Where the edge keeps what it must.
    pub(crate) fn edge(&self) -> PathBuf {
        self.0.join("edge")
    }

    /// Makes the folder if need be, and keeps other processes from running `half` on it.
    ///
    /// # Errors
    /// If it cannot be used, or another process runs that half on it.
    pub(crate) fn lock(&self, half: Half) -> anyhow::Result<HalfLock> {
        let (file, command) = match half {
            Half::Edge => ("edge.lock", "edge"),
            Half::Worker => ("worker.lock", "worker"),
        };
        let path = self.0.join(file);
        let opened = files::make_folder(&self.0.join("keys"))
            .and_then(|()| File::options().create(true).append(true).open(&path));
        let file = opened.with_context(|| format!("cannot use the state {}", self.0.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(HalfLock(file)),
            Err(TryLockError::WouldBlock) => bail!(
                "the {command} of the state {} is running already: stop it, or choose another \
                 state with --state",
                self.0.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// What names this installation on the Docker Engine; made when it is first asked for.
    ///
    /// # Errors
    /// If it cannot be read or made.
    pub(crate) fn id(&self) -> anyhow::Result<String> {
        self.read_or_make("id", random::hex::<8>)
    }

    /// The same, if it was ever asked for.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn existing_id(&self) -> anyhow::Result<Option<String>> {
        let path = self.0.join("id");
        files::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// What the edge derives its credentials from.
    ///
    /// # Errors
    /// If it cannot be read or made.
    pub(crate) fn session_key(&self) -> anyhow::Result<String> {
        self.read_or_make("keys/session.key", random::hex::<32>)
    }

    /// The operator's bearer key.
    ///
    /// # Errors
    /// If it cannot be read or made.
    pub(crate) fn admin_key(&self) -> anyhow::Result<String> {
        let make = || Ok(Secret::new("spa_", random::bytes()?).reveal().to_owned());
        self.read_or_make("keys/admin.key", make)
    }

    /// Where the key of the worker on `host` is.
    pub(crate) fn host_key_path(&self, host: &str) -> PathBuf {
        self.0.join("keys").join(format!("host-{host}.key"))
    }

    fn read_or_make(
        &self,
        name: &str,
        make: impl FnOnce() -> io::Result<String>,
    ) -> anyhow::Result<String> {
        let path = self.0.join(name);
        let contents = files::read_or_make(&path, make)
            .with_context(|| format!("cannot read or make {}", path.display()))?;
        if contents.is_empty() {
            bail!("{} is empty: restore it, or remove it to have a new one made", path.display());
        }
        Ok(contents)
    }

    /// Removes what is kept here, and the folder if nothing else is in it.
    ///
    /// # Errors
    /// What the system says. The id goes last, so that a removal that was cut off can be repeated.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for folder in ["edge", "worker", "backups", "keys"] {
            tolerate(fs::remove_dir_all(self.0.join(folder)))?;
        }
        for file in ["edge.lock", "worker.lock", "id"] {
            tolerate(fs::remove_file(self.0.join(file)))?;
        }
        match fs::remove_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
            result => tolerate(result),
        }
    }
}

/// What is gone already is as good as removed.
fn tolerate(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_state_holds_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(Some(folder.path().join("state"))).unwrap();
        assert_eq!(state.existing_id().unwrap(), None);
        let _lock = state.lock(Half::Edge).unwrap();
        let read = || [state.id(), state.session_key(), state.admin_key()].map(Result::unwrap);
        let first = read();
        assert_eq!(read(), first);
        assert_eq!(state.existing_id().unwrap().as_deref(), Some(&*first[0]));
        assert!(first[2].starts_with("spa_"));
    }

    #[test]
    fn each_half_runs_once() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(Some(folder.path().to_owned())).unwrap();
        let edge = state.lock(Half::Edge).unwrap();
        let error = state.lock(Half::Edge).unwrap_err().to_string();
        assert!(error.contains("running already"), "{error}");
        let _worker = state.lock(Half::Worker).unwrap();
        drop(edge);
        let _edge = state.lock(Half::Edge).unwrap();
    }

    #[test]
    fn an_empty_key_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("id"), "\n").unwrap();
        let state = State::at(Some(folder.path().to_owned())).unwrap();
        assert!(state.id().unwrap_err().to_string().contains("is empty"));
    }

    #[test]
    fn removing_a_state_leaves_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["empty", "shared"] {
            let state = State::at(Some(folder.path().join(name))).unwrap();
            drop(state.lock(Half::Worker).unwrap());
            state.admin_key().unwrap();
            state.id().unwrap();
            fs::create_dir(state.edge()).unwrap();
            fs::create_dir_all(state.folder().join("backups/space")).unwrap();
        }
        fs::write(folder.path().join("shared/letter.txt"), "").unwrap();
        for name in ["empty", "shared", "never-made"] {
            State::at(Some(folder.path().join(name))).unwrap().remove().unwrap();
        }
        assert!(!folder.path().join("empty").exists());
        let left = fs::read_dir(folder.path().join("shared")).unwrap().count();
        assert_eq!(left, 1);
    }
}
