//! Nonces for sign-in that need no store until they are used.

use std::time::Duration;

use domain::{Timestamp, hex};
use subtle::ConstantTimeEq;

use crate::keys::{Key, KeyRing, hmac_sha256};

/// How long a nonce can be used.
pub const NONCE_LIFETIME: Duration = Duration::from_mins(10);

/// A nonce of ours: 64 lower-case hexadecimal digits, which EIP-4361 allows.
///
/// 8 digits of the second it was made, 24 random ones and 32 that only we could have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInNonce(String);

/// Why a string is not a nonce that can be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NonceError {
    /// We never made it.
    #[error("this nonce is not one of ours")]
    Foreign,
    /// We made it too long ago.
    #[error("this nonce has expired")]
    Expired,
}

impl SignInNonce {
    const BODY_LEN: usize = 32;
    const LEN: usize = 64;

    /// A new nonce.
    #[must_use]
    pub fn new(keys: &KeyRing, now: Timestamp, random: [u8; 12]) -> Self {
        let issued_at = u32::try_from(now.unix_s()).unwrap_or(0);
        let body = format!("{issued_at:08x}{}", hex(&random));
        let proof = proof(&keys.nonce.current, &body);
        Self(body + &proof)
    }

    /// The nonce `text`, if it is ours and can still be used. Whether it was used is not known
    /// here.
    ///
    /// # Errors
    /// [`NonceError`].
    pub fn parse(keys: &KeyRing, text: &str, now: Timestamp) -> Result<Self, NonceError> {
        if text.len() != Self::LEN || !text.is_ascii() {
            return Err(NonceError::Foreign);
        }
        let (body, found) = text.split_at(Self::BODY_LEN);
        let is_proof_of =
            |key| -> bool { found.as_bytes().ct_eq(proof(key, body).as_bytes()).into() };
        if !keys.nonce.accepted().any(is_proof_of) {
            return Err(NonceError::Foreign);
        }
        let nonce = Self(text.to_owned());
        if nonce.expires_at() <= now { Err(NonceError::Expired) } else { Ok(nonce) }
    }

    /// The nonce as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From when on it can't be used.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        let issued_at = u32::from_str_radix(&self.0[..8], 16).unwrap_or(0);
        Timestamp::from_unix_ms(i64::from(issued_at) * 1000).plus(NONCE_LIFETIME)
    }
}

fn proof(key: &Key, body: &str) -> String {
    hex(&hmac_sha256(&key.bytes, body.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    #[test]
    fn only_our_own_fresh_nonces_are_accepted() {
        let keys = KeyRing::derive(&"k".repeat(32), &[]).ok().unwrap();
        let other_keys = KeyRing::derive(&"o".repeat(32), &[]).ok().unwrap();
        let nonce = SignInNonce::new(&keys, NOW, [7; 12]);
        let text = nonce.as_str();
        let end = NOW.plus(NONCE_LIFETIME);
        let just_before = Timestamp::from_unix_ms(end.unix_ms() - 1);

        assert_eq!(SignInNonce::parse(&keys, text, NOW).as_ref(), Ok(&nonce));
        assert_eq!(SignInNonce::parse(&keys, text, just_before).as_ref(), Ok(&nonce));
        assert_eq!(SignInNonce::parse(&keys, text, end), Err(NonceError::Expired));
        assert_eq!(SignInNonce::parse(&other_keys, text, NOW), Err(NonceError::Foreign));
        for at in [0, 20, 63] {
            let mut altered = text.to_owned().into_bytes();
            altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(SignInNonce::parse(&keys, &altered, NOW), Err(NonceError::Foreign));
        }
        for text in ["", "abc", &text[1..], &format!("{text}0"), &"ü".repeat(32)] {
            assert_eq!(SignInNonce::parse(&keys, text, NOW), Err(NonceError::Foreign), "{text}");
        }
    }
}
