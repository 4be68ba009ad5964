//! What happened to a space.

use domain::{SpaceId, Timestamp};

use crate::{
    Records,
    database::{Database, DatabaseError, Row, params},
};

/// One thing that happened to a space.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRecord {
    /// Its number; greater is later, over all spaces.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What, in kebab-case: `created`, `phase-changed`.
    pub kind: String,
    /// Who: a wallet's address, `host:<name>` or `operator`.
    pub actor: String,
    /// The particulars, as JSON.
    pub detail: serde_json::Value,
}

impl EventRecord {
    /// Reads the columns seq, at, kind, actor and detail.
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            seq: row.unsigned(0),
            at: Timestamp::from_unix_ms(row.integer(1)),
            kind: row.text(2).to_owned(),
            actor: row.text(3).to_owned(),
            detail: serde_json::from_str(row.text(4)).unwrap_or_default(),
        }
    }
}

impl<D: Database> Records<D> {
    /// The events of `space` with numbers above `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn events(
        &self,
        space: &SpaceId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EventRecord>, DatabaseError> {
        let rows = self
            .database
            .execute(
                "SELECT seq, at, kind, actor, detail FROM events WHERE space = ? AND seq > ? \
                 ORDER BY seq LIMIT ?",
                params![space.as_str(), after, i64::from(limit)],
            )
            .await?;
        Ok(rows.iter().map(EventRecord::of).collect())
    }

    /// Writes down that `actor` was shown the way to the credentials of `space`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn note_credentials_read(
        &self,
        space: &SpaceId,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let detail = serde_json::json!({});
        self.record_event(space, now, "credentials-read", actor, &detail).await.map(|_| ())
    }

    /// Writes down that something happened; returns its number.
    pub(crate) async fn record_event(
        &self,
        space: &SpaceId,
        at: Timestamp,
        kind: &str,
        actor: &str,
        detail: &serde_json::Value,
    ) -> Result<u64, DatabaseError> {
        let rows = self
            .database
            .execute(
                "INSERT INTO events (space, at, kind, actor, detail) VALUES (?, ?, ?, ?, ?) \
                 RETURNING seq",
                params![space.as_str(), at, kind, actor, detail.to_string()],
            )
            .await?;
        Ok(rows.first().map_or(0, |row| row.unsigned(0)))
    }
}
