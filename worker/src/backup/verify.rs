//! Reads a backup and compares it with its manifest.

use std::{
    io::{self, BufReader, Read, Write},
    path::Path,
};

use domain::{SpaceId, Timestamp};
use zstd::Decoder;

use super::{
    ABOUT, About, Alive, BackupError, BackupKey, KEY, MANIFEST, Token,
    about::{AnyFormat, FORMAT},
    copy_tar::Hashed,
    entry::{Digest, Entry, Kind, Name},
    manifest::ReadManifest,
    open::{Opened, Wrong, open},
    read_tar::{Member, TarReader},
};

/// The longest `about.json` that is read, in bytes.
const ABOUT_LEN_MAX: u64 = 64 * 1024;

const NO_ABOUT: &str = "it does not begin with an about.json";

/// A backup that holds what its manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBackup {
    /// The space.
    pub space: SpaceId,
    /// What the space was called, if that was known.
    pub name: Option<String>,
    /// The app's id.
    pub app: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How many files, folders and links are in it.
    pub n_entries: u64,
    /// How many bytes the files have.
    pub bytes: u64,
    /// What was gone when it was made: `volumes/data`, `databases/main`.
    pub missing: Vec<String>,
}

/// Verifies the backup `file` with the key of the state.
///
/// # Errors
/// [`BackupError`].
pub fn verify_backup(state_dir: &Path, file: &Path) -> Result<VerifiedBackup, BackupError> {
    let alive = Alive::default();
    verify(file, &key_of(state_dir)?, alive.token())
}

pub(super) fn key_of(state_dir: &Path) -> Result<BackupKey, BackupError> {
    let path = state_dir.join("worker").join(KEY);
    BackupKey::open(&path).map_err(|cause| BackupError::Key { path, cause })
}

/// Reads all of the backup `file`, and compares it with its manifest.
///
/// # Errors
/// [`BackupError`].
pub(crate) fn verify(
    file: &Path,
    key: &BackupKey,
    token: Token,
) -> Result<VerifiedBackup, BackupError> {
    let opened = open(file, key, token)?;
    let trouble = opened.trouble();
    check(opened).map_err(|error| trouble.explain(&error))
}

/// Reads whose the backup `file` is, and nothing else of it.
///
/// # Errors
/// [`BackupError`].
pub(super) fn read_about(file: &Path, key: &BackupKey) -> Result<About, BackupError> {
    let alive = Alive::default();
    let opened = open(file, key, alive.token())?;
    let trouble = opened.trouble();
    let about = Decoder::new(opened).map_err(Wrong::from);
    let about = about.and_then(|it| about_of(&mut TarReader::new(it)));
    about.map(|it| it.0).map_err(|error| trouble.explain(&error))
}

fn check(opened: Opened) -> Result<VerifiedBackup, Wrong> {
    let mut archive = TarReader::new(Decoder::new(opened)?);
    let (about, entry) = about_of(&mut archive)?;
    let mut found = Digest::default();
    found.add(&entry);
    let mut manifest = None;
    while let Some(member) = archive.next()? {
        if manifest.is_some() {
            return Err(Wrong::Mismatch("something follows the manifest"));
        }
        if member.path == MANIFEST.as_bytes() {
            manifest = Some(manifest_of(&mut archive)?);
        } else {
            found.add(&entry_of(member, &mut archive, &mut io::sink())?);
        }
    }
    let manifest = manifest.ok_or(Wrong::Mismatch("it has no manifest"))?;
    if manifest.about != about {
        return Err(Wrong::Mismatch("it is of two spaces"));
    }
    let (n_entries, bytes) = (found.n_entries, found.bytes);
    if !found.equals(manifest.entries) {
        return Err(Wrong::Mismatch("its entries are others"));
    }
    let About { space, name, app, created_at, .. } = about;
    let missing = manifest.missing;
    Ok(VerifiedBackup { space, name, app, created_at, n_entries, bytes, missing })
}

/// The first entry, which says whose the backup is.
fn about_of(archive: &mut TarReader<impl Read>) -> Result<(About, Entry), Wrong> {
    let first = archive.next()?.ok_or(Wrong::Foreign(NO_ABOUT))?;
    if first.path != ABOUT.as_bytes() || ABOUT_LEN_MAX < first.bytes {
        return Err(Wrong::Foreign(NO_ABOUT));
    }
    let mut text = Vec::new();
    let entry = entry_of(first, archive, &mut text)?;
    let format: AnyFormat = serde_json::from_slice(&text).map_err(|_| Wrong::Foreign(NO_ABOUT))?;
    if format.format != FORMAT {
        return Err(Wrong::Format(format.format));
    }
    let about = serde_json::from_slice(&text);
    Ok((about.map_err(|_| Wrong::Mismatch("its about.json is none"))?, entry))
}

fn manifest_of(contents: impl Read) -> Result<ReadManifest, Wrong> {
    let read = serde_json::from_reader(BufReader::new(contents));
    read.map_err(|error: serde_json::Error| {
        if error.is_io() { Wrong::Unreadable } else { Wrong::Mismatch("its manifest is none") }
    })
}

/// What the manifest should say of `member`, whose contents go to `to`.
fn entry_of(member: Member, contents: impl Read, to: &mut impl Write) -> io::Result<Entry> {
    let Member { header, path, target, bytes, .. } = member;
    let kind = Kind::of(header.entry_type());
    let mut hashed = Hashed::new(contents);
    io::copy(&mut hashed, to)?;
    let sha256 = (kind == Kind::File).then(|| hashed.finish());
    Ok(Entry { path: Name(path), kind, bytes, sha256, target: target.map(Name) })
}
