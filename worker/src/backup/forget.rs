//! Removes backups when their time has come.

use std::{io, time::Duration};

use domain::Timestamp;
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::Shelf;

/// How often backups are looked through for those that are too old.
const RETENTION_PERIOD: Duration = Duration::from_hours(24);

/// Removes backups from now on when their time has come.
pub(crate) async fn forget(shelf: Shelf, retention_days: u16, now: fn() -> Timestamp) {
    let retention = Duration::from_hours(24 * u64::from(retention_days));
    let mut period = interval(RETENTION_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let shelf = shelf.clone();
        let removed = spawn_blocking(move || shelf.remove_expired(now(), retention)).await;
        match removed.map_err(io::Error::other).flatten() {
            Ok(0) => {}
            Ok(n_removed) => tracing::info!(n_removed, "old final backups are removed"),
            Err(error) => tracing::warn!(%error, "old final backups could not be removed"),
        }
    }
}
