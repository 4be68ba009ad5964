//! Where backups are, and for how long.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::{SpaceId, Timestamp};

use super::BACKUPS;
use crate::files::{private_folder, sync_folder};

const FINAL: &str = "final-";
const ENDING: &str = ".tar.zst.age";
const PART: &str = "part";

/// The folder of all backups of a host.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    /// The folder in the state. Nothing is made yet.
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join(BACKUPS))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Makes room for a final backup of `space`, and says what it will be called. What is left of one
    /// that was cut short is removed.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn make_room(&self, space: &SpaceId, now: Timestamp) -> io::Result<PathBuf> {
        let folder = self.0.join(space.as_str());
        private_folder(&folder)?;
        sync_folder(&self.0)?;
        self.0.parent().map_or(Ok(()), sync_folder)?;
        remove_parts_in(&folder)?;
        let mut second = now.unix_s();
        loop {
            let path = folder.join(format!("{FINAL}{second}{ENDING}"));
            if !path.try_exists()? {
                return Ok(path);
            }
            second += 1;
        }
    }

    /// Where the backup is written that will be at `path` in the end.
    pub(crate) fn part_of(path: &Path) -> PathBuf {
        let mut part = path.as_os_str().to_owned();
        part.push(".");
        part.push(PART);
        part.into()
    }

    /// Gives a part its name.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn keep(path: &Path) -> io::Result<()> {
        fs::rename(Self::part_of(path), path)?;
        path.parent().map_or(Ok(()), sync_folder)
    }

    /// Whether there is a backup of `space` with this name.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn has(&self, space: &SpaceId, file: &str) -> io::Result<bool> {
        self.0.join(space.as_str()).join(file).try_exists()
    }

    /// All backups: whose they are, when they were begun, and where they are.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn all(&self) -> io::Result<Vec<(SpaceId, Timestamp, PathBuf)>> {
        let mut all = Vec::new();
        for (space, folder) in self.spaces()? {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                all.extend(begun_at(&path).map(|at| (space.clone(), at, path)));
            }
        }
        all.sort();
        Ok(all)
    }

    /// Removes the backups that are older than `age_max`. Says how many.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn remove_expired(&self, now: Timestamp, age_max: Duration) -> io::Result<usize> {
        let mut n_removed = 0;
        for (_, begun_at, path) in self.all()? {
            if age_max < now.since(begun_at) {
                fs::remove_file(&path)?;
                n_removed += 1;
            }
        }
        for (_, folder) in self.spaces()? {
            match fs::remove_dir(&folder) {
                // There is something in it, or somebody was faster.
                Err(error)
                    if [io::ErrorKind::DirectoryNotEmpty, io::ErrorKind::NotFound]
                        .contains(&error.kind()) => {}
                result => result?,
            }
        }
        Ok(n_removed)
    }

    /// Removes what is left of backups that were cut short.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn remove_parts(&self) -> io::Result<()> {
        self.spaces()?.iter().try_for_each(|(_, folder)| remove_parts_in(folder))
    }

    fn spaces(&self) -> io::Result<Vec<(SpaceId, PathBuf)>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut spaces = Vec::new();
        for entry in entries {
            let entry = entry?;
            let space = entry.file_name().to_str().and_then(|it| it.parse().ok());
            if entry.file_type()?.is_dir() {
                spaces.extend(space.map(|it| (it, entry.path())));
            }
        }
        Ok(spaces)
    }
}

fn remove_parts_in(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == PART) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// When the final backup at `path` was begun; `None` if that is something else.
fn begun_at(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?;
    let second: i64 = name.strip_prefix(FINAL)?.strip_suffix(ENDING)?.parse().ok()?;
    Some(Timestamp::from_unix_ms(second.checked_mul(1000)?))
}
