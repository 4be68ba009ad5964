//! Small private files that are there whole or not at all.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

use tempfile::NamedTempFile;

/// Makes a folder, and those above it, for its owner only.
///
/// # Errors
/// What the system says.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file for its owner only. It survives a loss of power from when this returns.
///
/// # Errors
/// What the system says; the file is as it was then.
pub(crate) fn write(path: &Path, contents: &str) -> io::Result<()> {
    let folder = folder_of(path);
    prepared(folder, contents)?.persist(path)?;
    File::open(folder)?.sync_all()
}

/// The contents of a file, which is made if it is not there. Of several processes that make it at
/// once all get the contents that one of them made.
///
/// # Errors
/// What the system or `make` says.
pub(crate) fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> io::Result<String>,
) -> io::Result<String> {
    if let Some(contents) = read(path)? {
        return Ok(contents);
    }
    let folder = folder_of(path);
    match prepared(folder, &make()?)?.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all()?,
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => (),
        Err(error) => return Err(error.error),
    }
    Ok(fs::read_to_string(path)?.trim_end().to_owned())
}

/// The contents of a file without white space at the end; nothing if there is no such file.
///
/// # Errors
/// What the system says.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(contents) => Ok(Some(contents.trim_end().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether somebody else than its owner may read a file.
///
/// # Errors
/// What the system says.
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// A file without a name yet. The library makes it for its owner only.
fn prepared(folder: &Path, contents: &str) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{contents}")?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(read(&path).unwrap(), None);
        assert_eq!(read_or_make(&path, || Ok("one".to_owned())).unwrap(), "one");
        assert_eq!(read_or_make(&path, || panic!("it is there")).unwrap(), "one");
        assert!(!is_open_to_others(&path).unwrap());
        write(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        assert!(!is_open_to_others(&path).unwrap());
        let n_files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(n_files, 1, "nothing is left lying about");
    }

    #[test]
    fn of_two_that_make_a_file_both_get_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let got = read_or_make(&path, || {
            write(&path, "theirs").unwrap();
            Ok("ours".to_owned())
        });
        assert_eq!(got.unwrap(), "theirs");
    }
}
