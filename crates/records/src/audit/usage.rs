//! Whether what was measured, rated, charged and invoiced is one and the same.

use super::{LISTED_MAX, text};
use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

/// What is wrong with what was used and charged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFindings {
    /// Hours that are not the sum of their readings: `<space>/<Unix second>`.
    pub bad_hours: Vec<String>,
    /// Lines whose amount is not what their quantity costs: `<space>/<month>/<meter>`.
    pub bad_lines: Vec<String>,
    /// Spaces whose lines and ledger disagree about what they were charged.
    pub bad_charges: Vec<String>,
    /// Invoices that are not the sum of their lines: `<space>/<month>`.
    pub bad_invoices: Vec<String>,
    /// Spaces that are charged while suspended, or not charged while they run.
    pub bad_periods: Vec<String>,
}

const HOURS: &str = "WITH sums AS (SELECT space, at_s - at_s % 3600 AS hour_s, sum(posts) AS posts, \
    sum(seconds) AS seconds, sum(running_seconds) AS running, sum(hibernated_seconds) AS hibernated, \
    sum(cpu_ms) AS cpu_ms, sum(memory_mib_seconds) AS memory, sum(network_rx_bytes) AS rx, \
    sum(network_tx_bytes) AS tx, sum(disk_read_bytes) AS reads, sum(disk_write_bytes) AS writes, \
    sum(storage_kib * seconds) AS storage FROM readings GROUP BY 1, 2) \
    SELECT space || '/' || hour_s FROM usage_hours u FULL JOIN sums s USING (space, hour_s) \
    WHERE (u.posts, u.seconds, u.running_seconds, u.hibernated_seconds, u.cpu_ms, u.memory_mib_seconds, \
      u.network_rx_bytes, u.network_tx_bytes, u.disk_read_bytes, u.disk_write_bytes, u.storage_kib_s) \
    IS NOT (s.posts, s.seconds, s.running, s.hibernated, s.cpu_ms, s.memory, s.rx, s.tx, s.reads, \
      s.writes, s.storage) LIMIT ?";

const CHARGES: &str = "WITH paid AS (SELECT substr(debit, 7) AS space, sum(amount) AS paid \
    FROM transfers WHERE kind = 'usage' GROUP BY 1), \
    taken AS (SELECT space, sum(charged) AS taken FROM lines GROUP BY 1) \
    SELECT space FROM paid FULL JOIN taken USING (space) \
    WHERE coalesce(paid, 0) <> coalesce(taken, 0) LIMIT ?";

const INVOICES: &str = "SELECT space || '/' || month FROM invoices WHERE total <> (SELECT \
    coalesce(sum(amount), 0) FROM lines WHERE space = invoices.space AND month = invoices.month) LIMIT ?";

const PERIODS: &str = "SELECT id FROM spaces WHERE (ready_at IS NOT NULL \
    AND phase NOT IN ('suspending', 'suspended', 'deleting', 'deleted')) \
    <> EXISTS (SELECT 1 FROM periods WHERE space = id AND to_s IS NULL) LIMIT ?";

impl<D: Database> Records<D> {
    pub(super) async fn audit_usage(&self) -> Result<UsageFindings, DatabaseError> {
        let limit = || params![LISTED_MAX];
        Ok(UsageFindings {
            bad_hours: self.found(HOURS, limit(), text).await?,
            bad_lines: self.bad_lines().await?,
            bad_charges: self.found(CHARGES, limit(), text).await?,
            bad_invoices: self.found(INVOICES, limit(), text).await?,
            bad_periods: self.found(PERIODS, limit(), text).await?,
        })
    }

    /// Rates every line anew.
    async fn bad_lines(&self) -> Result<Vec<String>, DatabaseError> {
        let is_bad = |it: &(_, crate::LineRecord)| {
            let line = &it.1;
            let right = line.meter.amount(line.quantity, &line.price.rates, line.used_month);
            line.amount != right
        };
        let lines = self.all_lines().await?;
        let bad = lines.into_iter().filter(is_bad).take(usize::try_from(LISTED_MAX).unwrap_or(0));
        Ok(bad.map(|(space, it)| format!("{space}/{}/{}", it.month, it.meter.as_str())).collect())
    }
}
