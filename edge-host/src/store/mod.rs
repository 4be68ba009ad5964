//! The stores behind the host interfaces. Nothing here knows WebAssembly.

pub(crate) mod key_value;
pub(crate) mod sqlite;

use std::{fs, io, path::Path};

use rusqlite::Connection;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its directory could not be made.
    #[error("its directory could not be made")]
    Directory(#[from] io::Error),
    /// SQLite refused.
    #[error("SQLite refused it")]
    Sqlite(#[from] rusqlite::Error),
}

/// How much a store gives up of its last writes when the power fails.
#[derive(Clone, Copy)]
enum Durability {
    /// Nothing that was committed: one `fsync` a commit.
    Committed,
    /// The last moments, but never its consistency: one `fsync` a checkpoint.
    Recent,
}

/// Opens the file at `path`, and makes it and its directory if need be.
fn open(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let connection = Connection::open(path)?;
    // Opening runs on the thread that starts the edge or a guest's request; it may wait a little.
    connection.busy_timeout(std::time::Duration::from_secs(1))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Committed => "FULL",
        Durability::Recent => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}
