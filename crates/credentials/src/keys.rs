//! The keys behind the credentials.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Keys for each purpose, derived from the one secret that the operator keeps.
///
/// One purpose never accepts what was made for another.
#[derive(Clone)]
pub struct KeyRing {
    pub(crate) nonce: [u8; 32],
    pub(crate) passport: [u8; 32],
    pub(crate) session: [u8; 32],
    host_ticket: [u8; 32],
}

/// The operator's secret is too short to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("needs at least {} characters", KeyRing::SECRET_LEN_MIN)]
pub struct SecretTooShort;

impl KeyRing {
    /// Fewest characters of the operator's secret. 32 hexadecimal digits are 128 bits.
    pub const SECRET_LEN_MIN: usize = 32;

    /// Derives the keys.
    ///
    /// # Errors
    /// [`SecretTooShort`].
    pub fn derive(secret: &str) -> Result<Self, SecretTooShort> {
        if secret.len() < Self::SECRET_LEN_MIN {
            return Err(SecretTooShort);
        }
        let key = |purpose: &str| hmac_sha256(secret.as_bytes(), purpose.as_bytes());
        Ok(Self {
            nonce: key("spaceport sign-in nonce v1"),
            passport: key("spaceport passport v1"),
            session: key("spaceport session v1"),
            host_ticket: key("spaceport host ticket v1"),
        })
    }

    /// The key that signs tickets for the gateway of `host`. It is known to that host only.
    #[must_use]
    pub fn ticket_key(&self, host: &str) -> [u8; 32] {
        hmac_sha256(&self.host_ticket, host.as_bytes())
    }
}

/// HMAC-SHA256.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length will do");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
