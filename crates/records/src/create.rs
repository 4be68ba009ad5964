//! Making spaces, and giving up those that came to nothing.

use domain::{
    Desired, Generation, Money, Phase, PhaseEvent, SpaceId, SpaceName, Timestamp, Wallet,
    transition,
};
use fleet::AppOffer;
use ledger::{Account, HoldEnd, Kind};
use limits::{Allowance, Level};
use serde_json::json;

use crate::{
    Answer, By, IdempotencyKey, KeyReused, Records, SpaceRecord,
    database::{Database, DatabaseError, params, transaction},
    transfers::Transfer,
    wish::missing,
};

/// A space that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSpace {
    /// Its id.
    pub id: SpaceId,
    /// Its name.
    pub name: SpaceName,
    /// What people call it.
    pub title: String,
    /// The app's settings, valid for the schema in `offer`.
    pub settings: serde_json::Value,
    /// What was offered. Only a host that offers the same gets the space.
    pub offer: AppOffer,
    /// Who wants it.
    pub owner: Wallet,
    /// Whether it costs nothing: it is the operator's.
    pub is_free: bool,
    /// The request that it is wanted with.
    pub request_id: Option<String>,
}

/// What its owner pays for a new space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What it costs.
    pub asked: Money,
    /// What it cost a moment ago, which is good enough.
    pub honoured: Option<Money>,
    /// When the owner gets it back if the space has not run by then.
    pub hold_until: Timestamp,
}

/// Why a space was not made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// A living space has the name.
    #[error("a living space has this name")]
    NameTaken,
    /// The owner made as many as it may for now.
    #[error("this wallet can make no more spaces for now")]
    TooMany(Level),
    /// No host that is there has room for the app.
    #[error("no host has room for this app")]
    NoCapacity,
    /// The owner's balance, which this is, is too low.
    #[error("the owner's balance of {0} is too low")]
    NotEnough(Money),
    /// The idempotency key was used for another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl<D: Database> Records<D> {
    /// Makes a space, if its owner may make one under `allowance` and can pay the `charge`, places it
    /// on a host, and keeps the answer that `answer` writes for `key`, in one transaction. A repeated
    /// request gets the first answer.
    ///
    /// The charge is held until the space has run: see [`Charge::hold_until`].
    ///
    /// # Errors
    /// [`CreateError`].
    pub async fn create_space(
        &self,
        new: &NewSpace,
        allowance: Option<Allowance>,
        charge: Option<Charge>,
        now: Timestamp,
        key: Option<&IdempotencyKey>,
        answer: impl Fn(&SpaceRecord) -> Answer,
    ) -> Result<Answer, CreateError> {
        transaction(&self.database, async {
            if let Some(answer) = self.first_answer::<CreateError>(key, now).await? {
                return Ok(answer);
            }
            if let Some(allowance) = allowance {
                let level = self.provision_level(&new.owner, allowance, now).await?;
                if level.remaining == 0 {
                    return Err(CreateError::TooMany(level));
                }
            }
            if self.name_is_taken(&new.name).await? {
                return Err(CreateError::NameTaken);
            }
            let Some(host) = self.host_with_room(&new.offer, now).await? else {
                return Err(CreateError::NoCapacity);
            };
            let detail = json!({ "name": new.name, "app": new.offer.id, "host": host });
            let owner = new.owner.to_string();
            let seq = self.record_event(&new.id, now, "created", &owner, &detail).await?;
            self.insert_space(new, &host, seq, now).await?;
            if let Some(charge) = charge {
                self.hold_first_month(new, charge, now).await?;
            }
            let space = self.space(&new.id).await?.ok_or_else(|| missing(&new.id))?;
            let answer = answer(&space);
            self.keep_answer(key, &answer, now).await?;
            Ok(answer)
        })
        .await
    }

    async fn hold_first_month(
        &self,
        new: &NewSpace,
        charge: Charge,
        now: Timestamp,
    ) -> Result<(), CreateError> {
        let wallet = Account::Wallet(new.owner);
        let available = self.balance(&wallet).await?.available;
        let good = [Some(charge.asked), charge.honoured].into_iter().flatten();
        let Some(amount) = good.filter(|it| *it <= available).max() else {
            return Err(CreateError::NotEnough(available));
        };
        if amount.is_zero() {
            return Ok(());
        }
        let hold = Transfer {
            id: format!("first-month:{}", new.id),
            debit: wallet,
            credit: Account::Space(new.id.clone()),
            amount,
            kind: Kind::FirstMonth,
            payment: None,
        };
        Ok(self.hold(&hold, charge.hold_until, now).await?)
    }

    async fn insert_space(
        &self,
        new: &NewSpace,
        host: &str,
        change_seq: u64,
        now: Timestamp,
    ) -> Result<(), CreateError> {
        self.database
            .execute(
                "INSERT INTO spaces (id, name, title, app, release, settings, owner, host, \
                 memory_mib, desired, generation, phase, change_seq, created_at, updated_at, \
                 request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    new.id.as_str(),
                    new.name.as_str(),
                    new.title.as_str(),
                    new.offer.id.as_str(),
                    new.offer.release.as_str(),
                    new.settings.to_string(),
                    new.owner.to_string(),
                    host,
                    i64::from(new.offer.memory_mib),
                    Desired::Running.as_str(),
                    Generation::FIRST.0,
                    Phase::Pending.as_str(),
                    change_seq,
                    now,
                    now,
                    new.request_id.as_deref(),
                ],
            )
            .await?;
        self.open_standing(&new.id, new.is_free, now).await?;
        self.database
            .execute(
                "INSERT INTO members (space, wallet, role) VALUES (?, ?, 'owner')",
                params![new.id.as_str(), new.owner.to_string()],
            )
            .await?;
        Ok(())
    }

    /// Lets go of what was held until now and did not come to anything. A space that has not run by
    /// then is given up. Returns how many holds that were.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing has changed then.
    pub async fn expire_holds(&self, now: Timestamp) -> Result<usize, DatabaseError> {
        transaction(&self.database, async {
            let expired = self.end_holds("expires_at <= ?", params![now], HoldEnd::Expired, now);
            let expired = expired.await?;
            for account in &expired {
                if let Account::Space(id) = account {
                    self.give_up(id, now).await?;
                }
            }
            Ok(expired.len())
        })
        .await
    }

    async fn give_up(&self, id: &SpaceId, now: Timestamp) -> Result<(), DatabaseError> {
        let space = self.space(id).await?.ok_or_else(|| missing(id))?;
        let deleted = PhaseEvent::Wanted(Desired::Deleted);
        match transition(space.phase, deleted) {
            Ok(phase) if space.desired != Desired::Deleted => {
                let by = By { actor: "spaceport", request_id: None };
                self.write_wish(&space, Desired::Deleted, phase, &by, now).await?;
                self.settle_up(id, space.owner, now).await
            }
            _ => Ok(()),
        }
    }
}
