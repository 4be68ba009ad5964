//! Hosts and what they offer.

use domain::Timestamp;
use fleet::Hello;

use crate::{
    Records,
    catalogue::offer_document,
    database::{Database, DatabaseError, Row, params, transaction},
};

/// A machine that runs spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRecord {
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its worker was last heard of.
    pub seen_at: Option<Timestamp>,
    /// The worker's version.
    pub version: Option<String>,
    /// Where its gateway is reached.
    pub gateway_url: Option<String>,
    /// Memory that spaces may have, in MiB.
    pub memory_mib: u64,
    /// Memory that the limits of its living spaces add up to, in MiB.
    pub memory_used_mib: u64,
    /// Living spaces on it.
    pub n_spaces: u64,
    /// Since when it gets no more spaces.
    pub drained_at: Option<Timestamp>,
    /// When its worker last said what is there.
    pub inventory_at: Option<Timestamp>,
}

/// What became of adding a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddHost {
    /// It is there, and the key is its key.
    Added,
    /// A worker has already used the name's key, which stays as it is.
    InUse,
}

const SELECT: &str = "SELECT h.name, h.created_at, h.seen_at, h.version, h.gateway_url, \
    h.memory_mib, coalesce(sum(s.memory_mib), 0), count(s.id), h.drained_at, h.inventory_at \
    FROM hosts h \
    LEFT JOIN spaces s ON s.host = h.name AND s.phase <> 'deleted'";

impl<D: Database> Records<D> {
    /// Adds the host `name`, or gives it a new key if no worker has used the one it has: whoever
    /// asked may have died before the key was kept.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_host(
        &self,
        name: &str,
        key_sha256: &str,
        now: Timestamp,
    ) -> Result<AddHost, DatabaseError> {
        let rows = self
            .database
            .execute(
                "INSERT INTO hosts (name, key_sha256, created_at) VALUES (?, ?, ?) \
                 ON CONFLICT (name) DO UPDATE SET key_sha256 = excluded.key_sha256 \
                 WHERE seen_at IS NULL RETURNING name",
                params![name, key_sha256, now],
            )
            .await?;
        Ok(if rows.is_empty() { AddHost::InUse } else { AddHost::Added })
    }

    /// The name of the host whose key has this hash.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn host_of_key(&self, key_sha256: &str) -> Result<Option<String>, DatabaseError> {
        let rows = self
            .database
            .execute("SELECT name FROM hosts WHERE key_sha256 = ?", params![key_sha256])
            .await?;
        Ok(rows.first().map(|row| row.text(0).to_owned()))
    }

    /// Every host, by name.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn hosts(&self) -> Result<Vec<HostRecord>, DatabaseError> {
        let statement = format!("{SELECT} GROUP BY h.name ORDER BY h.name");
        let rows = self.database.execute(&statement, Vec::new()).await?;
        Ok(rows.iter().map(host).collect())
    }

    /// Keeps what the worker of `host` said of it.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing is kept then.
    pub async fn hello(
        &self,
        host: &str,
        hello: &Hello,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let database = &self.database;
        transaction(database, async {
            database
                .execute(
                    "UPDATE hosts SET seen_at = ?, version = ?, gateway_url = ?, memory_mib = ? \
                     WHERE name = ?",
                    params![
                        now,
                        hello.version.as_str(),
                        hello.gateway_url.as_str(),
                        hello.memory_mib,
                        host
                    ],
                )
                .await?;
            database.execute("DELETE FROM offers WHERE host = ?", params![host]).await?;
            for app in &hello.apps {
                let document = offer_document(app);
                database
                    .execute(
                        "INSERT INTO offers (host, app, memory_mib, document) VALUES (?, ?, ?, ?)",
                        params![host, app.id.as_str(), i64::from(app.memory_mib), document],
                    )
                    .await?;
                database
                    .execute(
                        "INSERT INTO releases (app, release, version, memory_mib) \
                         VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                        params![
                            app.id.as_str(),
                            app.release.as_str(),
                            app.version.as_str(),
                            i64::from(app.memory_mib),
                        ],
                    )
                    .await?;
            }
            Ok(())
        })
        .await
    }

    /// Notes that the worker of `host` was heard of, unless that was noted within `step_ms`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn touch_host(
        &self,
        host: &str,
        now: Timestamp,
        step_ms: i64,
    ) -> Result<(), DatabaseError> {
        let oldest = now.unix_ms().saturating_sub(step_ms);
        let statement = "UPDATE hosts SET seen_at = ? WHERE name = ? AND seen_at < ?";
        self.database.execute(statement, params![now, host, oldest]).await.map(|_| ())
    }
}

fn host(row: &Row) -> HostRecord {
    HostRecord {
        name: row.text(0).to_owned(),
        created_at: Timestamp::from_unix_ms(row.integer(1)),
        seen_at: row.optional_integer(2).map(Timestamp::from_unix_ms),
        version: row.optional_text(3).map(str::to_owned),
        gateway_url: row.optional_text(4).map(str::to_owned),
        memory_mib: row.unsigned(5),
        memory_used_mib: row.unsigned(6),
        n_spaces: row.unsigned(7),
        drained_at: row.optional_integer(8).map(Timestamp::from_unix_ms),
        inventory_at: row.optional_integer(9).map(Timestamp::from_unix_ms),
    }
}
