//! The keys behind the credentials.

use domain::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Keys for each purpose, derived from the secrets that the operator keeps.
///
/// One purpose never accepts what was made for another. Everything is made with the current secret;
/// what was made with one of the previous ones is accepted as long as that one is listed.
#[derive(Clone)]
pub struct KeyRing {
    pub(crate) domain: Keys,
    pub(crate) nonce: Keys,
    pub(crate) passport: Keys,
    pub(crate) session: Keys,
    host_ticket: [u8; 32],
    offer: [u8; 32],
}

/// The keys of one purpose.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The one that things are made with.
    pub(crate) current: Key,
    /// Those that are accepted, too.
    previous: Vec<Key>,
}

/// A key of one purpose.
#[derive(Clone)]
pub(crate) struct Key {
    /// Tells it from the others, and nothing of its bytes: 8 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) bytes: [u8; 32],
}

/// Why secrets are not fit to derive keys from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The current one is too short to be one.
    #[error("needs at least {} characters", KeyRing::SECRET_LEN_MIN)]
    TooShort,
    /// A previous one is too short to have been one.
    #[error("number {position} needs at least {} characters", KeyRing::SECRET_LEN_MIN)]
    PreviousTooShort {
        /// Which, from 1.
        position: usize,
    },
    /// A previous one is the current one or stands there twice.
    #[error("number {position} is the current one or one before it")]
    Repeated {
        /// Which, from 1.
        position: usize,
    },
    /// There are more previous ones than anybody needs.
    #[error("at most {} are accepted", KeyRing::PREVIOUS_MAX)]
    TooMany,
}

impl KeyRing {
    /// Fewest characters of the operator's secret. 32 hexadecimal digits are 128 bits.
    pub const SECRET_LEN_MIN: usize = 32;

    /// Most previous secrets. A session lasts half a day, so one is enough unless secrets are
    /// changed more often than that.
    pub const PREVIOUS_MAX: usize = 4;

    /// Derives the keys from the current secret and from previous ones.
    ///
    /// # Errors
    /// [`SecretError`]: [`SecretError::TooShort`] is about `current`, the others are about
    /// `previous`.
    pub fn derive(current: &str, previous: &[&str]) -> Result<Self, SecretError> {
        check(current, previous)?;
        let keys = |purpose: &str| Keys {
            current: Key::derive(current, purpose),
            previous: previous.iter().map(|it| Key::derive(it, purpose)).collect(),
        };
        Ok(Self {
            domain: keys("spaceport domain proof v1"),
            nonce: keys("spaceport sign-in nonce v1"),
            passport: keys("spaceport passport v1"),
            session: keys("spaceport session v1"),
            host_ticket: hmac_sha256(current.as_bytes(), b"spaceport host ticket v1"),
            offer: hmac_sha256(current.as_bytes(), b"spaceport offer v1"),
        })
    }

    /// The key that signs what we offer and what was paid, by the current secret. All but one in
    /// 2^128 of them are keys of secp256k1.
    #[must_use]
    pub const fn offer_key(&self) -> [u8; 32] {
        self.offer
    }

    /// The key that signs tickets for the gateway of `host`, by the current secret. It is known to
    /// that host only.
    #[must_use]
    pub fn ticket_key(&self, host: &str) -> [u8; 32] {
        hmac_sha256(&self.host_ticket, host.as_bytes())
    }
}

impl Keys {
    /// Every key that is accepted, the current one first.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl Key {
    fn derive(secret: &str, purpose: &str) -> Self {
        let bytes = hmac_sha256(secret.as_bytes(), purpose.as_bytes());
        let id = hex(&hmac_sha256(&bytes, b"spaceport key id v1")[..4]);
        Self { id, bytes }
    }
}

fn check(current: &str, previous: &[&str]) -> Result<(), SecretError> {
    if current.len() < KeyRing::SECRET_LEN_MIN {
        return Err(SecretError::TooShort);
    }
    if KeyRing::PREVIOUS_MAX < previous.len() {
        return Err(SecretError::TooMany);
    }
    for (index, secret) in previous.iter().enumerate() {
        let position = index + 1;
        if secret.len() < KeyRing::SECRET_LEN_MIN {
            return Err(SecretError::PreviousTooShort { position });
        }
        if *secret == current || previous[..index].contains(secret) {
            return Err(SecretError::Repeated { position });
        }
    }
    Ok(())
}

/// HMAC-SHA256.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length will do");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_different_long_secrets_are_taken() {
        let secrets = ["k", "o", "1", "2", "3", "4"].map(|it| it.repeat(32));
        let [key, old, one, two, three, four] = secrets.each_ref().map(String::as_str);
        let short = &key[1..];
        #[rustfmt::skip]
        let rows = [
            (key,   vec![],                           Ok(())),
            (key,   vec![old],                        Ok(())),
            (key,   vec![old, one, two, three],       Ok(())),
            (key,   vec![old, one, two, three, four], Err(SecretError::TooMany)),
            (short, vec![],                           Err(SecretError::TooShort)),
            ("",    vec![old],                        Err(SecretError::TooShort)),
            (key,   vec![old, short],                 Err(SecretError::PreviousTooShort { position: 2 })),
            (key,   vec![""],                         Err(SecretError::PreviousTooShort { position: 1 })),
            (key,   vec![key],                        Err(SecretError::Repeated { position: 1 })),
            (key,   vec![old, one, old],              Err(SecretError::Repeated { position: 3 })),
        ];
        for (current, previous, want) in rows {
            let got = KeyRing::derive(current, &previous).map(|_| ());
            assert_eq!(got, want, "{current} {previous:?}");
        }
    }

    /// A worker has the key of its host until it asks again: it must not change by listing an
    /// previous secret, and must by a new one.
    #[test]
    fn tickets_are_signed_with_the_current_secret_for_one_host() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let key = |current, previous: &[&str], host| {
            KeyRing::derive(current, previous).unwrap_or_else(|it| panic!("{it}")).ticket_key(host)
        };
        assert_eq!(key(&new, &[&old], "a"), key(&new, &[], "a"));
        assert_ne!(key(&new, &[&old], "a"), key(&old, &[], "a"));
        assert_ne!(key(&new, &[], "a"), key(&new, &[], "b"));
    }

    #[test]
    fn no_key_is_used_for_two_purposes() {
        let ring = KeyRing::derive(&"k".repeat(32), &[&"o".repeat(32)]).ok().unwrap();
        let kinds = [&ring.domain, &ring.nonce, &ring.passport, &ring.session];
        let keys: Vec<&Key> = kinds.iter().flat_map(|it| it.accepted()).collect();
        let ids: std::collections::BTreeSet<_> = keys.iter().map(|it| &it.id).collect();
        assert_eq!((keys.len(), ids.len()), (8, 8));
        assert!(keys.iter().all(|it| it.id.len() == 8 && !hex(&it.bytes).contains(&it.id)));
    }
}
