//! Bringing the schema up to date.

use domain::{Timestamp, hex};
use sha2::{Digest, Sha256};

use crate::{
    Records,
    database::{Database, DatabaseError, params, transaction},
};

/// Every migration, oldest first. One that has been released is never changed.
const MIGRATIONS: [(&str, &str); 6] = [
    ("0001_spaces", include_str!("../migrations/0001_spaces.sql")),
    ("0002_keys", include_str!("../migrations/0002_keys.sql")),
    ("0003_ledger", include_str!("../migrations/0003_ledger.sql")),
    ("0004_releases", include_str!("../migrations/0004_releases.sql")),
    ("0005_domains", include_str!("../migrations/0005_domains.sql")),
    ("0006_billing", include_str!("../migrations/0006_billing.sql")),
];

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was written by a newer version.
    #[error("the records were written by a newer version: migration {0} is unknown here")]
    Newer(String),
    /// A migration is not what it was when it ran.
    #[error("migration {0} is not the one that made these records")]
    Altered(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl<D: Database> Records<D> {
    /// Runs the migrations that have not run yet. Several may do so at once.
    ///
    /// # Errors
    /// [`MigrateError`]; the schema is as it was before the migration that failed.
    pub async fn migrate(&self, now: Timestamp) -> Result<(), MigrateError> {
        let database = &self.database;
        database
            .execute(
                "CREATE TABLE IF NOT EXISTS migrations (name TEXT NOT NULL PRIMARY KEY, \
                 sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
                Vec::new(),
            )
            .await?;
        // The common case takes no write lock: every instance of a component begins here.
        if self.pending().await?.is_empty() {
            return Ok(());
        }
        // Kept in the file; readers and the writer don't wait for each other.
        database.execute("PRAGMA journal_mode = WAL", Vec::new()).await?;
        transaction(database, async {
            for (name, script) in self.pending().await? {
                for statement in statements(script) {
                    database.execute(statement, Vec::new()).await?;
                }
                let insert = "INSERT INTO migrations (name, sha256, applied_at) VALUES (?, ?, ?)";
                database.execute(insert, params![*name, sha256_hex(script), now]).await?;
            }
            Ok(())
        })
        .await
    }

    /// The migrations that have not run yet.
    async fn pending(&self) -> Result<&'static [(&'static str, &'static str)], MigrateError> {
        let applied = self
            .database
            .execute("SELECT name, sha256 FROM migrations ORDER BY name", Vec::new())
            .await?;
        for (index, row) in applied.iter().enumerate() {
            match MIGRATIONS.get(index) {
                Some((name, script)) if *name == row.text(0) => {
                    if row.text(1) != sha256_hex(script) {
                        return Err(MigrateError::Altered((*name).to_owned()));
                    }
                }
                _ => return Err(MigrateError::Newer(row.text(0).to_owned())),
            }
        }
        Ok(&MIGRATIONS[applied.len()..])
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`DatabaseError`] if it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.database.execute("SELECT 1 FROM hosts LIMIT 1", Vec::new()).await.map(|_| ())
    }
}

/// The statements of a script: its paragraphs, without those that are comment only.
fn statements(script: &str) -> impl Iterator<Item = &str> {
    script.split("\n\n").map(str::trim).filter(|paragraph| {
        paragraph.lines().any(|line| !line.trim_start().starts_with("--") && !line.is_empty())
    })
}

fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
