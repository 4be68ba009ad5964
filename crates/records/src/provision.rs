//! How many spaces a wallet may make.

use domain::{Timestamp, Wallet};
use limits::{Allowance, Level};

use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

impl<D: Database> Records<D> {
    /// How many spaces `wallet` may make now, by when it made the ones it made.
    ///
    /// The spaces are their own record, deleted or not: nothing else is written down that could say
    /// otherwise, and within the transaction that makes another it can't change.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn provision_level(
        &self,
        wallet: &Wallet,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Level, DatabaseError> {
        let history_ms = i64::try_from(allowance.history().as_millis()).unwrap_or(i64::MAX);
        let oldest = now.unix_ms().saturating_sub(history_ms);
        let statement =
            "SELECT created_at FROM spaces WHERE owner = ? AND created_at > ? ORDER BY created_at";
        let rows = self.database.execute(statement, params![wallet.to_string(), oldest]).await?;
        let times = rows.iter().map(|row| Timestamp::from_unix_ms(row.integer(0)));
        Ok(Level::from_times(allowance, times, now))
    }
}
