//! Identifiers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Timestamp, hex};

/// Crockford's base 32, the alphabet of ULIDs.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a string is not an identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub struct IdError;

/// The 26 digits of a ULID: 48 bits of time and 80 random ones.
///
/// Source: <https://github.com/ulid/spec>.
#[must_use]
pub fn ulid(now: Timestamp, random: [u8; 10]) -> String {
    let time = u128::from(u64::try_from(now.unix_ms()).unwrap_or(0)) << 80;
    let tail = random.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let mut bits = time | tail;
    let mut digits = [0_u8; 26];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[usize::try_from(bits & 31).expect("five bits fit")];
        bits >>= 5;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

/// Whether `text` is a ULID in upper case.
#[must_use]
pub fn is_ulid(text: &str) -> bool {
    // The first digit of 26 carries three bits of 128 only.
    let fits = text.len() == 26 && text.as_bytes()[0] <= b'7';
    fits && text.bytes().all(|it| ALPHABET.contains(&it))
}

/// Names a space for ever: `spc_` and a ULID, so ids sort by the time they were made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpaceId(String);

impl SpaceId {
    /// A new id from the time and 80 random bits.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("spc_{}", ulid(now, random)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in the form that names Docker objects: lower case without the prefix's underscore.
    #[must_use]
    pub fn docker_name(&self) -> String {
        self.0.replace('_', "-").to_ascii_lowercase()
    }
}

impl FromStr for SpaceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("spc_").ok_or(IdError)?;
        if is_ulid(digits) { Ok(Self(text.to_owned())) } else { Err(IdError) }
    }
}

impl TryFrom<String> for SpaceId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<SpaceId> for String {
    fn from(id: SpaceId) -> Self {
        id.0
    }
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one request in answers and logs: 8 to 64 letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A new one from random bytes.
    #[must_use]
    pub fn new(random: [u8; 12]) -> Self {
        Self(hex(&random))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_sane = (8..=64).contains(&text.len())
            && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
        is_sane.then(|| Self(text.to_owned())).ok_or(IdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_id_is_a_ulid_with_a_prefix() {
        let id = SpaceId::new(Timestamp::from_unix_ms(1_469_918_176_385), [0xff; 10]);
        assert_eq!(id.as_str(), "spc_01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(id.docker_name(), "spc-01aryz6s41zzzzzzzzzzzzzzzz");
    }

    #[test]
    fn other_strings_are_no_space_ids() {
        let rows = [
            "",
            "spc_",
            "garden",
            "01ARYZ6S41ZZZZZZZZZZZZZZZZ",
            "spc_01ARYZ6S41ZZZZZZZZZZZZZZZ",
            "spc_01ARYZ6S41ZZZZZZZZZZZZZZZZZ",
            "spc_01aryz6s41zzzzzzzzzzzzzzzz",
            "spc_81ARYZ6S41ZZZZZZZZZZZZZZZZ",
            "spc_01ARYZ6S41ZZZZZZZZZZZZZZZU",
        ];
        for text in rows {
            assert_eq!(text.parse::<SpaceId>(), Err(IdError), "{text}");
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let earlier = SpaceId::new(Timestamp::from_unix_ms(1), [0xff; 10]);
        let later = SpaceId::new(Timestamp::from_unix_ms(2), [0; 10]);
        assert!(earlier < later);
    }

    #[test]
    fn only_a_sane_request_id_is_echoed() {
        #[rustfmt::skip]
        let rows = [
            ("12345678",       true),
            ("a-b_c.D9",       true),
            ("1234567",        false),
            ("12345678\n",     false),
            ("1234 5678",      false),
            ("ümläut-request", false),
        ];
        for (text, is_sane) in rows {
            assert_eq!(text.parse::<RequestId>().is_ok(), is_sane, "{text:?}");
        }
        assert!("x".repeat(65).parse::<RequestId>().is_err());
    }
}
