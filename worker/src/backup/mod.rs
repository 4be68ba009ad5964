//! Backups of spaces: files that an operator can open by hand, with `age`, `zstd` and `tar`.
//!
//! ```text
//! <state>/worker/backup.key                               what opens them: an age identity
//! <state>/backups/<space id>/final-<unix seconds>.tar.zst.age
//!
//! about.json                 whose it is: the first entry, so that it is quickly read
//! volumes/<volume>/…         what the volumes hold
//! databases/<key>.dump       what the space has in services of the host, by `pg_dump -Fc`
//! manifest.json              the last entry: size and SHA-256 of all others, and what is missing
//! ```
//!
//! Owns: the format, the key, where the files are and for how long. Does not own: how a volume is
//! read, or when a backup is made: those are Docker's and the planner's.
//!
//! Invariants: a file without `.part` at its end was complete when it got its name, was read back
//! from the disk and held what its manifest says. Memory does not grow with what is backed up.

mod about;
mod archive;
mod copy_tar;
mod entry;
mod error;
mod forget;
mod key;
mod list;
mod manifest;
mod open;
mod pipe;
mod read_tar;
mod record;
mod shelf;
mod verify;
mod watched;

pub(crate) use self::{
    about::{About, BackupKind, FORMAT},
    archive::ArchiveWriter,
    forget::forget,
    key::BackupKey,
    pipe::pipe,
    record::FinalBackup,
    shelf::Shelf,
    verify::verify,
    watched::{Alive, Token, Watched},
};
pub use self::{
    error::BackupError,
    list::{KeptBackup, list_backups},
    verify::{VerifiedBackup, verify_backup},
};

/// What `<state>/backups` and `<state>/worker/backup.key` are called there.
const BACKUPS: &str = "backups";
const KEY: &str = "backup.key";

/// The names of the first and the last entry.
const ABOUT: &str = "about.json";
const MANIFEST: &str = "manifest.json";

/// How much is read at once, in bytes.
const CHUNK_LEN: usize = 1 << 18;

#[cfg(test)]
mod tests;
