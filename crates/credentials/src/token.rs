//! Tokens: claims that only we can have written and only we can read.
//!
//! PASETO v4.local; the purpose is the implicit assertion, so that a token made for one purpose is
//! none for another.

use pasetors::{
    keys::SymmetricKey,
    token::{Local, UntrustedToken},
    version4::{LocalToken, V4},
};
use serde::{Serialize, de::DeserializeOwned};

/// Longest token that is looked at, in bytes.
const TOKEN_LEN_MAX: usize = 2048;

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

/// Writes `claims` into a token.
pub(crate) fn seal(key: &[u8; 32], purpose: &str, claims: &impl Serialize) -> String {
    let key = SymmetricKey::<V4>::from(key).expect("the key has 32 bytes");
    let payload = serde_json::to_vec(claims).expect("claims are plain data");
    LocalToken::encrypt(&key, &payload, None, Some(purpose.as_bytes()))
        .expect("the payload is not empty and the system has randomness")
}

/// Reads the claims of a token.
///
/// # Errors
/// [`TokenError::Foreign`]. Whether it has expired is the caller's to say.
pub(crate) fn open<T: DeserializeOwned>(
    key: &[u8; 32],
    purpose: &str,
    token: &str,
) -> Result<T, TokenError> {
    if TOKEN_LEN_MAX < token.len() {
        return Err(TokenError::Foreign);
    }
    let key = SymmetricKey::<V4>::from(key).expect("the key has 32 bytes");
    let untrusted =
        UntrustedToken::<Local, V4>::try_from(token).map_err(|_| TokenError::Foreign)?;
    let trusted = LocalToken::decrypt(&key, &untrusted, None, Some(purpose.as_bytes()))
        .map_err(|_| TokenError::Foreign)?;
    serde_json::from_str(trusted.payload()).map_err(|_| TokenError::Foreign)
}
