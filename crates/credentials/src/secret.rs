//! Keys that are shown once and stored as a hash.

use domain::hex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The lower-case hexadecimal SHA-256 of a text.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// A bearer secret of 256 random bits. It has no `Debug`, so that no log shows it.
pub struct Secret(String);

impl Secret {
    /// A new secret, `prefix` and 64 hexadecimal digits.
    #[must_use]
    pub fn new(prefix: &str, random: [u8; 32]) -> Self {
        Self(format!("{prefix}{}", hex(&random)))
    }

    /// What to show, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What to store.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.0)
    }

    /// Whether `candidate` is the secret whose hash is `sha256_hex`, in constant time.
    #[must_use]
    pub fn matches(candidate: &str, sha256_hex: &str) -> bool {
        self::sha256_hex(candidate).as_bytes().ct_eq(sha256_hex.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_its_own_hash_only() {
        let secret = Secret::new("sph_", [9; 32]);
        assert!(Secret::matches(secret.reveal(), &secret.hash()));
        assert!(!Secret::matches("sph_", &secret.hash()));
        assert!(!Secret::matches(secret.reveal(), ""));
        assert_eq!(
            sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
