//! The domains that tenants brought along: who claims one, and who has it.
//!
//! Any number of spaces may claim a domain and none is in another's way; the first whose proof is
//! found has it, which is a unique index.

use std::time::Duration;

use domain::{CustomDomain, SpaceId, Timestamp};
use serde_json::json;

use crate::{
    Answer, DomainRecord, DomainState, IdempotencyKey, KeyReused, Proof, Records,
    database::{Database, DatabaseError, params, transaction},
    domain_record::{COLUMNS, record},
};

/// Most domains that a space may claim and have.
const DOMAINS_MAX: usize = 10;
/// How long a claim waits for its proof.
const CLAIM_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How long after one look a claim's proof is looked for again, at least and at most. In between it
/// is a quarter of the claim's age: who has just asked is waiting.
const LOOK_PAUSE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// Who found the proof or let a claim go.
const ACTOR: &str = "spaceport";

/// What came of a look for a proof: the proof, or why there is none, for people.
pub type Look = Result<Proof, String>;

/// A domain that the owner of a space wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClaim<'a> {
    /// For which space.
    pub space: &'a SpaceId,
    /// Which domain.
    pub domain: &'a CustomDomain,
    /// Who asks.
    pub actor: &'a str,
    /// What came of looking for the proof.
    pub look: Look,
}

/// Why a domain was not claimed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The space has or claims ten others.
    #[error("a space has {DOMAINS_MAX} domains at most")]
    TooMany,
    /// Another space has it.
    #[error("another space has this domain")]
    Taken,
    /// The space is gone.
    #[error("the space is gone")]
    Gone,
    /// The idempotency key was used for another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a domain was not removed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// The space does not claim it.
    #[error("the space has no such domain")]
    NotThere,
    /// The idempotency key was used for another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl<D: Database> Records<D> {
    /// Whether `space` can claim `domain` now, so that nobody looks for the proof of what can't.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn check_claim(
        &self,
        space: &SpaceId,
        domain: &CustomDomain,
    ) -> Result<(), ClaimError> {
        let statement =
            "SELECT 1 FROM domains WHERE domain = ? AND state = 'proven' AND space <> ?";
        let parameters = params![domain.as_str(), space.as_str()];
        if !self.database.execute(statement, parameters).await?.is_empty() {
            return Err(ClaimError::Taken);
        }
        let domains = self.domains_of(space).await?;
        if DOMAINS_MAX <= domains.len() && domains.iter().all(|it| it.domain != *domain) {
            return Err(ClaimError::TooMany);
        }
        Ok(())
    }

    /// Claims a domain for a space and takes note of the look for its proof, and keeps the answer
    /// that `answer` writes for `key`, in one transaction. A repeated request gets the first answer,
    /// and claiming what is claimed already only takes note of the look.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn claim_domain(
        &self,
        claim: &NewClaim<'_>,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: impl Fn(&DomainRecord) -> Answer,
    ) -> Result<Answer, ClaimError> {
        let NewClaim { space, domain, actor, look } = claim;
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<ClaimError>(key, now).await? {
                return Ok(answer);
            }
            if !self.is_living(space).await? {
                return Err(ClaimError::Gone);
            }
            self.check_claim(space, domain).await?;
            if self.domain_of(space, domain).await?.is_none() {
                let statement = "INSERT INTO domains (space, domain, state, created_at, check_at) \
                     VALUES (?, ?, 'pending', ?, ?)";
                let parameters = params![space.as_str(), domain.as_str(), now, now];
                self.database.execute(statement, parameters).await?;
                let detail = json!({ "domain": domain });
                self.record_event(space, now, "domain-added", actor, &detail).await?;
            }
            let record = self.take_note(space, domain, look, now).await?;
            let answer = answer(&record.ok_or_else(|| missing(domain))?);
            self.keep_answer(key, &answer, now).await?;
            Ok(answer)
        })
        .await
    }

    /// Whether the proof of a claim may be looked for now: nobody else has within `pause`, and from
    /// now on nobody else may.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn begin_look(
        &self,
        space: &SpaceId,
        domain: &CustomDomain,
        pause: Duration,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let statement = "UPDATE domains SET checked_at = ?1 WHERE space = ?2 AND domain = ?3 \
             AND state = 'pending' AND coalesce(checked_at <= ?4, TRUE) RETURNING 1";
        let newest = now.unix_ms().saturating_sub(milliseconds(pause));
        let parameters = params![now, space.as_str(), domain.as_str(), newest];
        Ok(!self.database.execute(statement, parameters).await?.is_empty())
    }

    /// The claims whose proof is due to be looked for, at most `limit`. Others don't get them within
    /// the next minute.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn claims_to_look_for(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DomainRecord>, DatabaseError> {
        let statement = format!(
            "UPDATE domains SET check_at = ?1 WHERE state = 'pending' AND (space, domain) IN \
             (SELECT space, domain FROM domains WHERE state = 'pending' AND check_at <= ?2 \
             ORDER BY check_at LIMIT ?3) RETURNING {COLUMNS}"
        );
        let parameters = params![now.plus(LOOK_PAUSE.0), now, i64::from(limit)];
        let rows = self.database.execute(&statement, parameters).await?;
        rows.iter().map(record).collect()
    }

    /// Takes note of a look for the proof of a claim: if there is one and no other space was first,
    /// the space has the domain from now on, and its host is told. Nothing if the claim is gone.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn note_look(
        &self,
        space: &SpaceId,
        domain: &CustomDomain,
        look: &Look,
        now: Timestamp,
    ) -> Result<Option<DomainRecord>, DatabaseError> {
        transaction(&self.database, self.take_note(space, domain, look, now)).await
    }

    async fn take_note(
        &self,
        space: &SpaceId,
        domain: &CustomDomain,
        look: &Look,
        now: Timestamp,
    ) -> Result<Option<DomainRecord>, DatabaseError> {
        let Some(claim) = self.domain_of(space, domain).await? else { return Ok(None) };
        if claim.state == DomainState::Proven {
            return Ok(Some(claim));
        }
        match (look, self.check_claim(space, domain).await) {
            (_, Err(ClaimError::Database(error))) => return Err(error),
            (_, Err(ClaimError::Taken)) => {
                let problem = "another space has this domain; its owner can give it back";
                self.put_off(&claim, problem, now).await?;
            }
            (Err(problem), _) => self.put_off(&claim, problem, now).await?,
            (Ok(proof), _) => self.prove(&claim, *proof, now).await?,
        }
        self.domain_of(space, domain).await
    }

    async fn put_off(
        &self,
        claim: &DomainRecord,
        problem: &str,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let pause = (now.since(claim.created_at) / 4).clamp(LOOK_PAUSE.0, LOOK_PAUSE.1);
        let statement = "UPDATE domains SET problem = ?, checked_at = ?, check_at = ? \
             WHERE space = ? AND domain = ?";
        let (space, domain) = (claim.space.as_str(), claim.domain.as_str());
        let parameters = params![problem, now, now.plus(pause), space, domain];
        self.database.execute(statement, parameters).await.map(|_| ())
    }

    async fn prove(
        &self,
        claim: &DomainRecord,
        proof: Proof,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let statement = "UPDATE domains SET state = 'proven', problem = NULL, checked_at = ?1, \
             check_at = NULL, proven_at = ?1 WHERE space = ?2 AND domain = ?3";
        let parameters = params![now, claim.space.as_str(), claim.domain.as_str()];
        self.database.execute(statement, parameters).await?;
        let detail = json!({ "domain": claim.domain, "by": proof });
        let seq = self.record_event(&claim.space, now, "domain-proven", ACTOR, &detail).await?;
        self.tell_host(&claim.space, seq, now).await
    }

    /// What is wanted of a space has not changed, but where its visitors come from has.
    async fn tell_host(
        &self,
        space: &SpaceId,
        seq: u64,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let statement = "UPDATE spaces SET change_seq = ?, updated_at = ? WHERE id = ?";
        self.database.execute(statement, params![seq, now, space.as_str()]).await.map(|_| ())
    }

    /// Takes a domain from a space, and keeps `answer` for `key`, in one transaction. A repeated
    /// request gets the first answer.
    ///
    /// # Errors
    /// [`RemoveError`].
    pub async fn remove_domain(
        &self,
        space: &SpaceId,
        domain: &CustomDomain,
        actor: &str,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: Answer,
    ) -> Result<Answer, RemoveError> {
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<RemoveError>(key, now).await? {
                return Ok(answer);
            }
            let claim = self.domain_of(space, domain).await?.ok_or(RemoveError::NotThere)?;
            let statement = "DELETE FROM domains WHERE space = ? AND domain = ?";
            let parameters = params![space.as_str(), domain.as_str()];
            self.database.execute(statement, parameters).await?;
            let detail = json!({ "domain": domain });
            let seq = self.record_event(space, now, "domain-removed", actor, &detail).await?;
            if claim.state == DomainState::Proven {
                self.tell_host(space, seq, now).await?;
            }
            self.keep_answer(key, &answer, now).await?;
            Ok(answer)
        })
        .await
    }

    /// Lets claims go whose proof was not found within 7 days. Returns how many.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn expire_claims(&self, now: Timestamp) -> Result<usize, DatabaseError> {
        transaction(&self.database, async {
            let oldest = now.unix_ms().saturating_sub(milliseconds(CLAIM_LIFETIME));
            let statement = format!(
                "DELETE FROM domains WHERE state = 'pending' AND created_at <= ? RETURNING {COLUMNS}"
            );
            let rows = self.database.execute(&statement, params![oldest]).await?;
            for row in &rows {
                let DomainRecord { space, domain, .. } = record(row)?;
                let detail = json!({ "domain": domain, "reason": "no proof was found in 7 days" });
                self.record_event(&space, now, "domain-removed", ACTOR, &detail).await?;
            }
            Ok(rows.len())
        })
        .await
    }
}

fn missing(domain: &CustomDomain) -> DatabaseError {
    DatabaseError(format!("the row of domain {domain} is missing"))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
