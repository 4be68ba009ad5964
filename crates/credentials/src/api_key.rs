//! Keys for scripts and agents: `sp_`, 256 random bits and a checksum.

use std::{fmt, str::FromStr};

use domain::{IdError, Timestamp, is_ulid, ulid};
use serde::{Deserialize, Serialize};

use crate::secret::sha256_hex;

const PREFIX: &str = "sp_";
const SECRET_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A bearer key that a wallet made for a script or an agent.
///
/// `sp_`, 43 digits of base 62 for 256 random bits, and 6 more for the CRC-32 of these digits. So
/// whoever looks through texts for keys that leaked can tell one from noise, and a typing error
/// costs no look into the records. It has no `Debug`, so that no log shows it.
pub struct ApiKey(String);

/// Why a text is not an [`ApiKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// It does not begin like one.
    #[error("a key begins with {PREFIX}")]
    NoPrefix,
    /// It is too short or too long.
    #[error("a key has {} characters", ApiKey::LEN)]
    BadLength,
    /// It has a character other than `0-9`, `A-Z` and `a-z`.
    #[error("a key has only digits and letters behind {PREFIX}")]
    BadCharacter,
    /// It was not copied as it is.
    #[error("the checksum of this key is wrong")]
    BadChecksum,
}

impl ApiKey {
    /// Characters of a key.
    pub const LEN: usize = PREFIX.len() + SECRET_LEN + CHECKSUM_LEN;

    /// A new key.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        let secret = base62::<SECRET_LEN>(random);
        let checksum = checksum(&secret);
        Self(format!("{PREFIX}{secret}{checksum}"))
    }

    /// Whether `text` is meant to be a key, well written or not.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The key `text`, if it is well written. Whether there is such a key is not known here.
    ///
    /// # Errors
    /// [`ApiKeyError`].
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let digits = text.strip_prefix(PREFIX).ok_or(ApiKeyError::NoPrefix)?;
        if text.chars().count() != Self::LEN {
            return Err(ApiKeyError::BadLength);
        }
        if !digits.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return Err(ApiKeyError::BadCharacter);
        }
        let (secret, found) = digits.split_at(SECRET_LEN);
        if found != checksum(secret) {
            return Err(ApiKeyError::BadChecksum);
        }
        Ok(Self(text.to_owned()))
    }

    /// What to show, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What to store: the lower-case hexadecimal SHA-256 of the whole key.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.0)
    }
}

/// The CRC-32 (IEEE 802.3) of the digits, itself as digits.
fn checksum(secret: &str) -> String {
    base62::<CHECKSUM_LEN>(crc32fast::hash(secret.as_bytes()).to_be_bytes())
}

/// A big-endian number as `LEN` digits of base 62, with leading zeros.
fn base62<const LEN: usize>(mut number: impl AsMut<[u8]>) -> String {
    let mut digits = [0; LEN];
    for digit in digits.iter_mut().rev() {
        // One step of a long division: the quotient stays, the remainder is the digit.
        let mut remainder = 0;
        for byte in number.as_mut() {
            let dividend = remainder << 8 | u16::from(*byte);
            *byte = u8::try_from(dividend / 62).expect("the remainder was below 62");
            remainder = dividend % 62;
        }
        *digit = ALPHABET[usize::from(remainder)];
    }
    digits.map(char::from).iter().collect()
}

/// Names a key for ever, and is no secret: `key_` and a ULID, so ids sort by the time they were
/// made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// A new id from the time and 80 random bits.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("key_{}", ulid(now, random)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("key_").ok_or(IdError)?;
        if is_ulid(digits) { Ok(Self(text.to_owned())) } else { Err(IdError) }
    }
}

impl TryFrom<String> for KeyId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with another implementation of base 62 and zlib's CRC-32.
    #[test]
    fn keys_have_their_digits_and_checksum() {
        let ascending: [u8; 32] = std::array::from_fn(|it| u8::try_from(it).unwrap());
        let one = std::array::from_fn(|it| u8::from(it == 31));
        #[rustfmt::skip]
        let rows = [
            ([0; 32],   "sp_00000000000000000000000000000000000000000002CZclj"),
            (one,       "sp_00000000000000000000000000000000000000000010HNUPx"),
            (ascending, "sp_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Yo7hP"),
            ([255; 32], "sp_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13sRzl1"),
        ];
        for (random, want) in rows {
            let key = ApiKey::new(random);
            assert_eq!(key.reveal(), want);
            assert_eq!(want.len(), ApiKey::LEN);
            let parsed = ApiKey::parse(want).ok().unwrap();
            assert_eq!((parsed.reveal(), parsed.hash()), (want, sha256_hex(want)));
            assert!(ApiKey::is_meant(want));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_a_look_into_the_records() {
        let good = "sp_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Yo7hP";
        #[rustfmt::skip]
        let rows = [
            (String::new(),                 ApiKeyError::NoPrefix),
            (good[3..].to_owned(),          ApiKeyError::NoPrefix),
            (good.replace("sp_", "sph_"),   ApiKeyError::NoPrefix),
            (good.replace("sp_", "SP_"),    ApiKeyError::NoPrefix),
            (format!(" {good}"),            ApiKeyError::NoPrefix),
            ("sp_".to_owned(),              ApiKeyError::BadLength),
            (good[..51].to_owned(),         ApiKeyError::BadLength),
            (format!("{good}0"),            ApiKeyError::BadLength),
            (good.replace('3', "-"),        ApiKeyError::BadCharacter),
            (good.replace('3', "ü"),        ApiKeyError::BadCharacter),
            (format!("{}\n", &good[..51]),  ApiKeyError::BadCharacter),
            (good.replace("JC7", "CJ7"),    ApiKeyError::BadChecksum),
            (good.to_ascii_lowercase(),     ApiKeyError::BadChecksum),
            (good.replace("o7hP", "o7hQ"),  ApiKeyError::BadChecksum),
        ];
        for (text, want) in rows {
            assert_eq!(ApiKey::parse(&text).err(), Some(want), "{text}");
        }
    }

    #[test]
    fn every_single_typing_error_is_found() {
        let good = ApiKey::new([7; 32]).reveal().to_owned();
        for at in PREFIX.len()..ApiKey::LEN {
            for digit in ALPHABET {
                let mut bytes = good.clone().into_bytes();
                if std::mem::replace(&mut bytes[at], *digit) == *digit {
                    continue;
                }
                let text = String::from_utf8(bytes).unwrap();
                let found = ApiKey::parse(&text).err();
                assert_eq!(found, Some(ApiKeyError::BadChecksum), "{text}");
            }
        }
    }

    #[test]
    fn a_key_id_is_a_ulid_with_a_prefix() {
        let id = KeyId::new(Timestamp::from_unix_ms(1_469_918_176_385), [0xff; 10]);
        assert_eq!(id.as_str(), "key_01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        for text in ["", "key_", "spc_01ARYZ6S41ZZZZZZZZZZZZZZZZ", "key_81ARYZ6S41ZZZZZZZZZZZZZZZZ"]
        {
            assert_eq!(text.parse::<KeyId>(), Err(IdError), "{text}");
        }
    }
}
