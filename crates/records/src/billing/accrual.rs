//! Charging what was used.

use billing::{Meter, Month, base_quantity, storage_quantity};
use domain::{Money, SpaceId, Timestamp};
use ledger::{Account, Kind};

use super::{
    lines::LineKey,
    prices::{PriceRecord, price_at},
};
use crate::{
    Records,
    database::{Database, DatabaseError, params, transaction},
    transfers::Transfer,
};

/// How often a space is charged, in seconds.
const PERIOD_S: i64 = 3600;

const DAY_S: i64 = 86_400;

/// From how many days it follows what a space spends a day.
const SPEND_DAYS: i64 = 7;

impl<D: Database> Records<D> {
    /// Charges every space that was not charged for an hour, or owed something and has money again, at most
    /// `limit` of them, each in a transaction of its own. Returns how many that were.
    ///
    /// # Errors
    /// [`DatabaseError`]; the spaces before the one that failed are charged.
    pub async fn accrue_due(&self, now: Timestamp, limit: u32) -> Result<usize, DatabaseError> {
        let statement = "SELECT space FROM standings WHERE ended_s IS NULL AND (accrued_s <= ?1 \
             OR owed_since IS NOT NULL AND EXISTS (SELECT 1 FROM accounts WHERE account = 'space:' || space \
             AND credits - debits - held > 0)) ORDER BY accrued_s LIMIT ?2";
        let oldest = now.unix_s().saturating_sub(PERIOD_S);
        let rows = self.database.execute(statement, params![oldest, i64::from(limit)]).await?;
        for row in &rows {
            let unreadable =
                |_| DatabaseError(format!("the standing {:?} is unreadable", row.text(0)));
            let space: SpaceId = row.text(0).parse().map_err(unreadable)?;
            transaction(&self.database, self.accrue(&space, now)).await?;
        }
        Ok(rows.len())
    }

    /// Charges a space for all it used until now, as far as its balance goes, within the transaction
    /// that this is for. Doing so twice charges once.
    pub(crate) async fn accrue(
        &self,
        space: &SpaceId,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let statement = "SELECT is_free, accrued_s, n_charges FROM standings WHERE space = ?";
        let rows = self.database.execute(statement, params![space.as_str()]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let (is_free, accrued_s, n_charges) =
            (row.integer(0) == 1, row.integer(1), row.unsigned(2));
        let (prices, now_s) = (self.prices().await?, self.billing_second(now).await?);
        if !is_free {
            self.count_base(space, &prices, accrued_s, now_s).await?;
        }
        let is_charged = self.charge(space, n_charges, now).await?;
        let spend_day = self.spend_day(space, &prices, now_s).await?;
        let statement = "UPDATE standings SET accrued_s = max(accrued_s, ?), \
             n_charges = n_charges + ?, spend_day = ? WHERE space = ?";
        let parameters = params![
            now_s,
            i64::from(is_charged),
            if is_free { 0 } else { spend_day.micros() },
            space.as_str()
        ];
        self.database.execute(statement, parameters).await.map(|_| ())
    }

    /// Brings the base lines up to now, in each month since the last time that is not closed.
    async fn count_base(
        &self,
        space: &SpaceId,
        prices: &[PriceRecord],
        accrued_s: i64,
        now_s: i64,
    ) -> Result<(), DatabaseError> {
        let periods = self.periods(space).await?;
        let mut month = Month::of_second(accrued_s.min(now_s));
        while month <= Month::of_second(now_s) {
            if !self.has_invoice(space, month).await? {
                for price in prices {
                    let quantity = base_quantity(&periods, month, price.valid, now_s);
                    let (used_month, meter) = (month, Meter::Base);
                    let key = LineKey { space, month, used_month, meter, price };
                    self.raise_line(&key, quantity).await?;
                }
            }
            month = month.next();
        }
        Ok(())
    }

    /// Takes what is due from the balance, oldest lines first. Says whether anything was taken.
    async fn charge(
        &self,
        space: &SpaceId,
        n_charges: u64,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let statement = "SELECT month, used_month, meter, price, amount - charged FROM lines \
             WHERE space = ? AND charged < amount ORDER BY month, used_month, meter, price";
        let due = self.database.execute(statement, params![space.as_str()]).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let account = Account::Space(space.clone());
        let available = self.balance(&account).await?.available.micros();
        let mut left = available;
        for row in &due {
            let taken = row.unsigned(4).min(left);
            if taken == 0 {
                break;
            }
            left = left.saturating_sub(taken);
            let statement = "UPDATE lines SET charged = charged + ? WHERE space = ? AND month = ? \
                 AND used_month = ? AND meter = ? AND price = ?";
            let parameters = params![
                taken,
                space.as_str(),
                row.text(0),
                row.text(1),
                row.text(2),
                row.integer(3)
            ];
            self.database.execute(statement, parameters).await?;
        }
        let amount = available.saturating_sub(left);
        let amount = Money::from_micros(amount).filter(|it| !it.is_zero());
        let Some(amount) = amount else { return Ok(false) };
        let transfer = Transfer {
            id: format!("usage:{space}:{n_charges}"),
            debit: account,
            credit: Account::Revenue,
            amount,
            kind: Kind::Usage,
            payment: None,
        };
        self.transfer(&transfer, now).await?;
        Ok(true)
    }

    /// What a space spends a day beside its base: storage as it is now, and posts as in the last days.
    async fn spend_day(
        &self,
        space: &SpaceId,
        prices: &[PriceRecord],
        now_s: i64,
    ) -> Result<Money, DatabaseError> {
        let Some(price) = price_at(prices, now_s) else { return Ok(Money::ZERO) };
        let since_s = now_s.saturating_sub(SPEND_DAYS.saturating_mul(DAY_S));
        let statement = "SELECT coalesce(sum(posts), 0), coalesce(min(hour_s), ?3), \
             (SELECT storage_kib FROM readings WHERE space = ?1 ORDER BY at_s DESC LIMIT 1) \
             FROM usage_hours WHERE space = ?1 AND hour_s > ?2";
        let rows = self.database.execute(statement, params![space.as_str(), since_s, now_s]);
        let rows = rows.await?;
        let Some(row) = rows.first() else { return Ok(Money::ZERO) };
        let day = DAY_S.unsigned_abs();
        // A young space has spent it in less time.
        let seconds = now_s.abs_diff(row.integer(1)).max(day);
        let (month, rates) = (Month::of_second(now_s), &price.rates);
        let posts = Meter::Posts.amount(row.unsigned(0), rates, month).micros();
        let posts = u128::from(posts).saturating_mul(day.into()) / u128::from(seconds);
        let storage = storage_quantity(row.unsigned(2), day, rates);
        let storage = Meter::Storage.amount(storage, rates, month);
        let posts = u64::try_from(posts).ok().and_then(Money::from_micros);
        Ok(posts.and_then(|it| it.checked_add(storage)).unwrap_or(Money::MAX))
    }
}
