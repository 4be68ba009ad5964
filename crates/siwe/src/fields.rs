//! What a message says, and what each field may be.

use alloy_primitives::Address;
use iri_string::{spec::UriSpec, validate};
use time::OffsetDateTime;

use crate::timestamp::{self, TimestampError};

/// Fewest characters of a nonce.
const NONCE_CHARS_MIN: usize = 8;

/// The fields of an EIP-4361 message, in the order of the text. The version is always 1.
///
/// Plain data: [`Message::new`](crate::Message::new) is where it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The scheme of the origin that asks, such as `https`.
    pub scheme: Option<String>,
    /// The authority (RFC 3986) that asks, such as `example.com` or `localhost:3000`.
    pub domain: String,
    /// Who signs.
    pub address: Address,
    /// What the person reads in the wallet: one line of ASCII. May be empty, which is not the same
    /// text as none.
    pub statement: Option<String>,
    /// The resource the sign-in is for (RFC 3986, absolute).
    pub uri: String,
    /// The chain the session is bound to (EIP-155).
    pub chain_id: u64,
    /// At least 8 ASCII letters and digits, from the service.
    pub nonce: String,
    /// When the message was made.
    pub issued_at: OffsetDateTime,
    /// The first instant at which the message is no longer valid.
    pub expiration_time: Option<OffsetDateTime>,
    /// The first instant at which the message is valid.
    pub not_before: Option<OffsetDateTime>,
    /// An identifier of the request (`*pchar` of RFC 3986). May be empty.
    pub request_id: Option<String>,
    /// What else the message refers to (RFC 3986 URIs). A message with the heading and no entry
    /// reads as one without either.
    pub resources: Vec<String>,
}

/// Which field cannot be in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The scheme is not a `scheme` of RFC 3986.
    #[error("the scheme is not an RFC 3986 scheme")]
    Scheme,
    /// The domain is empty or not an `authority` of RFC 3986.
    #[error("the domain is not an RFC 3986 authority")]
    Domain,
    /// The statement has a character other than a reserved or unreserved one of RFC 3986 or space.
    #[error("a statement must not have {found:?}")]
    Statement {
        /// The first offending character.
        found: char,
    },
    /// The URI is not a `URI` of RFC 3986.
    #[error("the URI is not an RFC 3986 URI")]
    Uri,
    /// The nonce is too short, or has something else than ASCII letters and digits.
    #[error("a nonce has at least {NONCE_CHARS_MIN} letters and digits and nothing else")]
    Nonce,
    /// A date-time is not one.
    #[error("the field {label:?} is not a date-time")]
    Timestamp {
        /// The field, as it is called in the text.
        label: &'static str,
        /// What is wrong with it.
        #[source]
        source: TimestampError,
    },
    /// The request id has something else than `pchar` of RFC 3986.
    #[error("the request id has characters that it must not have")]
    RequestId,
    /// A resource is not a `URI` of RFC 3986.
    #[error("resource {index} is not an RFC 3986 URI")]
    Resource {
        /// Which one, from 0.
        index: usize,
    },
}

impl Fields {
    /// The same fields with all instants in UTC, if each is what the grammar lets it be.
    pub(crate) fn checked(mut self) -> Result<Self, FieldError> {
        if self.scheme.as_deref().is_some_and(|it| validate::scheme(it).is_err()) {
            return Err(FieldError::Scheme);
        }
        // RFC 3986 lets an authority be empty (`file:///`). Such a one asks for nobody.
        if self.domain.is_empty() || validate::authority::<UriSpec>(&self.domain).is_err() {
            return Err(FieldError::Domain);
        }
        let stray = self.statement.iter().flat_map(|it| it.chars()).find(|it| !is_stated(*it));
        if let Some(found) = stray {
            return Err(FieldError::Statement { found });
        }
        if !is_uri(&self.uri) {
            return Err(FieldError::Uri);
        }
        if self.nonce.len() < NONCE_CHARS_MIN
            || !self.nonce.bytes().all(|it| it.is_ascii_alphanumeric())
        {
            return Err(FieldError::Nonce);
        }
        self.issued_at = in_utc("Issued At", self.issued_at)?;
        self.expiration_time =
            self.expiration_time.map(|it| in_utc("Expiration Time", it)).transpose()?;
        self.not_before = self.not_before.map(|it| in_utc("Not Before", it)).transpose()?;
        // A path segment is `*pchar`, which is all a request id is.
        if self
            .request_id
            .as_deref()
            .is_some_and(|it| validate::path_segment::<UriSpec>(it).is_err())
        {
            return Err(FieldError::RequestId);
        }
        if let Some(index) = self.resources.iter().position(|it| !is_uri(it)) {
            return Err(FieldError::Resource { index });
        }
        Ok(self)
    }
}

fn in_utc(label: &'static str, at: OffsetDateTime) -> Result<OffsetDateTime, FieldError> {
    timestamp::in_utc(at).map_err(|source| FieldError::Timestamp { label, source })
}

fn is_uri(text: &str) -> bool {
    validate::iri::<UriSpec>(text).is_ok()
}

/// `reserved / unreserved / " "` of RFC 3986: no `"`, `%`, `<`, `>`, `\`, `^`, backtick, `{`, `|`
/// or `}`, no control character and nothing outside ASCII.
const fn is_stated(it: char) -> bool {
    matches!(
        it,
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' '
            | '-' | '.' | '_' | '~'
            | ':' | '/' | '?' | '#' | '[' | ']' | '@'
            | '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '='
    )
}
