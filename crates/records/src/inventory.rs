//! What hosts say that they have.

use domain::Timestamp;
use fleet::Inventory;

use crate::{
    Records,
    database::{Database, DatabaseError, params, transaction},
};

impl<D: Database> Records<D> {
    /// Keeps what there is on `host`; with the last part, in the place of what was there before.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing is kept then.
    pub async fn take_inventory(
        &self,
        host: &str,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        transaction(&self.database, async {
            for item in &inventory.items {
                let statement = "INSERT OR REPLACE INTO inventories (host, space, taken_at, containers, \
                     running, volumes, networks, volumes_wanted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
                let parameters = params![
                    host,
                    item.space.as_str(),
                    inventory.taken_at,
                    i64::from(item.n_containers),
                    i64::from(item.n_running),
                    i64::from(item.n_volumes),
                    i64::from(item.n_networks),
                    item.n_volumes_wanted.map(i64::from),
                ];
                self.database.execute(statement, parameters).await?;
            }
            if !inventory.is_last {
                return Ok(());
            }
            let statement = "DELETE FROM inventories WHERE host = ? AND taken_at <> ?";
            self.database.execute(statement, params![host, inventory.taken_at]).await?;
            // What changed between the look and now is not in it.
            let looked_at = inventory.taken_at.min(now);
            let statement = "UPDATE hosts SET inventory_at = ? WHERE name = ?";
            self.database.execute(statement, params![looked_at, host]).await.map(|_| ())
        })
        .await
    }
}
