//! What only the operator does.

use domain::{Money, Phase, SpaceId, Timestamp, Wallet};
use ledger::{Account, Kind};
use serde_json::json;

use crate::{
    Answer, Cursor, Entry, EventRecord, IdempotencyKey, Records, SpaceRecord, TopUpError,
    database::{Database, DatabaseError, params, transaction},
    spaces::{SELECT, space},
    transfers::Transfer,
};

impl<D: Database> Records<D> {
    /// Gives a space `amount` under the id `id`, for a reason, and keeps the answer that `answer` writes
    /// for `key`, in one transaction. A repeated request gets the first answer.
    ///
    /// # Errors
    /// [`TopUpError`].
    #[expect(clippy::too_many_arguments, reason = "all of it is one transfer")]
    pub async fn grant(
        &self,
        space: &SpaceId,
        amount: Money,
        reason: &str,
        id: String,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: impl Fn(&Entry) -> Answer,
    ) -> Result<Answer, TopUpError> {
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<TopUpError>(key, now).await? {
                return Ok(answer);
            }
            if !self.is_living(space).await? {
                return Err(TopUpError::Gone);
            }
            let (debit, credit) = (Account::Grants, Account::Space(space.clone()));
            let transfer = Transfer { id, debit, credit, amount, kind: Kind::Grant, payment: None };
            let reason = Some(reason);
            let entry = self.give(space, &transfer, "granted", "operator", reason, now).await?;
            let answer = answer(&entry);
            self.keep_answer(key, &answer, now).await?;
            Ok(answer)
        })
        .await
    }

    /// Gives `host` no more spaces, or some again. `None` if there is no such host; else whether that
    /// is news. Every living space on it is told in its events.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn drain_host(
        &self,
        host: &str,
        is_drained: bool,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<bool>, DatabaseError> {
        transaction(&self.database, async {
            let statement = "SELECT drained_at IS NOT NULL FROM hosts WHERE name = ?";
            let rows = self.database.execute(statement, params![host]).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            if (row.integer(0) == 1) == is_drained {
                return Ok(Some(false));
            }
            let statement = "UPDATE hosts SET drained_at = ? WHERE name = ?";
            self.database.execute(statement, params![is_drained.then_some(now), host]).await?;
            let kind = if is_drained { "host-drained" } else { "host-undrained" };
            let statement = "SELECT id FROM spaces WHERE host = ? AND desired <> 'deleted'";
            let detail = json!({ "host": host, "reason": reason });
            for row in &self.database.execute(statement, params![host]).await? {
                let unreadable = |_| DatabaseError("a space has no id that is one".to_owned());
                let id: SpaceId = row.text(0).parse().map_err(unreadable)?;
                self.record_event(&id, now, kind, "operator", &detail).await?;
            }
            Ok(Some(true))
        })
        .await
    }

    /// All spaces, newest first, behind `after`: those in `phase`, or the living ones; of `owner`, or of
    /// anybody.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn all_spaces(
        &self,
        phase: Option<Phase>,
        owner: Option<&Wallet>,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<SpaceRecord>, DatabaseError> {
        let statement = format!(
            "{SELECT} WHERE (?1 IS NULL OR s.owner = ?1) AND (?2 IS NULL OR s.id < ?2) \
             AND coalesce(s.phase = ?3, s.phase <> 'deleted') ORDER BY s.id DESC LIMIT ?4"
        );
        let parameters = params![
            owner.map(ToString::to_string),
            after.map(String::from),
            phase.map(Phase::as_str),
            i64::from(limit),
        ];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.iter().map(space).collect()
    }

    /// What happened to all spaces with numbers above `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn all_events(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(SpaceId, EventRecord)>, DatabaseError> {
        let statement = "SELECT seq, at, kind, actor, detail, space FROM events WHERE seq > ? \
             ORDER BY seq LIMIT ?";
        let rows = self.database.execute(statement, params![after, i64::from(limit)]).await?;
        let unreadable = || DatabaseError("an event can't be read".to_owned());
        rows.iter()
            .map(|row| {
                let space = row.text(5).parse().map_err(|_| unreadable())?;
                Ok((space, EventRecord::of(row)))
            })
            .collect()
    }
}
