//! First answers to unsafe requests.

use std::time::Duration;

use domain::Timestamp;

use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

/// How long a first answer is given again.
const ANSWER_LIFETIME: Duration = Duration::from_hours(24);

/// What names a request that may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose key it is: keys of different callers have nothing to do with each other.
    pub caller: String,
    /// The key as the caller chose it: 1 to 128 visible ASCII characters.
    pub key: String,
    /// SHA-256, in hexadecimal, of the method, the path and the body.
    pub request_sha256: String,
}

/// An answer that can be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The header `Location`.
    pub location: Option<String>,
    /// The body, JSON.
    pub body: String,
}

/// The idempotency key was used for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this Idempotency-Key was used for another request")]
pub struct KeyReused;

impl<D: Database> Records<D> {
    /// The first answer to the request with `key`, if there is one. Looked for again within the
    /// transaction that would make another, so that two at once get the same.
    ///
    /// # Errors
    /// [`KeyReused`] if it was the answer to another request.
    pub async fn first_answer<E: From<DatabaseError> + From<KeyReused>>(
        &self,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Option<Answer>, E> {
        let Some(key) = key else { return Ok(None) };
        let rows = self
            .database
            .execute(
                "SELECT request_sha256, status, location, body FROM answers \
                 WHERE caller = ? AND idempotency_key = ? AND created_at > ?",
                params![key.caller.as_str(), key.key.as_str(), oldest(now)],
            )
            .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if row.text(0) != key.request_sha256 {
            return Err(KeyReused.into());
        }
        Ok(Some(Answer {
            status: u16::try_from(row.integer(1)).unwrap_or(500),
            location: row.optional_text(2).map(str::to_owned),
            body: row.text(3).to_owned(),
        }))
    }

    /// Keeps the answer to `key`, within the transaction that made it true, and forgets old ones.
    pub(crate) async fn keep_answer(
        &self,
        key: Option<&IdempotencyKey>,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let Some(key) = key else { return Ok(()) };
        let forget = "DELETE FROM answers WHERE created_at <= ?";
        self.database.execute(forget, params![oldest(now)]).await?;
        self.database
            .execute(
                "INSERT INTO answers (caller, idempotency_key, request_sha256, status, location, \
                 body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    key.caller.as_str(),
                    key.key.as_str(),
                    key.request_sha256.as_str(),
                    i64::from(answer.status),
                    answer.location.as_deref(),
                    answer.body.as_str(),
                    now,
                ],
            )
            .await?;
        Ok(())
    }
}

/// Answers made then or before are not given again.
fn oldest(now: Timestamp) -> i64 {
    let lifetime_ms = i64::try_from(ANSWER_LIFETIME.as_millis()).unwrap_or(i64::MAX);
    now.unix_ms().saturating_sub(lifetime_ms)
}
