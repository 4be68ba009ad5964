//! Reading spaces.

use domain::{
    CustomDomain, Desired, Generation, Money, Phase, SpaceId, SpaceName, StepRecord, Timestamp,
    Wallet,
};
use serde::Deserialize;

use crate::{
    Records, StandingRecord,
    billing::read_standing,
    database::{Database, DatabaseError, Row, Value, params},
};

/// What is known of a space.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceRecord {
    /// Which space.
    pub id: SpaceId,
    /// Its name.
    pub name: SpaceName,
    /// What people call it.
    pub title: String,
    /// The app it is an instance of.
    pub app: String,
    /// The release of the app that is wanted; empty if none was ever named.
    pub release: String,
    /// What people call that release, if any host ever offered it.
    pub version: Option<String>,
    /// The release that its host offers now, if that is another one.
    pub update: Option<Release>,
    /// The app's settings.
    pub settings: serde_json::Value,
    /// Who made it.
    pub owner: Wallet,
    /// Who may do what, by address.
    pub members: Vec<Member>,
    /// The host it is on.
    pub host: String,
    /// Where that host's gateway is reached.
    pub gateway_url: Option<String>,
    /// The custom domains that are proven to be its owner's.
    pub domains: Vec<CustomDomain>,
    /// What is wanted.
    pub desired: Desired,
    /// The version of that wish.
    pub generation: Generation,
    /// Where it is in its life.
    pub phase: Phase,
    /// The newest generation that a worker has reached or given up on; 0 if none.
    pub observed_generation: Generation,
    /// Why it is as it is, for people.
    pub reason: Option<String>,
    /// The steps of the work on this generation.
    pub steps: Vec<StepRecord>,
    /// What is left for it, with what is held for it.
    pub balance: Money,
    /// What of that it can spend.
    pub available: Money,
    /// How its money stands.
    pub standing: StandingRecord,
    /// The request that its wish came with.
    pub request_id: Option<String>,
    /// When it was first ready.
    pub ready_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}

impl SpaceRecord {
    /// Whether `wallet` may do everything with it.
    #[must_use]
    pub fn is_owned_by(&self, wallet: &Wallet) -> bool {
        self.members.iter().any(|it| it.wallet == *wallet && it.role == "owner")
    }
}

/// A release of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which.
    pub release: String,
    /// What people call it.
    pub version: String,
}

/// Who may do what with a space.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Who.
    pub wallet: Wallet,
    /// `owner`, `operator` or `viewer`.
    pub role: String,
}

/// Where a page of a list begins: behind the space with this id.
pub type Cursor = Option<SpaceId>;

/// How long a deleted space can still be read, in milliseconds: 30 days.
const DELETED_READABLE_MS: i64 = 30 * 24 * 3600 * 1000;

/// How [`space`] reads them.
pub(crate) const SELECT: &str = "SELECT s.id, s.name, s.title, s.app, s.settings, s.owner, \
    (SELECT json_group_array(json_object('wallet', m.wallet, 'role', m.role)) \
     FROM members m WHERE m.space = s.id), \
    s.host, h.gateway_url, s.desired, s.generation, s.phase, s.observed_generation, s.reason, \
    s.steps, s.ready_at, s.created_at, s.updated_at, s.change_seq, \
    (SELECT credits - debits - held + incoming FROM accounts WHERE account = 'space:' || s.id), \
    s.release, r.version, o.document ->> '$.release', o.document ->> '$.version', \
    (SELECT json_group_array(domain) FROM (SELECT domain FROM domains \
     WHERE space = s.id AND state = 'proven' ORDER BY domain)), \
    (SELECT credits - debits - held FROM accounts WHERE account = 'space:' || s.id), \
    s.request_id, t.is_free, t.accrued_s, t.owed_since, t.spend_day, t.warned_days, \
    t.suspended_by, t.suspended_at, (SELECT coalesce(sum(amount - charged), 0) FROM lines \
    WHERE space = s.id AND charged < amount) \
    FROM spaces s JOIN hosts h ON h.name = s.host JOIN standings t ON t.space = s.id \
    LEFT JOIN releases r ON r.app = s.app AND r.release = s.release \
    LEFT JOIN offers o ON o.host = s.host AND o.app = s.app";

impl<D: Database> Records<D> {
    /// The space with this id, or the living one with this name, if `wallet` may see it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn space_of(
        &self,
        wallet: &Wallet,
        id_or_name: &str,
        now: Timestamp,
    ) -> Result<Option<SpaceRecord>, DatabaseError> {
        let is_it = if id_or_name.parse::<SpaceId>().is_ok() {
            "s.id = ?"
        } else {
            "s.name = ? AND s.desired <> 'deleted'"
        };
        let statement = format!(
            "{SELECT} WHERE {is_it} AND coalesce(s.deleted_at > ?, TRUE) \
             AND EXISTS (SELECT 1 FROM members WHERE space = s.id AND wallet = ?)"
        );
        let oldest = now.unix_ms().saturating_sub(DELETED_READABLE_MS);
        let parameters = params![id_or_name, oldest, wallet.to_string()];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.first().map(space).transpose()
    }

    /// The spaces `wallet` is a member of, newest first, behind `after`: those in `phase`, or the
    /// living ones.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn spaces_of(
        &self,
        wallet: &Wallet,
        phase: Option<Phase>,
        after: Cursor,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<SpaceRecord>, DatabaseError> {
        let statement = format!(
            "{SELECT} WHERE s.id IN (SELECT space FROM members WHERE wallet = ?1) \
             AND (?2 IS NULL OR s.id < ?2) AND coalesce(s.phase = ?3, s.phase <> 'deleted') \
             AND coalesce(s.deleted_at > ?4, TRUE) ORDER BY s.id DESC LIMIT ?5"
        );
        let oldest = now.unix_ms().saturating_sub(DELETED_READABLE_MS);
        let parameters: Vec<Value> = params![
            wallet.to_string(),
            after.map(String::from),
            phase.map(Phase::as_str),
            oldest,
            i64::from(limit),
        ];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.iter().map(space).collect()
    }

    /// The living space with this id or name, whoever asks: anybody may pay for it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn living_space(
        &self,
        id_or_name: &str,
    ) -> Result<Option<SpaceRecord>, DatabaseError> {
        let column = if id_or_name.parse::<SpaceId>().is_ok() { "id" } else { "name" };
        let statement = format!("{SELECT} WHERE s.{column} = ? AND s.desired <> 'deleted'");
        let rows = self.database.execute(&statement, params![id_or_name]).await?;
        rows.first().map(space).transpose()
    }

    /// Whether there is a space with this id that nobody wants deleted.
    pub(crate) async fn is_living(&self, id: &SpaceId) -> Result<bool, DatabaseError> {
        let statement = "SELECT 1 FROM spaces WHERE id = ? AND desired <> 'deleted'";
        Ok(!self.database.execute(statement, params![id.as_str()]).await?.is_empty())
    }

    /// The space with this id, whoever asks.
    pub(crate) async fn space(&self, id: &SpaceId) -> Result<Option<SpaceRecord>, DatabaseError> {
        let statement = format!("{SELECT} WHERE s.id = ?");
        let rows = self.database.execute(&statement, params![id.as_str()]).await?;
        rows.first().map(space).transpose()
    }
}

/// Reads a row of [`SELECT`].
pub(crate) fn space(row: &Row) -> Result<SpaceRecord, DatabaseError> {
    read(row)
        .ok_or_else(|| DatabaseError(format!("the row of space {:?} can't be read", row.text(0))))
}

/// What the host offers, if that is not what is wanted already.
fn update(row: &Row) -> Option<Release> {
    let release = row.optional_text(22).filter(|it| *it != row.text(20))?.to_owned();
    Some(Release { release, version: row.optional_text(23)?.to_owned() })
}

fn read(row: &Row) -> Option<SpaceRecord> {
    Some(SpaceRecord {
        id: row.text(0).parse().ok()?,
        name: row.text(1).parse().ok()?,
        title: row.text(2).to_owned(),
        app: row.text(3).to_owned(),
        release: row.text(20).to_owned(),
        version: row.optional_text(21).map(str::to_owned),
        update: update(row),
        settings: serde_json::from_str(row.text(4)).ok()?,
        owner: row.text(5).parse().ok()?,
        members: serde_json::from_str(row.text(6)).ok()?,
        host: row.text(7).to_owned(),
        gateway_url: row.optional_text(8).map(str::to_owned),
        domains: serde_json::from_str(row.text(24)).ok()?,
        desired: Desired::parse(row.text(9))?,
        generation: Generation(row.unsigned(10)),
        phase: Phase::parse(row.text(11))?,
        observed_generation: Generation(row.unsigned(12)),
        reason: row.optional_text(13).map(str::to_owned),
        steps: serde_json::from_str(row.text(14)).ok()?,
        ready_at: row.optional_integer(15).map(Timestamp::from_unix_ms),
        created_at: Timestamp::from_unix_ms(row.integer(16)),
        updated_at: Timestamp::from_unix_ms(row.integer(17)),
        balance: Money::from_micros(row.unsigned(19))?,
        available: Money::from_micros(row.unsigned(25))?,
        request_id: row.optional_text(26).map(str::to_owned),
        standing: read_standing(row, 27)?,
    })
}
