//! The time of charging, which never goes back.

use domain::Timestamp;

use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

impl<D: Database> Records<D> {
    /// The second that things are charged until now: `now`, or the last one there was if the clock went
    /// back since. So what was charged is never charged again, and nothing is told to be earlier than
    /// it was. To be called within a transaction.
    pub(crate) async fn billing_second(&self, now: Timestamp) -> Result<i64, DatabaseError> {
        let statement = "UPDATE billing_clock SET at_s = max(at_s, ?) RETURNING at_s";
        let rows = self.database.execute(statement, params![now.unix_s()]).await?;
        rows.first()
            .map(|row| row.integer(0))
            .ok_or_else(|| DatabaseError("the billing clock is gone".to_owned()))
    }
}
