//! What a host is to do.

use crate::{
    Records, SpaceRecord,
    database::{Database, DatabaseError, params},
    spaces::{SELECT, space},
};

/// A wish as a host gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedSpace {
    /// The number of the change that made it so.
    pub seq: u64,
    /// The space as it is wanted now.
    pub space: SpaceRecord,
}

/// A page of wishes, in the order they last changed.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedSpaces {
    /// The wishes.
    pub items: Vec<WantedSpace>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// Column of `change_seq` in [`SELECT`].
const CHANGE_SEQ: usize = 18;

impl<D: Database> Records<D> {
    /// The spaces of `host` whose wish changed after change number `after`, at most `limit`.
    ///
    /// Those that are gone are left out, so that asking with 0 gives what must be there now.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn changes(
        &self,
        host: &str,
        after: u64,
        limit: u32,
    ) -> Result<WantedSpaces, DatabaseError> {
        let statement = format!(
            "{SELECT} WHERE s.host = ? AND s.change_seq > ? AND s.phase <> 'deleted' \
             ORDER BY s.change_seq LIMIT ?"
        );
        let one_more = i64::from(limit).saturating_add(1);
        let rows = self.database.execute(&statement, params![host, after, one_more]).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = limit < rows.len();
        let items = rows
            .iter()
            .take(limit)
            .map(|row| Ok(WantedSpace { seq: row.unsigned(CHANGE_SEQ), space: space(row)? }))
            .collect::<Result<_, DatabaseError>>()?;
        Ok(WantedSpaces { items, more })
    }
}
