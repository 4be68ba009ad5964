//! What is due for what was used.

use billing::{Meter, Month};
use domain::{Money, SpaceId};

use super::prices::PriceRecord;
use crate::{
    Records,
    database::{Database, DatabaseError, Row, params},
};

/// What a space used of one thing at one price, and what of that is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRecord {
    /// On the invoice of which month it is.
    pub month: Month,
    /// In which month it was used: an earlier one if that was told too late.
    pub used_month: Month,
    /// What it is.
    pub meter: Meter,
    /// At which price.
    pub price: PriceRecord,
    /// How much: seconds, posts, or KiB-seconds above the free ones.
    pub quantity: u64,
    /// What that costs, rounded up to the µUSD.
    pub amount: Money,
    /// What of it was taken from the balance.
    pub charged: Money,
}

/// Which line.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineKey<'a> {
    pub(super) space: &'a SpaceId,
    pub(super) month: Month,
    pub(super) used_month: Month,
    pub(super) meter: Meter,
    pub(super) price: &'a PriceRecord,
}

impl<D: Database> Records<D> {
    /// The lines of a space's month, in the order of an invoice.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn lines(
        &self,
        space: &SpaceId,
        month: Month,
    ) -> Result<Vec<LineRecord>, DatabaseError> {
        let prices = self.prices().await?;
        let statement = "SELECT month, used_month, meter, price, quantity, amount, charged \
             FROM lines WHERE space = ? AND month = ?";
        let rows = self.database.execute(statement, params![space.as_str(), month.to_string()]);
        let unreadable = || DatabaseError(format!("a line of {space} can't be read"));
        let lines = rows.await?;
        let lines = lines.iter().map(|row| line(row, &prices).ok_or_else(unreadable));
        let mut lines: Vec<LineRecord> = lines.collect::<Result<_, _>>()?;
        lines.sort_by_key(|it| (it.used_month, it.meter, it.price.version));
        Ok(lines)
    }

    /// Every line there is, and of which space.
    pub(crate) async fn all_lines(&self) -> Result<Vec<(SpaceId, LineRecord)>, DatabaseError> {
        let prices = self.prices().await?;
        let statement = "SELECT month, used_month, meter, price, quantity, amount, charged, space \
             FROM lines ORDER BY space, month, used_month";
        let rows = self.database.execute(statement, Vec::new()).await?;
        let unreadable = || DatabaseError("a line can't be read".to_owned());
        rows.iter()
            .map(|row| {
                let space = row.text(7).parse().map_err(|_| unreadable())?;
                Ok((space, line(row, &prices).ok_or_else(unreadable)?))
            })
            .collect()
    }

    /// The quantity of a line so far.
    async fn quantity(&self, key: &LineKey<'_>) -> Result<u64, DatabaseError> {
        let statement = "SELECT quantity FROM lines WHERE space = ? AND month = ? \
             AND used_month = ? AND meter = ? AND price = ?";
        let rows = self.database.execute(statement, key_parameters(key)).await?;
        Ok(rows.first().map_or(0, |row| row.unsigned(0)))
    }

    /// Adds to a line.
    pub(super) async fn add_to_line(
        &self,
        key: &LineKey<'_>,
        more: u64,
    ) -> Result<(), DatabaseError> {
        if more == 0 {
            return Ok(());
        }
        let quantity = self.quantity(key).await?.saturating_add(more);
        self.write_line(key, quantity).await
    }

    /// Brings a line up to a quantity. One that has more stays: a clock went back.
    pub(super) async fn raise_line(
        &self,
        key: &LineKey<'_>,
        quantity: u64,
    ) -> Result<(), DatabaseError> {
        if quantity <= self.quantity(key).await? {
            return Ok(());
        }
        self.write_line(key, quantity).await
    }

    async fn write_line(&self, key: &LineKey<'_>, quantity: u64) -> Result<(), DatabaseError> {
        let amount = key.meter.amount(quantity, &key.price.rates, key.used_month);
        let statement = "INSERT INTO lines (space, month, used_month, meter, price, quantity, \
             amount) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE \
             SET quantity = excluded.quantity, amount = excluded.amount";
        let mut parameters = key_parameters(key);
        parameters.extend(params![quantity, amount.micros()]);
        self.database.execute(statement, parameters).await.map(|_| ())
    }
}

fn key_parameters(key: &LineKey<'_>) -> Vec<crate::Value> {
    params![
        key.space.as_str(),
        key.month.to_string(),
        key.used_month.to_string(),
        key.meter.as_str(),
        key.price.version,
    ]
}

fn line(row: &Row, prices: &[PriceRecord]) -> Option<LineRecord> {
    Some(LineRecord {
        month: row.text(0).parse().ok()?,
        used_month: row.text(1).parse().ok()?,
        meter: Meter::parse(row.text(2))?,
        price: *prices.iter().find(|it| it.version == row.unsigned(3))?,
        quantity: row.unsigned(4),
        amount: Money::from_micros(row.unsigned(5))?,
        charged: Money::from_micros(row.unsigned(6))?,
    })
}
