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

// A row that is in both is there twice. Joining the two instead would take the square of the time.
const HOURS: &str = "WITH both AS (SELECT space, hour_s, posts, seconds, running_seconds, \
      hibernated_seconds, cpu_ms, memory_mib_seconds, network_rx_bytes, network_tx_bytes, \
      disk_read_bytes, disk_write_bytes, storage_kib_s FROM usage_hours \
    UNION ALL SELECT space, at_s - at_s % 3600, sum(posts), sum(seconds), sum(running_seconds), \
      sum(hibernated_seconds), sum(cpu_ms), sum(memory_mib_seconds), sum(network_rx_bytes), \
      sum(network_tx_bytes), sum(disk_read_bytes), sum(disk_write_bytes), sum(storage_kib * seconds) \
      FROM readings GROUP BY 1, 2) \
    SELECT DISTINCT space || '/' || hour_s FROM (SELECT *, count(*) AS n FROM both \
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13) WHERE n <> 2 LIMIT ?";

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
