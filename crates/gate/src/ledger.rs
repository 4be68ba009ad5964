//! The name of a ledger that is on no chain.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name by which an issuer and a policy know a ledger: `crdt-main`.
///
/// Compared byte for byte, so it has only characters that look like what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ledger(String);

/// Why a text is no [`Ledger`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Empty or too long.
    #[error("a ledger's name has 1 to {max} characters, this one has {len}", max = Ledger::LEN_MAX)]
    Length {
        /// Bytes of the rejected name.
        len: usize,
    },
    /// A character that is not printable ASCII.
    #[error("a ledger's name has only printable ASCII characters, not {found:?}")]
    BadCharacter {
        /// The first offending character.
        found: char,
    },
}

impl Ledger {
    /// Most characters of a name.
    pub const LEN_MAX: usize = 64;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Ledger {
    type Error = LedgerError;

    fn try_from(text: String) -> Result<Self, LedgerError> {
        if let Some(found) = text.chars().find(|it| !matches!(it, ' '..='~')) {
            return Err(LedgerError::BadCharacter { found });
        }
        if text.is_empty() || Self::LEN_MAX < text.len() {
            return Err(LedgerError::Length { len: text.len() });
        }
        Ok(Self(text))
    }
}

impl From<Ledger> for String {
    fn from(ledger: Ledger) -> Self {
        ledger.0
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
