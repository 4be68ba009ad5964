//! What is known of the domains of spaces.

use domain::{CustomDomain, SpaceId, Timestamp};
use serde::Serialize;

use crate::{
    Records,
    database::{Database, DatabaseError, Row, params},
};

/// What is known of a domain of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRecord {
    /// Whose claim it is.
    pub space: SpaceId,
    /// Which domain.
    pub domain: CustomDomain,
    /// Whether the space has it.
    pub state: DomainState,
    /// Why it does not have it yet, for people.
    pub problem: Option<String>,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// When its proof was last looked for.
    pub checked_at: Option<Timestamp>,
    /// When that was found.
    pub proven_at: Option<Timestamp>,
}

/// How far the claim on a domain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DomainState {
    /// Its proof has not been found yet.
    Pending,
    /// It was found. The space has the domain until it gives it back or is deleted.
    Proven,
}

/// What proved a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Proof {
    /// A text below it.
    Txt,
    /// It is another name of the space's own.
    Cname,
}

/// The columns that [`record`] reads, in its order.
pub(crate) const COLUMNS: &str = "space, domain, state, problem, created_at, checked_at, proven_at";

impl<D: Database> Records<D> {
    /// The domains of `space`, in order.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn domains_of(&self, space: &SpaceId) -> Result<Vec<DomainRecord>, DatabaseError> {
        let statement = format!("SELECT {COLUMNS} FROM domains WHERE space = ? ORDER BY domain");
        let rows = self.database.execute(&statement, params![space.as_str()]).await?;
        rows.iter().map(record).collect()
    }

    /// The domain `domain` of `space`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn domain_of(
        &self,
        space: &SpaceId,
        domain: &CustomDomain,
    ) -> Result<Option<DomainRecord>, DatabaseError> {
        let statement = format!("SELECT {COLUMNS} FROM domains WHERE space = ? AND domain = ?");
        let parameters = params![space.as_str(), domain.as_str()];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.first().map(record).transpose()
    }

    /// Whether a living space has this domain.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn has_domain(&self, domain: &CustomDomain) -> Result<bool, DatabaseError> {
        let statement = "SELECT 1 FROM domains WHERE domain = ? AND state = 'proven'";
        Ok(!self.database.execute(statement, params![domain.as_str()]).await?.is_empty())
    }
}

/// Reads a row of [`COLUMNS`].
pub(crate) fn record(row: &Row) -> Result<DomainRecord, DatabaseError> {
    read(row)
        .ok_or_else(|| DatabaseError(format!("the row of domain {:?} can't be read", row.text(1))))
}

fn read(row: &Row) -> Option<DomainRecord> {
    let time = |index| row.optional_integer(index).map(Timestamp::from_unix_ms);
    Some(DomainRecord {
        space: row.text(0).parse().ok()?,
        domain: row.text(1).parse().ok()?,
        state: match row.text(2) {
            "pending" => DomainState::Pending,
            "proven" => DomainState::Proven,
            _ => return None,
        },
        problem: row.optional_text(3).map(str::to_owned),
        created_at: time(4)?,
        checked_at: time(5),
        proven_at: time(6),
    })
}
