//! How the money of a space stands, and when it costs something.

use billing::{Month, Period, SuspendedBy, Suspension};
use domain::{Money, Phase, SpaceId, Timestamp};

use crate::{
    Records, SpaceRecord,
    database::{Database, DatabaseError, Row, params},
};

/// How the money of a space stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingRecord {
    /// Whether it costs nothing: it is the operator's.
    pub is_free: bool,
    /// Until when it was charged.
    pub accrued_at: Timestamp,
    /// What was used and not charged yet.
    pub due: Money,
    /// Since when there is something owed.
    pub owed_since: Option<Timestamp>,
    /// What it spends a day beside its base.
    pub spend_day: Money,
    /// The last warning that is still true, in days.
    pub warned_days: Option<u8>,
    /// Whether it is suspended.
    pub suspension: Option<Suspension>,
}

/// Reads the columns of a standing from column `first` on.
pub(crate) fn standing(row: &Row, first: usize) -> Option<StandingRecord> {
    let column = |index: usize| first.saturating_add(index);
    let suspension = match row.optional_text(column(5)) {
        Some(by) => Some(Suspension {
            by: SuspendedBy::parse(by)?,
            at: Timestamp::from_unix_ms(row.integer(column(6))),
        }),
        None => None,
    };
    Some(StandingRecord {
        is_free: row.integer(column(0)) == 1,
        accrued_at: Timestamp::from_unix_ms(row.integer(column(1)).saturating_mul(1000)),
        due: Money::from_micros(row.unsigned(column(7)))?,
        owed_since: row.optional_integer(column(2)).map(Timestamp::from_unix_ms),
        spend_day: Money::from_micros(row.unsigned(column(3)))?,
        warned_days: row.optional_integer(column(4)).and_then(|it| u8::try_from(it).ok()),
        suspension,
    })
}

impl<D: Database> Records<D> {
    /// Opens the standing of a new space.
    pub(crate) async fn open_standing(
        &self,
        space: &SpaceId,
        is_free: bool,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO standings (space, is_free, accrued_s) VALUES (?, ?, ?)";
        let parameters = params![space.as_str(), i64::from(is_free), now.unix_s()];
        self.database.execute(statement, parameters).await.map(|_| ())
    }

    /// Sees to it that a period goes on exactly while the space has run once and is neither
    /// suspended nor deleted, within the transaction that changes its phase.
    pub(crate) async fn note_period(
        &self,
        space: &SpaceRecord,
        phase: Phase,
        was_ready: bool,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let is_over = matches!(
            phase,
            Phase::Suspending | Phase::Suspended | Phase::Deleting | Phase::Deleted
        );
        let periods = self.periods(&space.id).await?;
        let last = periods.last();
        let is_open = last.is_some_and(|it| it.to_s.is_none());
        let (id, now_s) = (space.id.as_str(), self.billing_second(now).await?);
        if is_open && is_over {
            let statement = "UPDATE periods SET to_s = max(from_s, ?) \
                 WHERE space = ? AND to_s IS NULL";
            self.database.execute(statement, params![now_s, id]).await?;
        } else if !is_open && !is_over && was_ready {
            // No second is in two of them.
            let from_s = last.map_or(now_s, |it| {
                let to_s = it.to_s.unwrap_or(it.from_s);
                let after = if to_s == it.from_s { to_s.saturating_add(1) } else { to_s };
                now_s.max(after)
            });
            let statement = "INSERT INTO periods (space, from_s) VALUES (?, ?)";
            self.database.execute(statement, params![id, from_s]).await?;
        }
        Ok(())
    }

    /// The periods of a space, oldest first.
    pub(crate) async fn periods(&self, space: &SpaceId) -> Result<Vec<Period>, DatabaseError> {
        let statement = "SELECT from_s, to_s FROM periods WHERE space = ? ORDER BY from_s";
        let rows = self.database.execute(statement, params![space.as_str()]).await?;
        let period = |row: &Row| Period { from_s: row.integer(0), to_s: row.optional_integer(1) };
        Ok(rows.iter().map(period).collect())
    }

    /// Whether the month of a space is closed.
    pub(super) async fn has_invoice(
        &self,
        space: &SpaceId,
        month: Month,
    ) -> Result<bool, DatabaseError> {
        let statement = "SELECT 1 FROM invoices WHERE space = ? AND month = ?";
        let parameters = params![space.as_str(), month.to_string()];
        Ok(!self.database.execute(statement, parameters).await?.is_empty())
    }
}
