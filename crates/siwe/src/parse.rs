//! The grammar of EIP-4361, on the raw text.
//!
//! One line of the text is one step. No rule needs to look further than the next line, and no
//! character class of the grammar has a line break, so splitting at LF first loses nothing: a CR,
//! or a line break at the end, ends up in a place where nothing takes it.

use std::{
    iter::Peekable,
    str::{FromStr, Split},
};

use alloy_primitives::Address;
use time::OffsetDateTime;

use crate::{FieldError, Fields, Message, timestamp};

/// What follows the domain on the first line.
pub(crate) const PREAMBLE: &str = " wants you to sign in with your Ethereum account:";

/// Why a text is not an EIP-4361 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The first line is not a domain and the fixed words.
    #[error("the first line must end with {PREAMBLE:?}")]
    Preamble,
    /// The second line is not an address with the right capitals.
    #[error("the second line must be an address with its EIP-55 checksum")]
    Address,
    /// There is no empty line where one must be.
    #[error("there must be an empty line after the {after}")]
    NoEmptyLine {
        /// What the empty line must follow.
        after: &'static str,
    },
    /// A line is missing or in another place.
    #[error("there must be a line that begins with {label:?} here")]
    NoLine {
        /// How the line begins.
        label: &'static str,
    },
    /// The version is not 1.
    #[error("the version must be 1")]
    Version,
    /// The chain id is not made of digits, or too large for any chain there can be (64 bits).
    #[error("the chain id must be a decimal number of at most 64 bits")]
    ChainId,
    /// A field is not what the grammar says.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is more after the end of the message.
    #[error("there must be nothing more after the message")]
    Trailing,
}

impl FromStr for Message {
    type Err = ParseError;

    fn from_str(raw: &str) -> Result<Self, ParseError> {
        let mut lines = Lines(raw.split('\n').peekable());

        let origin = lines.0.next().and_then(|it| it.strip_suffix(PREAMBLE));
        let origin = origin.ok_or(ParseError::Preamble)?;
        // A domain cannot have `/`, so this cannot split one.
        let (scheme, domain) = match origin.split_once("://") {
            Some((scheme, domain)) => (Some(scheme), domain),
            None => (None, origin),
        };
        let address = lines.0.next().and_then(|it| Address::parse_checksummed(it, None).ok());
        let address = address.ok_or(ParseError::Address)?;
        lines.empty_line("address")?;
        let statement = lines.statement()?;
        let uri = lines.required("URI: ")?;
        if lines.required("Version: ")? != "1" {
            return Err(ParseError::Version);
        }
        let chain_id = chain_id(lines.required("Chain ID: ")?)?;
        let nonce = lines.required("Nonce: ")?;
        let issued_at = instant("Issued At", lines.required("Issued At: ")?)?;
        let expiration_time = lines.optional("Expiration Time: ");
        let expiration_time =
            expiration_time.map(|it| instant("Expiration Time", it)).transpose()?;
        let not_before = lines.optional("Not Before: ");
        let not_before = not_before.map(|it| instant("Not Before", it)).transpose()?;
        let request_id = lines.optional("Request ID: ").map(str::to_owned);
        let resources = lines.resources();
        if lines.0.next().is_some() {
            return Err(ParseError::Trailing);
        }

        let message = Self::new(Fields {
            scheme: scheme.map(str::to_owned),
            domain: domain.to_owned(),
            address,
            statement: statement.map(str::to_owned),
            uri: uri.to_owned(),
            chain_id,
            nonce: nonce.to_owned(),
            issued_at,
            expiration_time,
            not_before,
            request_id,
            resources,
        })?;
        Ok(message)
    }
}

/// What is left to read.
struct Lines<'a>(Peekable<Split<'a, char>>);

impl<'a> Lines<'a> {
    fn empty_line(&mut self, after: &'static str) -> Result<(), ParseError> {
        self.0.next_if_eq(&"").map(|_| ()).ok_or(ParseError::NoEmptyLine { after })
    }

    /// `[ statement LF ] LF`. The statement may be empty: two empty lines are one, and no words.
    fn statement(&mut self) -> Result<Option<&'a str>, ParseError> {
        let Some(words) = self.0.next_if(|it| !it.is_empty()) else {
            self.empty_line("address")?;
            return Ok(self.0.next_if_eq(&""));
        };
        self.empty_line("statement")?;
        Ok(Some(words))
    }

    fn required(&mut self, label: &'static str) -> Result<&'a str, ParseError> {
        self.optional(label).ok_or(ParseError::NoLine { label })
    }

    fn optional(&mut self, label: &str) -> Option<&'a str> {
        self.0.next_if(|it| it.starts_with(label)).and_then(|it| it.strip_prefix(label))
    }

    fn resources(&mut self) -> Vec<String> {
        if self.0.next_if_eq(&"Resources:").is_none() {
            return Vec::new();
        }
        std::iter::from_fn(|| self.optional("- ")).map(str::to_owned).collect()
    }
}

/// `1*DIGIT`. Leading zeros are in the grammar; a sign, which `u64::from_str` takes, is not.
fn chain_id(text: &str) -> Result<u64, ParseError> {
    if !text.bytes().all(|it| it.is_ascii_digit()) {
        return Err(ParseError::ChainId);
    }
    text.parse().map_err(|_| ParseError::ChainId)
}

fn instant(label: &'static str, text: &str) -> Result<OffsetDateTime, FieldError> {
    timestamp::parse(text).map_err(|source| FieldError::Timestamp { label, source })
}
