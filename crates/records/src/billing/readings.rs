//! Taking in what workers measured, each once.

use billing::{Meter, Month, storage_quantity};
use domain::Timestamp;
use fleet::Reading;

use super::{
    lines::LineKey,
    prices::{PriceRecord, price_at},
};
use crate::{
    Records,
    database::{Database, DatabaseError, params, transaction},
};

/// Longest reading, in seconds: a worker was away for so long. 48 days.
const SECONDS_MAX: u64 = 1 << 22;

/// Most storage, in KiB: a PiB. Times the longest time it fits into 63 bits.
const STORAGE_KIB_MAX: u64 = 1 << 40;

/// Most of anything else, so that sums fit into 63 bits.
const AMOUNT_MAX: u64 = 1 << 53;

/// What is known of the space of a reading.
struct Subject {
    created_s: i64,
    is_free: bool,
    /// The last month that has an invoice.
    invoiced: Option<Month>,
}

impl<D: Database> Records<D> {
    /// Takes in what `host` measured, in one transaction; a reading that is known changes nothing.
    /// Returns the ids of those that can't be, or are of no space of this host.
    ///
    /// # Errors
    /// [`DatabaseError`]; none is taken then. So it is while no price is known.
    pub async fn take_readings(
        &self,
        host: &str,
        readings: &[Reading],
        now: Timestamp,
    ) -> Result<Vec<String>, DatabaseError> {
        transaction(&self.database, async {
            let (prices, now_s) = (self.prices().await?, self.billing_second(now).await?);
            if prices.is_empty() {
                return Err(DatabaseError("no price is known yet".to_owned()));
            }
            let mut refused = Vec::new();
            for reading in readings {
                let subject =
                    if can_be(reading) { self.subject(host, reading).await? } else { None };
                match subject {
                    Some(subject) => self.take_reading(reading, &subject, &prices, now_s).await?,
                    None => refused.push(reading.id.clone()),
                }
            }
            Ok(refused)
        })
        .await
    }

    async fn subject(
        &self,
        host: &str,
        reading: &Reading,
    ) -> Result<Option<Subject>, DatabaseError> {
        let statement = "SELECT created_at, is_free, (SELECT max(month) FROM invoices \
             WHERE space = id) FROM spaces LEFT JOIN standings ON space = id \
             WHERE id = ? AND host = ?";
        let rows = self.database.execute(statement, params![reading.space.as_str(), host]).await?;
        Ok(rows.first().map(|row| Subject {
            created_s: row.integer(0).div_euclid(1000),
            is_free: row.integer(1) == 1,
            invoiced: row.optional_text(2).and_then(|it| it.parse().ok()),
        }))
    }

    async fn take_reading(
        &self,
        reading: &Reading,
        subject: &Subject,
        prices: &[PriceRecord],
        now_s: i64,
    ) -> Result<(), DatabaseError> {
        let space = &reading.space;
        // The clock of a host may be wrong; ours says what can be. The running second is not over, so
        // it is not known yet whether its end is in a period.
        let at_s = reading.from.unix_s().min(now_s.saturating_sub(1)).max(subject.created_s);
        if !self.insert_reading(reading, at_s, now_s).await? || subject.is_free {
            return Ok(());
        }
        let Some(price) = price_at(prices, at_s) else { return Ok(()) };
        let used_month = Month::of_second(at_s);
        let month = self.open_month(reading, used_month, subject.invoiced).await?;
        let key = |meter| LineKey { space, month, used_month, meter, price };
        self.add_to_line(&key(Meter::Posts), reading.posts).await?;
        let storage = storage_quantity(reading.storage_kib, reading.seconds, &price.rates);
        if 0 < storage && self.is_in_period(reading, at_s).await? {
            self.add_to_line(&key(Meter::Storage), storage).await?;
        }
        Ok(())
    }

    /// Whether it is news.
    async fn insert_reading(
        &self,
        reading: &Reading,
        at_s: i64,
        now_s: i64,
    ) -> Result<bool, DatabaseError> {
        let statement = "INSERT INTO readings (id, space, from_s, to_s, at_s, taken_s, seconds, \
             running_seconds, hibernated_seconds, cpu_ms, memory_mib_seconds, network_rx_bytes, \
             network_tx_bytes, disk_read_bytes, disk_write_bytes, storage_kib, posts) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 \
             WHERE NOT EXISTS (SELECT 1 FROM readings WHERE id = ?1) RETURNING 1";
        let parameters = params![
            reading.id.as_str(),
            reading.space.as_str(),
            reading.from.unix_s(),
            reading.to.unix_s(),
            at_s,
            now_s,
            reading.seconds,
            reading.running_seconds,
            reading.hibernated_seconds,
            reading.cpu_ms,
            reading.memory_mib_seconds,
            reading.network_rx_bytes,
            reading.network_tx_bytes,
            reading.disk_read_bytes,
            reading.disk_write_bytes,
            reading.storage_kib,
            reading.posts,
        ];
        Ok(!self.database.execute(statement, parameters).await?.is_empty())
    }

    /// The first month from `used_month` on that has no invoice yet.
    async fn open_month(
        &self,
        reading: &Reading,
        used_month: Month,
        invoiced: Option<Month>,
    ) -> Result<Month, DatabaseError> {
        let mut month = used_month;
        while invoiced.is_some_and(|it| month <= it)
            && self.has_invoice(&reading.space, month).await?
        {
            month = month.next();
        }
        Ok(month)
    }

    async fn is_in_period(&self, reading: &Reading, at_s: i64) -> Result<bool, DatabaseError> {
        let statement = "SELECT 1 FROM periods WHERE space = ?1 AND from_s <= ?2 \
             AND coalesce(?2 < to_s, TRUE)";
        let rows = self.database.execute(statement, params![reading.space.as_str(), at_s]).await?;
        Ok(!rows.is_empty())
    }
}

fn can_be(reading: &Reading) -> bool {
    let is_id = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    let amounts = [
        reading.cpu_ms,
        reading.memory_mib_seconds,
        reading.network_rx_bytes,
        reading.network_tx_bytes,
        reading.disk_read_bytes,
        reading.disk_write_bytes,
        reading.posts,
    ];
    (3..=64).contains(&reading.id.len())
        && reading.id.bytes().all(is_id)
        && reading.from <= reading.to
        && reading.seconds <= SECONDS_MAX
        && reading.running_seconds <= reading.seconds
        && reading.hibernated_seconds <= reading.seconds
        && reading.storage_kib <= STORAGE_KIB_MAX
        && amounts.iter().all(|it| *it <= AMOUNT_MAX)
}
