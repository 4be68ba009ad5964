//! Months that are over.

use billing::Month;
use domain::{Money, SpaceId, Timestamp};

use super::lines::LineRecord;
use crate::{
    Records,
    database::{Database, DatabaseError, Row, params, transaction},
};

/// How long after its end a month is closed, in seconds: what workers measured is on its way.
const CLOSE_AFTER_S: i64 = 3600;

/// A closed month of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRecord {
    /// Which.
    pub month: Month,
    /// When it was closed.
    pub issued_at: Timestamp,
    /// What its lines add up to.
    pub total: Money,
    /// What of it is paid by now.
    pub paid: Money,
    /// Its lines, for one that was asked for alone.
    pub lines: Vec<LineRecord>,
}

const SELECT: &str = "SELECT month, issued_at, total, (SELECT coalesce(sum(charged), 0) \
    FROM lines WHERE space = invoices.space AND month = invoices.month) FROM invoices";

impl<D: Database> Records<D> {
    /// Closes the months that ended an hour ago, oldest first, at most `limit`, each in a transaction
    /// of its own. Returns how many that were.
    ///
    /// # Errors
    /// [`DatabaseError`]; the months before the one that failed are closed.
    pub async fn close_months(&self, now: Timestamp, limit: u32) -> Result<usize, DatabaseError> {
        let statement = "SELECT DISTINCT space, month FROM lines WHERE month < ? AND NOT EXISTS \
             (SELECT 1 FROM invoices WHERE space = lines.space AND month = lines.month) \
             ORDER BY month, space LIMIT ?";
        let first_open = Month::of_second(now.unix_s().saturating_sub(CLOSE_AFTER_S));
        let parameters = params![first_open.to_string(), i64::from(limit)];
        let rows = self.database.execute(statement, parameters).await?;
        for row in &rows {
            let unreadable =
                || DatabaseError("a month that is to be closed is unreadable".to_owned());
            let space: SpaceId = row.text(0).parse().map_err(|_| unreadable())?;
            let month: Month = row.text(1).parse().map_err(|_| unreadable())?;
            transaction(&self.database, self.close_month(&space, month, now)).await?;
        }
        Ok(rows.len())
    }

    async fn close_month(
        &self,
        space: &SpaceId,
        month: Month,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        if self.has_invoice(space, month).await? {
            return Ok(());
        }
        if self.is_living(space).await? {
            self.accrue(space, now).await?;
        }
        let statement = "INSERT INTO invoices (space, month, issued_at, total) \
             SELECT ?1, ?2, ?3, sum(amount) FROM lines WHERE space = ?1 AND month = ?2 RETURNING total";
        let parameters = params![space.as_str(), month.to_string(), now];
        let rows = self.database.execute(statement, parameters).await?;
        let total = rows.first().and_then(|row| Money::from_micros(row.unsigned(0)));
        let detail = serde_json::json!({ "month": month.to_string(), "total": total });
        self.record_event(space, now, "invoice-issued", "spaceport", &detail).await.map(|_| ())
    }

    /// The invoices of a space, newest first, without their lines.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn invoices(&self, space: &SpaceId) -> Result<Vec<InvoiceRecord>, DatabaseError> {
        let statement = format!("{SELECT} WHERE space = ? ORDER BY month DESC");
        let rows = self.database.execute(&statement, params![space.as_str()]).await?;
        rows.iter().map(invoice).collect()
    }

    /// The invoice of a space's month, if it is closed.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn invoice(
        &self,
        space: &SpaceId,
        month: Month,
    ) -> Result<Option<InvoiceRecord>, DatabaseError> {
        let statement = format!("{SELECT} WHERE space = ? AND month = ?");
        let parameters = params![space.as_str(), month.to_string()];
        let rows = self.database.execute(&statement, parameters).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(InvoiceRecord { lines: self.lines(space, month).await?, ..invoice(row)? }))
    }
}

fn invoice(row: &Row) -> Result<InvoiceRecord, DatabaseError> {
    let read = || {
        Some(InvoiceRecord {
            month: row.text(0).parse().ok()?,
            issued_at: Timestamp::from_unix_ms(row.integer(1)),
            total: Money::from_micros(row.unsigned(2))?,
            paid: Money::from_micros(row.unsigned(3))?,
            lines: Vec::new(),
        })
    };
    read().ok_or_else(|| DatabaseError(format!("the invoice {:?} can't be read", row.text(0))))
}
