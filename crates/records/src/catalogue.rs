//! What can be had: apps and names.

use std::time::Duration;

use domain::{SpaceId, SpaceName, Timestamp};
use fleet::AppOffer;

use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

/// How long a host that was not heard of is taken to be there. A worker asks every 20 s.
pub const HOST_ALIVE: Duration = Duration::from_secs(90);

impl<D: Database> Records<D> {
    /// Every app that some host can run, by id, as the host heard of last offers it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn apps(&self) -> Result<Vec<AppOffer>, DatabaseError> {
        // SQLite takes the other columns from the row that has the maximum.
        let statement = "SELECT document, max(seen_at) FROM offers JOIN hosts ON name = host \
             GROUP BY app ORDER BY app";
        let rows = self.database.execute(statement, Vec::new()).await?;
        Ok(rows.iter().filter_map(|row| serde_json::from_str(row.text(0)).ok()).collect())
    }

    /// The app `id`, if some host can run it, as the host heard of last offers it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn app(&self, id: &str) -> Result<Option<AppOffer>, DatabaseError> {
        let statement = "SELECT document FROM offers JOIN hosts ON name = host \
             WHERE app = ? ORDER BY seen_at DESC LIMIT 1";
        let rows = self.database.execute(statement, params![id]).await?;
        Ok(rows.first().and_then(|row| serde_json::from_str(row.text(0)).ok()))
    }

    /// What `host` offers under the id `app` now.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn offer(&self, host: &str, app: &str) -> Result<Option<AppOffer>, DatabaseError> {
        let statement = "SELECT document FROM offers WHERE host = ? AND app = ?";
        let rows = self.database.execute(statement, params![host, app]).await?;
        Ok(rows.first().and_then(|row| serde_json::from_str(row.text(0)).ok()))
    }

    /// The memory that `host` has left for spaces, in MiB, if `without` needed none.
    pub(crate) async fn room(&self, host: &str, without: &SpaceId) -> Result<i64, DatabaseError> {
        let statement = "SELECT memory_mib - (SELECT coalesce(sum(memory_mib), 0) FROM spaces \
             WHERE host = hosts.name AND phase <> 'deleted' AND id <> ?) FROM hosts WHERE name = ?";
        let rows = self.database.execute(statement, params![without.as_str(), host]).await?;
        Ok(rows.first().map_or(0, |row| row.integer(0)))
    }

    /// Whether a living space has this name.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn name_is_taken(&self, name: &SpaceName) -> Result<bool, DatabaseError> {
        let statement = "SELECT 1 FROM spaces WHERE name = ? AND desired <> 'deleted'";
        let rows = self.database.execute(statement, params![name.as_str()]).await?;
        Ok(!rows.is_empty())
    }

    /// The living host with the most room that makes this very offer, if its room is enough.
    pub(crate) async fn host_with_room(
        &self,
        offer: &AppOffer,
        now: Timestamp,
    ) -> Result<Option<String>, DatabaseError> {
        let oldest =
            now.unix_ms().saturating_sub(i64::try_from(HOST_ALIVE.as_millis()).unwrap_or(i64::MAX));
        let rows = self
            .database
            .execute(
                "SELECT o.host, h.memory_mib - (SELECT coalesce(sum(memory_mib), 0) \
                 FROM spaces WHERE host = o.host AND phase <> 'deleted') AS room \
                 FROM offers o JOIN hosts h ON h.name = o.host \
                 WHERE o.app = ? AND o.document = ? AND h.seen_at > ? AND room >= o.memory_mib \
                 AND h.drained_at IS NULL ORDER BY room DESC, o.host LIMIT 1",
                params![offer.id.as_str(), offer_document(offer), oldest],
            )
            .await?;
        Ok(rows.first().map(|row| row.text(0).to_owned()))
    }
}

/// An offer as it is kept. The same offer is always the same text.
pub(crate) fn offer_document(offer: &AppOffer) -> String {
    serde_json::to_string(offer).expect("an offer is plain data")
}
