//! Tokens: claims that only we can have written and only we can read.
//!
//! PASETO v4.local. The purpose is the implicit assertion, so that a token made for one purpose is
//! none for another; the footer is the id of the key, so that among several the right one is found
//! without trying. PASETO authenticates both.

use pasetors::{
    keys::SymmetricKey,
    token::{Local, UntrustedToken},
    version4::{LocalToken, V4},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::keys::{Key, Keys};

/// What a kind of token is for, and what it may be.
pub(crate) struct Kind {
    /// Nothing else has the same.
    pub(crate) purpose: &'static str,
    /// Longest token that is looked at, in bytes.
    pub(crate) len_max: usize,
}

/// Why a token is not accepted. Which of the reasons it was helps an attacker only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// We did not make it, or not for this.
    #[error("this token is not one of ours")]
    Foreign,
    /// We made it, and its time is over.
    #[error("this token has expired")]
    Expired,
}

/// Writes `claims` into a token, with the current key.
pub(crate) fn seal(keys: &Keys, kind: &Kind, claims: &impl Serialize) -> String {
    let payload = serde_json::to_vec(claims).expect("claims are plain data");
    let (footer, purpose) = (keys.current.id.as_bytes(), kind.purpose.as_bytes());
    LocalToken::encrypt(&symmetric(&keys.current), &payload, Some(footer), Some(purpose))
        .expect("the payload is not empty and the system has randomness")
}

/// Reads the claims of a token that was made with one of the keys.
///
/// # Errors
/// [`TokenError::Foreign`]. Whether it has expired is the caller's to say.
pub(crate) fn open<T: DeserializeOwned>(
    keys: &Keys,
    kind: &Kind,
    token: &str,
) -> Result<T, TokenError> {
    if kind.len_max < token.len() {
        return Err(TokenError::Foreign);
    }
    let untrusted =
        UntrustedToken::<Local, V4>::try_from(token).map_err(|_| TokenError::Foreign)?;
    let footer = untrusted.untrusted_footer();
    let trusted = keys
        .accepted()
        // Version 0.1.0 wrote no footer.
        .filter(|key| footer.is_empty() || footer == key.id.as_bytes())
        .find_map(|key| {
            let purpose = kind.purpose.as_bytes();
            LocalToken::decrypt(&symmetric(key), &untrusted, None, Some(purpose)).ok()
        })
        .ok_or(TokenError::Foreign)?;
    serde_json::from_str(trusted.payload()).map_err(|_| TokenError::Foreign)
}

fn symmetric(key: &Key) -> SymmetricKey<V4> {
    SymmetricKey::from(&key.bytes).expect("the key has 32 bytes")
}
