//! The signed-in period of a wallet.

use std::time::Duration;

use domain::{Timestamp, Wallet, hex};
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyRing,
    token::{Kind, TokenError, open, seal},
};

/// How long a session lasts.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(12);

const SESSION: Kind = Kind { purpose: "session", len_max: 2048 };

/// A signed-in period of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Names the session, so that it can be revoked: 32 hexadecimal digits.
    pub id: String,
    /// Who signed in.
    pub wallet: Wallet,
    /// On which chain, by EIP-155.
    pub chain_id: u64,
    /// From when on it is over.
    pub expires_at: Timestamp,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn begin(wallet: Wallet, chain_id: u64, now: Timestamp, random: [u8; 16]) -> Self {
        Self { id: hex(&random), wallet, chain_id, expires_at: now.plus(SESSION_LIFETIME) }
    }

    /// The session as a bearer token.
    #[must_use]
    pub fn to_token(&self, keys: &KeyRing) -> String {
        seal(&keys.session, &SESSION, self)
    }

    /// The session that `token` stands for, if it is ours and not over. Whether it was revoked is
    /// not known here.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn from_token(keys: &KeyRing, token: &str, now: Timestamp) -> Result<Self, TokenError> {
        let session: Self = open(&keys.session, &SESSION, token)?;
        if session.expires_at <= now { Err(TokenError::Expired) } else { Ok(session) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    #[test]
    fn a_session_is_ours_until_it_ends() {
        let keys = KeyRing::derive(&"k".repeat(32), &[]).ok().unwrap();
        let other_keys = KeyRing::derive(&"o".repeat(32), &[]).ok().unwrap();
        let wallet = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let session = Session::begin(wallet, 1, NOW, [3; 16]);
        let token = session.to_token(&keys);
        let end = session.expires_at;

        assert_eq!(Session::from_token(&keys, &token, NOW), Ok(session));
        assert_eq!(Session::from_token(&keys, &token, end), Err(TokenError::Expired));
        assert_eq!(Session::from_token(&other_keys, &token, NOW), Err(TokenError::Foreign));
        let altered = token.replacen("v4.local.", "v4.local.A", 1);
        for text in ["", "v4.local.", "x", &altered, &token[1..], &"a".repeat(5000)] {
            assert_eq!(Session::from_token(&keys, text, NOW), Err(TokenError::Foreign));
        }
    }
}
