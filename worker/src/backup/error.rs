//! Why a file is not a backup that can be relied on.

use std::{io, path::PathBuf};

/// Why a file is not a backup that can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The key can't be read.
    #[error("could not read the key {}", path.display())]
    Key {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A file or folder can't be read.
    #[error("could not read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It is something else.
    #[error("this is no backup of Spaceport: {0}")]
    Foreign(&'static str),
    /// It is encrypted to somebody else.
    #[error("it does not open with this host's key: it is of another host")]
    WrongKey,
    /// Its end is missing.
    #[error("it is cut short")]
    CutShort,
    /// It is not what was written.
    #[error("it was altered")]
    Altered,
    /// One of both: where a file ends, nobody can tell.
    #[error("it was altered or cut short")]
    Damaged,
    /// It is of a version of Spaceport that does what this one can't.
    #[error("it is of the format {0}, which this version of Spaceport does not know")]
    Format(u32),
    /// It opens, and has not in it what it should.
    #[error("it does not hold what its manifest says: {0}")]
    Mismatch(&'static str),
}
