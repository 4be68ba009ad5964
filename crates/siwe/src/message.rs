//! A message that follows the grammar, and its canonical text.

use std::fmt;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{FieldError, Fields, parse::PREAMBLE};

/// An EIP-4361 message, version 1. Every field is what the grammar says.
///
/// Read with [`str::parse`], made with [`Message::new`]. `Display` is the canonical text, for a
/// client to sign; printing and parsing give an equal message. The reverse does not hold (an
/// offset becomes `Z`), which is why a signature is verified against the text that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(Fields);

impl Message {
    /// A message with these fields.
    ///
    /// # Errors
    /// [`FieldError`] for the first field that the grammar does not allow.
    pub fn new(fields: Fields) -> Result<Self, FieldError> {
        fields.checked().map(Self)
    }

    /// What the message says. All instants are in UTC.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.0
    }

    /// What the message says, to keep.
    #[must_use]
    pub fn into_fields(self) -> Fields {
        self.0
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = &self.0;
        if let Some(scheme) = &it.scheme {
            write!(f, "{scheme}://")?;
        }
        // An address prints with its EIP-55 checksum.
        write!(f, "{}{PREAMBLE}\n{}\n\n", it.domain, it.address)?;
        if let Some(statement) = &it.statement {
            writeln!(f, "{statement}")?;
        }
        write!(f, "\nURI: {}\nVersion: 1\nChain ID: {}\nNonce: {}", it.uri, it.chain_id, it.nonce)?;
        write!(f, "\nIssued At: {}", rfc_3339(it.issued_at)?)?;
        if let Some(at) = it.expiration_time {
            write!(f, "\nExpiration Time: {}", rfc_3339(at)?)?;
        }
        if let Some(at) = it.not_before {
            write!(f, "\nNot Before: {}", rfc_3339(at)?)?;
        }
        if let Some(request_id) = &it.request_id {
            write!(f, "\nRequest ID: {request_id}")?;
        }
        if !it.resources.is_empty() {
            f.write_str("\nResources:")?;
        }
        it.resources.iter().try_for_each(|resource| write!(f, "\n- {resource}"))
    }
}

/// Never fails for the instants of a [`Message`]: their years have four digits.
fn rfc_3339(at: OffsetDateTime) -> Result<String, fmt::Error> {
    at.format(&Rfc3339).map_err(|_| fmt::Error)
}
