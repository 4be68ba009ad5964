//! How much a folder takes of the disk.
//!
//! What is in it is a tenant's, who may change it while it is counted. So it is walked from folder to
//! folder by descriptors and never by a path, no link is followed, and no other file system entered.

use std::{collections::HashSet, io, path::Path};

use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::Errno,
};

/// What anything takes at least: a file without contents has a name and an inode.
const BYTES_MIN: u64 = 4096;

/// The unit of `st_blocks`, in bytes.
const BLOCK_LEN: u64 = 512;

/// How deep folders may be nested. Each level takes a descriptor while it is walked, and no app nests
/// them nearly so deep.
const DEPTH_MAX: usize = 200;

/// How many bytes `folder` takes, if that is less than `max`, or more than that.
///
/// A folder that is nested too deep to be counted counts as more than `max`. What goes away while it
/// is counted takes nothing.
///
/// # Errors
/// What the system says on the folder itself, or on one in it.
pub(super) fn bytes_in(folder: &Path, max: u64) -> io::Result<u64> {
    let top = open(CWD, folder.as_os_str().as_encoded_bytes())?;
    let device = fstat(&top)?.st_dev;
    let mut walk = Walk { device, bytes: 0, seen: HashSet::new() };
    let mut folders = vec![Dir::new(top)?];
    while let Some(folder) = folders.last_mut() {
        let entry = match folder.read() {
            None => {
                folders.pop();
                continue;
            }
            Some(entry) => entry?,
        };
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let here = folder.fd()?;
        match statat(here, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if walk.count(&stat) => match open(here, name.to_bytes()) {
                Ok(inner) => folders.push(Dir::new(inner)?),
                Err(error) if is_gone(error) => {}
                Err(error) => return Err(error.into()),
            },
            Ok(_) => {}
            Err(error) if is_gone(error) => {}
            Err(error) => return Err(error.into()),
        }
        if DEPTH_MAX < folders.len() || max < walk.bytes {
            return Ok(max.saturating_add(1));
        }
    }
    Ok(walk.bytes)
}

struct Walk {
    /// The file system that is counted.
    device: u64,
    bytes: u64,
    /// The files with several names that were counted.
    seen: HashSet<u64>,
}

impl Walk {
    /// Counts one thing. Says whether it is a folder that is to be walked.
    fn count(&mut self, stat: &Stat) -> bool {
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if stat.st_dev != self.device {
            return false;
        }
        let has_names = !is_folder && 1 < stat.st_nlink;
        if !has_names || self.seen.insert(stat.st_ino) {
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            let bytes = blocks.saturating_mul(BLOCK_LEN).max(BYTES_MIN);
            self.bytes = self.bytes.saturating_add(bytes);
        }
        is_folder
    }
}

fn open(at: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty())
}

/// Whether a tenant has removed or replaced it in the meantime.
fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn what_a_folder_takes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("large"), vec![1; 4 << 20]).unwrap();
        let count = || bytes_in(root, u64::MAX).unwrap();
        assert_eq!(count(), 0);

        fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(count(), 2 * BYTES_MIN);
        fs::write(root.join("a/b/full"), vec![1; 1 << 20]).unwrap();
        assert_eq!(count(), MIB + 2 * BYTES_MIN);
        // Once, however many names it has.
        fs::hard_link(root.join("a/b/full"), root.join("a/same")).unwrap();
        assert_eq!(count(), MIB + 2 * BYTES_MIN);
        // Without contents, but not without cost.
        for n in 0..100 {
            fs::write(root.join(format!("empty-{n}")), "").unwrap();
        }
        assert_eq!(count(), MIB + 102 * BYTES_MIN);
        // Only what it takes, not what it says it is.
        fs::File::create(root.join("sparse")).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(count(), MIB + 103 * BYTES_MIN);
        // A link is itself, not what it leads to.
        symlink(outside.path(), root.join("link")).unwrap();
        symlink("/", root.join("a/root")).unwrap();
        assert_eq!(count(), MIB + 105 * BYTES_MIN);
    }

    #[test]
    fn counting_ends_where_enough_is_known() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..10 {
            fs::write(folder.path().join(format!("{n}")), vec![1; 1 << 20]).unwrap();
        }
        assert_eq!(bytes_in(folder.path(), 3 * MIB).unwrap(), 3 * MIB + 1);
        assert_eq!(bytes_in(folder.path(), 10 * MIB).unwrap(), 10 * MIB);
        assert!(bytes_in(&folder.path().join("nowhere"), 1).is_err());
    }

    #[test]
    fn what_is_nested_to_hide_counts_as_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let nested = |n: usize| (0..n).fold(folder.path().to_owned(), |it, _| it.join("d"));
        fs::create_dir_all(nested(DEPTH_MAX - 1)).unwrap();
        assert_eq!(bytes_in(folder.path(), MIB).unwrap(), (DEPTH_MAX as u64 - 1) * BYTES_MIN);
        fs::create_dir_all(nested(DEPTH_MAX)).unwrap();
        assert_eq!(bytes_in(folder.path(), MIB).unwrap(), MIB + 1);
    }
}
