//! How things stand, in numbers that an operator watches.

use domain::Timestamp;

use crate::{
    HOST_ALIVE, Records,
    database::{Database, DatabaseError, Row, params},
};

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Spaces that are not deleted, by phase.
    pub spaces: Vec<(String, u64)>,
    /// Spaces that have been on their way to another phase for more than 15 minutes.
    pub n_stuck: u64,
    /// Hosts.
    pub hosts: Vec<HostGauges>,
    /// Payments of which nobody knows what became of them.
    pub n_unresolved_payments: u64,
    /// Notices on their way, and those that came to nothing.
    pub n_deliveries: [u64; 2],
    /// When the space was charged that was not charged for the longest time, in Unix seconds.
    pub charged_until_s: Option<i64>,
    /// What was used and can't be paid, in µUSD.
    pub owed_micros: u64,
    /// What accounts are worth, by kind, in µUSD.
    pub money_micros: Vec<(String, i64)>,
}

/// How a host stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGauges {
    /// Its name.
    pub name: String,
    /// Whether it was heard of lately.
    pub is_alive: bool,
    /// Whether it gets no more spaces.
    pub is_drained: bool,
    /// Memory that spaces may have, and that the limits of its spaces add up to, in MiB.
    pub memory_mib: [u64; 2],
    /// Until when its spaces were measured, by the newest reading, in Unix seconds.
    pub measured_until_s: Option<i64>,
}

const STUCK_MS: i64 = 15 * 60 * 1000;

const HOSTS: &str = "SELECT name, coalesce(seen_at > ?, FALSE), drained_at IS NOT NULL, \
    memory_mib, (SELECT coalesce(sum(memory_mib), 0) FROM spaces WHERE host = hosts.name \
    AND phase <> 'deleted'), (SELECT max(hour_s) FROM usage_hours WHERE space IN \
    (SELECT id FROM spaces WHERE host = hosts.name AND phase <> 'deleted')) FROM hosts ORDER BY name";

const MONEY: &str = "SELECT substr(account, 1, instr(account || ':', ':') - 1) AS kind, \
    sum(credits - debits - held + incoming) FROM accounts GROUP BY kind ORDER BY kind";

const OWED: &str = "SELECT coalesce(sum(max(due - coalesce(credits - debits - held, 0), 0)), 0) FROM \
    (SELECT space, sum(amount - charged) AS due FROM lines WHERE charged < amount GROUP BY space) \
    JOIN standings USING (space) LEFT JOIN accounts ON account = 'space:' || space \
    WHERE ended_s IS NULL";

impl<D: Database> Records<D> {
    /// How things stand.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn gauges(&self, now: Timestamp) -> Result<Gauges, DatabaseError> {
        let ago = |ms: i64| now.unix_ms().saturating_sub(ms);
        let alive_ms = i64::try_from(HOST_ALIVE.as_millis()).unwrap_or(i64::MAX);
        let phases = "SELECT phase, count(*) FROM spaces WHERE phase <> 'deleted' GROUP BY phase";
        let stuck = "SELECT count(*) FROM spaces WHERE updated_at < ? AND phase IN ('pending', \
             'provisioning', 'waking', 'hibernating', 'suspending', 'deleting')";
        let unresolved = "SELECT count(*) FROM payments WHERE state = 'unknown'";
        let deliveries = "SELECT count(*) FILTER (WHERE state = 'pending'), \
             count(*) FILTER (WHERE state = 'failed') FROM deliveries";
        let charged = "SELECT min(accrued_s) FROM standings WHERE ended_s IS NULL";
        let one = |rows: Vec<Row>| rows.into_iter().next().unwrap_or(Row(Vec::new()));
        let ask = |statement, parameters| self.database.execute(statement, parameters);
        let deliveries = one(ask(deliveries, Vec::new()).await?);
        Ok(Gauges {
            spaces: named(&ask(phases, Vec::new()).await?),
            n_stuck: one(ask(stuck, params![ago(STUCK_MS)]).await?).unsigned(0),
            hosts: ask(HOSTS, params![ago(alive_ms)]).await?.iter().map(host).collect(),
            n_unresolved_payments: one(ask(unresolved, Vec::new()).await?).unsigned(0),
            n_deliveries: [deliveries.unsigned(0), deliveries.unsigned(1)],
            charged_until_s: one(ask(charged, Vec::new()).await?).optional_integer(0),
            owed_micros: one(ask(OWED, Vec::new()).await?).unsigned(0),
            money_micros: ask(MONEY, Vec::new())
                .await?
                .iter()
                .map(|row| (row.text(0).to_owned(), row.integer(1)))
                .collect(),
        })
    }
}

fn named(rows: &[Row]) -> Vec<(String, u64)> {
    rows.iter().map(|row| (row.text(0).to_owned(), row.unsigned(1))).collect()
}

fn host(row: &Row) -> HostGauges {
    HostGauges {
        name: row.text(0).to_owned(),
        is_alive: row.integer(1) == 1,
        is_drained: row.integer(2) == 1,
        memory_mib: [row.unsigned(3), row.unsigned(4)],
        measured_until_s: row.optional_integer(5),
    }
}
