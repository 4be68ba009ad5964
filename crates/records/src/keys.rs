//! The keys that wallets made for scripts and agents.

use credentials::{KeyId, Scopes};
use domain::{Timestamp, Wallet};

use crate::{
    Records,
    database::{Database, DatabaseError, Row, params, transaction},
};

/// Most keys that a wallet may have in force.
const KEYS_MAX: usize = 50;

/// A key that a wallet wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// Whose requests it makes.
    pub wallet: Wallet,
    /// What its maker calls it: 1 to 64 characters.
    pub name: String,
    /// The key's hash, as [`credentials::ApiKey::hash`] gives it.
    pub key_sha256: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From when on it is void, if ever.
    pub expires_at: Option<Timestamp>,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Which key.
    pub id: KeyId,
    /// Whose requests it makes.
    pub wallet: Wallet,
    /// What its maker calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is void, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, about.
    pub last_used_at: Option<Timestamp>,
}

/// What became of adding a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddKey {
    /// It is there.
    Added(KeyRecord),
    /// The wallet has 50 keys in force, and that is enough.
    TooMany,
}

const SELECT: &str = "SELECT id, wallet, name, scopes, created_at, expires_at, last_used_at \
    FROM api_keys WHERE revoked_at IS NULL AND coalesce(expires_at > ?1, TRUE)";

impl<D: Database> Records<D> {
    /// Adds a key, unless its wallet has 50 in force.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing is added then.
    pub async fn add_key(&self, new: &NewKey, now: Timestamp) -> Result<AddKey, DatabaseError> {
        transaction(&self.database, async {
            let n_keys = self.keys_of(&new.wallet, now).await?.len();
            if KEYS_MAX <= n_keys {
                return Ok(AddKey::TooMany);
            }
            let statement = "INSERT INTO api_keys (id, wallet, name, key_sha256, scopes, \
                 created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
            let parameters = params![
                new.id.as_str(),
                new.wallet.to_string(),
                new.name.as_str(),
                new.key_sha256.as_str(),
                new.scopes.to_string(),
                now,
                new.expires_at,
            ];
            self.database.execute(statement, parameters).await?;
            Ok(AddKey::Added(KeyRecord {
                id: new.id.clone(),
                wallet: new.wallet,
                name: new.name.clone(),
                scopes: new.scopes.clone(),
                created_at: now,
                expires_at: new.expires_at,
                last_used_at: None,
            }))
        })
        .await
    }

    /// The keys of `wallet` that are in force, newest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn keys_of(
        &self,
        wallet: &Wallet,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>, DatabaseError> {
        let statement = format!("{SELECT} AND wallet = ?2 ORDER BY id DESC");
        let rows = self.database.execute(&statement, params![now, wallet.to_string()]).await?;
        rows.iter().map(key).collect()
    }

    /// The key with this hash, if it is in force.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn key_of_hash(
        &self,
        key_sha256: &str,
        now: Timestamp,
    ) -> Result<Option<KeyRecord>, DatabaseError> {
        let statement = format!("{SELECT} AND key_sha256 = ?2");
        let rows = self.database.execute(&statement, params![now, key_sha256]).await?;
        rows.first().map(key).transpose()
    }

    /// Ends the key `id` of `wallet` for ever; false if there is none in force.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn revoke_key(
        &self,
        wallet: &Wallet,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let statement = "UPDATE api_keys SET revoked_at = ?1 WHERE id = ?2 AND wallet = ?3 \
             AND revoked_at IS NULL AND coalesce(expires_at > ?1, TRUE) RETURNING id";
        let parameters = params![now, id.as_str(), wallet.to_string()];
        Ok(!self.database.execute(statement, parameters).await?.is_empty())
    }

    /// Notes that `key` was used, unless that was noted within `step_ms`. Then it costs nothing:
    /// even an update that changes no row waits for whoever is writing.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn touch_key(
        &self,
        key: &KeyRecord,
        now: Timestamp,
        step_ms: i64,
    ) -> Result<(), DatabaseError> {
        let oldest = Timestamp::from_unix_ms(now.unix_ms().saturating_sub(step_ms));
        if key.last_used_at.is_some_and(|it| oldest <= it) {
            return Ok(());
        }
        let statement = "UPDATE api_keys SET last_used_at = ? \
             WHERE id = ? AND coalesce(last_used_at < ?, TRUE)";
        let parameters = params![now, key.id.as_str(), oldest];
        self.database.execute(statement, parameters).await.map(|_| ())
    }
}

/// Reads a row of [`SELECT`].
fn key(row: &Row) -> Result<KeyRecord, DatabaseError> {
    read(row)
        .ok_or_else(|| DatabaseError(format!("the row of key {:?} can't be read", row.text(0))))
}

fn read(row: &Row) -> Option<KeyRecord> {
    Some(KeyRecord {
        id: row.text(0).parse().ok()?,
        wallet: row.text(1).parse().ok()?,
        name: row.text(2).to_owned(),
        scopes: row.text(3).parse().ok()?,
        created_at: Timestamp::from_unix_ms(row.integer(4)),
        expires_at: row.optional_integer(5).map(Timestamp::from_unix_ms),
        last_used_at: row.optional_integer(6).map(Timestamp::from_unix_ms),
    })
}
