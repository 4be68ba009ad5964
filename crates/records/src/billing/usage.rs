//! What spaces used, in windows.

use billing::Month;
use domain::{SpaceId, Timestamp};

use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

/// How long the parts are in which usage is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageWindow {
    /// An hour.
    Hour,
    /// A day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
}

impl UsageWindow {
    /// The window that this Unix second is in: its first second, and the first one after it.
    #[must_use]
    pub fn around(self, at_s: i64) -> (i64, i64) {
        let whole = |len_s: i64| {
            let from_s = at_s.div_euclid(len_s).saturating_mul(len_s);
            (from_s, from_s.saturating_add(len_s))
        };
        match self {
            Self::Hour => whole(HOUR_S),
            Self::Day => whole(DAY_S),
            Self::Month => {
                let month = Month::of_second(at_s);
                (month.start_s(), month.end_s())
            }
        }
    }
}

/// What a space used in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// For how long readings tell of it.
    pub seconds: u64,
    /// For how long containers ran.
    pub running_seconds: u64,
    /// For how long it was hibernated.
    pub hibernated_seconds: u64,
    /// CPU time, in milliseconds of one core.
    pub cpu_ms: u64,
    /// Memory times time.
    pub memory_mib_seconds: u64,
    /// What came in over the network.
    pub network_rx_bytes: u64,
    /// What went out over it.
    pub network_tx_bytes: u64,
    /// What was read from disks.
    pub disk_read_bytes: u64,
    /// What was written to them.
    pub disk_write_bytes: u64,
    /// Storage times time; its average over [`seconds`](Self::seconds) is this divided by them.
    pub storage_kib_s: u64,
    /// Posts that were published.
    pub posts: u64,
}

impl<D: Database> Records<D> {
    /// What a space used between two Unix seconds on the hour, in windows, oldest first. Windows of
    /// which nothing is told are left out.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn usage(
        &self,
        space: &SpaceId,
        from_s: i64,
        to_s: i64,
        window: UsageWindow,
    ) -> Result<Vec<UsageRecord>, DatabaseError> {
        let statement = "SELECT hour_s, seconds, running_seconds, hibernated_seconds, cpu_ms, \
             memory_mib_seconds, network_rx_bytes, network_tx_bytes, disk_read_bytes, \
             disk_write_bytes, storage_kib_s, posts FROM usage_hours \
             WHERE space = ? AND hour_s >= ? AND hour_s < ? ORDER BY hour_s";
        let rows = self.database.execute(statement, params![space.as_str(), from_s, to_s]).await?;
        let mut windows: Vec<UsageRecord> = Vec::new();
        for row in &rows {
            let (from, to) = window.around(row.integer(0));
            let (from, to) = (at(from), at(to));
            if windows.last().is_none_or(|it| it.from != from) {
                windows.push(UsageRecord::nothing(from, to));
            }
            let sum = windows.last_mut().expect("one was put there if there was none");
            let parts = [
                &mut sum.seconds,
                &mut sum.running_seconds,
                &mut sum.hibernated_seconds,
                &mut sum.cpu_ms,
                &mut sum.memory_mib_seconds,
                &mut sum.network_rx_bytes,
                &mut sum.network_tx_bytes,
                &mut sum.disk_read_bytes,
                &mut sum.disk_write_bytes,
                &mut sum.storage_kib_s,
                &mut sum.posts,
            ];
            for (column, part) in parts.into_iter().enumerate() {
                *part = part.saturating_add(row.unsigned(column.saturating_add(1)));
            }
        }
        Ok(windows)
    }
}

impl UsageRecord {
    const fn nothing(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to,
            seconds: 0,
            running_seconds: 0,
            hibernated_seconds: 0,
            cpu_ms: 0,
            memory_mib_seconds: 0,
            network_rx_bytes: 0,
            network_tx_bytes: 0,
            disk_read_bytes: 0,
            disk_write_bytes: 0,
            storage_kib_s: 0,
            posts: 0,
        }
    }
}

const fn at(unix_s: i64) -> Timestamp {
    Timestamp::from_unix_ms(unix_s.saturating_mul(1000))
}
