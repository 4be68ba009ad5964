//! Notices on their way to tenants. Workers deliver them; the rows say what is still to be done.

use std::time::Duration;

use domain::{SpaceId, SpaceName, Timestamp};
use fleet::{Channel, Delivered};

use crate::{
    Contact, EventRecord, Records,
    database::{Database, DatabaseError, Row, params, transaction},
};

/// How long a worker has a delivery to itself.
const LEASE: Duration = Duration::from_mins(2);

/// How many are handed out at once.
const BATCH: i64 = 20;

/// How long after each try the next one comes, in minutes. After the last it is given up.
const PAUSES_MIN: [i64; 7] = [1, 5, 30, 2 * 60, 6 * 60, 12 * 60, 24 * 60];

/// For how long a notice is worth delivering that nobody could try to deliver, in milliseconds: 3 days.
const WORTH_MS: i64 = 3 * 24 * 3600 * 1000;

/// Longest problem that is kept, in characters.
const PROBLEM_LEN_MAX: usize = 200;

/// A delivery that somebody is to make.
#[derive(Clone, PartialEq)]
pub struct LeasedDelivery {
    /// Which.
    pub id: String,
    /// How.
    pub channel: Channel,
    /// Where to.
    pub contact: Contact,
    /// Of which space.
    pub space: SpaceId,
    /// Its name.
    pub name: SpaceName,
    /// What happened.
    pub event: EventRecord,
}

impl<D: Database> Records<D> {
    /// Has the owners of a space told of an event, where they want to be told, within the transaction
    /// that writes it down.
    pub(crate) async fn have_told(
        &self,
        space: &SpaceId,
        event: u64,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        for (channel, column) in [("webhook", "webhook_url"), ("email", "email")] {
            let statement = format!(
                "INSERT INTO deliveries (id, space, event, wallet, channel, state, next_at, \
                 created_at) SELECT 'ntc-' || ?2 || '-' || ?3 || '-' || lower(wallet), ?1, ?2, wallet, ?3, \
                 'pending', ?4, ?4 FROM members JOIN contacts USING (wallet) \
                 WHERE space = ?1 AND role = 'owner' AND {column} IS NOT NULL"
            );
            let parameters = params![space.as_str(), event, channel, now];
            self.database.execute(&statement, parameters).await?;
        }
        Ok(())
    }

    /// Deliveries that are due, for somebody who can make them by these channels. They are not handed out
    /// again for two minutes.
    ///
    /// # Errors
    /// [`DatabaseError`]; none is handed out then.
    pub async fn lease_deliveries(
        &self,
        channels: &[Channel],
        now: Timestamp,
    ) -> Result<Vec<LeasedDelivery>, DatabaseError> {
        let can = |it| i64::from(channels.contains(&it));
        transaction(&self.database, async {
            self.give_up_deliveries(now).await?;
            let statement = "UPDATE deliveries SET attempts = attempts + 1, next_at = ?2 \
                 WHERE id IN (SELECT id FROM deliveries WHERE state = 'pending' AND next_at <= ?1 \
                 AND iif(channel = 'email', ?3, ?4) ORDER BY next_at LIMIT ?5) RETURNING id";
            let until = now.plus(LEASE);
            let (email, webhook) = (can(Channel::Email), can(Channel::Webhook));
            let leased =
                self.database.execute(statement, params![now, until, email, webhook, BATCH]);
            let mut deliveries = Vec::new();
            for row in &leased.await? {
                deliveries.extend(self.delivery(row.text(0)).await?);
            }
            Ok(deliveries)
        })
        .await
    }

    /// Those whose time is over, or whose contact is gone, come to nothing.
    async fn give_up_deliveries(&self, now: Timestamp) -> Result<(), DatabaseError> {
        let statement = "UPDATE deliveries SET state = 'failed', next_at = NULL, \
             problem = 'there is nowhere to deliver it to any more' \
             WHERE state = 'pending' AND NOT EXISTS (SELECT 1 FROM contacts \
             WHERE wallet = deliveries.wallet \
             AND iif(channel = 'email', email, webhook_url) IS NOT NULL)";
        self.database.execute(statement, Vec::new()).await?;
        let statement = "UPDATE deliveries SET state = 'failed', next_at = NULL, \
             problem = 'nobody could deliver it in time' \
             WHERE state = 'pending' AND next_at <= ?1 AND created_at < ?2";
        let oldest = now.unix_ms().saturating_sub(WORTH_MS);
        self.database.execute(statement, params![now, oldest]).await.map(|_| ())
    }

    async fn delivery(&self, id: &str) -> Result<Option<LeasedDelivery>, DatabaseError> {
        let statement = "SELECT d.id, d.channel, d.wallet, d.space, s.name, e.seq, e.at, e.kind, \
             e.actor, e.detail FROM deliveries d JOIN spaces s ON s.id = d.space \
             JOIN events e ON e.seq = d.event WHERE d.id = ?";
        let rows = self.database.execute(statement, params![id]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let unreadable = || DatabaseError(format!("the delivery {id} can't be read"));
        let wallet = row.text(2).parse().map_err(|_| unreadable())?;
        let Some(contact) = self.contact(&wallet).await? else { return Ok(None) };
        let read = |row: &Row| {
            Some(LeasedDelivery {
                id: row.text(0).to_owned(),
                channel: match row.text(1) {
                    "email" => Channel::Email,
                    _ => Channel::Webhook,
                },
                contact,
                space: row.text(3).parse().ok()?,
                name: row.text(4).parse().ok()?,
                event: EventRecord {
                    seq: row.unsigned(5),
                    at: Timestamp::from_unix_ms(row.integer(6)),
                    kind: row.text(7).to_owned(),
                    actor: row.text(8).to_owned(),
                    detail: serde_json::from_str(row.text(9)).unwrap_or_default(),
                },
            })
        };
        read(row).map(Some).ok_or_else(unreadable)
    }

    /// Takes note of what became of a delivery. One that is over stays as it is.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn note_delivered(
        &self,
        delivered: &Delivered,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let problem = delivered.problem.as_ref();
        let problem = problem.map(|it| it.chars().take(PROBLEM_LEN_MAX).collect::<String>());
        let statement = "SELECT attempts FROM deliveries WHERE id = ? AND state = 'pending'";
        let rows = self.database.execute(statement, params![delivered.id.as_str()]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let tried = usize::try_from(row.unsigned(0)).unwrap_or(usize::MAX).saturating_sub(1);
        let pause = PAUSES_MIN.get(tried).filter(|_| !delivered.is_final);
        let (state, next_at) = match (&problem, pause) {
            (None, _) => ("delivered", None),
            (Some(_), Some(pause)) => {
                ("pending", Some(now.unix_ms().saturating_add(pause.saturating_mul(60_000))))
            }
            (Some(_), None) => ("failed", None),
        };
        let statement = "UPDATE deliveries SET state = ?, next_at = ?, problem = ? \
             WHERE id = ? AND state = 'pending'";
        let parameters = params![state, next_at, problem, delivered.id.as_str()];
        self.database.execute(statement, parameters).await.map(|_| ())
    }
}
