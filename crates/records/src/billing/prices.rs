//! Price versions.

use billing::{Rates, Valid};
use domain::{Money, Timestamp};

use crate::{
    Records,
    database::{Database, DatabaseError, Row, params, transaction},
};

/// What things cost in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRecord {
    /// Its number; greater is later.
    pub version: u64,
    /// What they cost.
    pub rates: Rates,
    /// In which while. The first version is in force from the beginning.
    pub valid: Valid,
}

impl<D: Database> Records<D> {
    /// Takes note that things cost `rates` from now on, if that is news.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn note_price(&self, rates: &Rates, now: Timestamp) -> Result<(), DatabaseError> {
        let is_news = |prices: &[PriceRecord]| prices.last().is_none_or(|it| it.rates != *rates);
        if !is_news(&self.prices().await?) {
            return Ok(());
        }
        transaction(&self.database, async {
            let prices = self.prices().await?;
            if !is_news(&prices) {
                return Ok(());
            }
            // The first is in force since ever, another from the next second on.
            let from_s = match prices.last() {
                None => 0,
                Some(last) => {
                    let now_s = self.billing_second(now).await?;
                    now_s.max(last.valid.from_s).saturating_add(1)
                }
            };
            let statement = "INSERT INTO prices (from_s, base_month, post, storage_gib_month, \
                 storage_free_gib) VALUES (?, ?, ?, ?, ?)";
            let parameters = params![
                from_s,
                rates.base_month.micros(),
                rates.post.micros(),
                rates.storage_gib_month.micros(),
                i64::from(rates.storage_free_gib),
            ];
            self.database.execute(statement, parameters).await.map(|_| ())
        })
        .await
    }

    /// All price versions, oldest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn prices(&self) -> Result<Vec<PriceRecord>, DatabaseError> {
        let statement = "SELECT version, from_s, lead(from_s) OVER (ORDER BY from_s), base_month, \
             post, storage_gib_month, storage_free_gib FROM prices ORDER BY from_s";
        let rows = self.database.execute(statement, Vec::new()).await?;
        let unreadable = || DatabaseError("a price can't be read".to_owned());
        rows.iter().map(|row| price(row).ok_or_else(unreadable)).collect()
    }
}

/// The price in force at a second; nothing if there is none at all.
pub(super) fn price_at(prices: &[PriceRecord], at_s: i64) -> Option<&PriceRecord> {
    prices.iter().rev().find(|it| it.valid.from_s <= at_s).or(prices.first())
}

fn price(row: &Row) -> Option<PriceRecord> {
    let money = |index| Money::from_micros(row.unsigned(index));
    Some(PriceRecord {
        version: row.unsigned(0),
        rates: Rates {
            base_month: money(3)?,
            post: money(4)?,
            storage_gib_month: money(5)?,
            storage_free_gib: u32::try_from(row.unsigned(6)).ok()?,
        },
        valid: Valid { from_s: row.integer(1), to_s: row.optional_integer(2) },
    })
}
