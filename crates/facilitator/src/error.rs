//! Why texts are not a list of facilitators.

use evm::UrlError;

/// Why texts are not [`crate::Facilitators`], in one line.
///
/// URLs are named by where they stand, because they may hold keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FacilitatorsError {
    /// There is no URL.
    #[error("there is no URL")]
    Empty,
    /// A URL is not one.
    #[error("URL {position}: {wrong}")]
    Url {
        /// Which, counted from 1.
        position: usize,
        /// What is wrong with it.
        wrong: UrlError,
    },
    /// A URL has a query, behind which `/settle` can't be added.
    #[error("URL {position}: there is no query")]
    Query {
        /// Which, counted from 1.
        position: usize,
    },
    /// A URL is there twice.
    #[error("URL {position} is there twice")]
    Twice {
        /// Where it is the second time, counted from 1.
        position: usize,
    },
    /// The credentials are wrong.
    #[error("credentials: {0}")]
    Credentials(CredentialsError),
}

/// Why a text is not the credentials for facilitators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// It is not JSON, or not of the form. What the parser says of it may quote a secret, so only
    /// the place is kept.
    #[error(
        "this is not JSON like {{\"https://...\": {{\"bearer\": \"...\"}}}} \
         (line {line}, column {column})"
    )]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// They are for a URL that no facilitator has.
    #[error("number {position} is for none of the URLs")]
    Unknown {
        /// Which, in alphabetical order of the URLs, counted from 1.
        position: usize,
    },
    /// They have not exactly one of the two forms.
    #[error("number {position} is neither a bearer nor a cdp_key_id with a cdp_key_secret")]
    Form {
        /// Which, in alphabetical order of the URLs, counted from 1.
        position: usize,
    },
    /// A token or the id of a key is empty, or has a character that no header has.
    #[error("number {position} has a bearer or cdp_key_id that is empty or has odd characters")]
    Text {
        /// Which, in alphabetical order of the URLs, counted from 1.
        position: usize,
    },
    /// A secret is not a key.
    #[error(
        "number {position} has a cdp_key_secret that is not base64 of a private and its public \
         Ed25519 key, 64 bytes"
    )]
    Key {
        /// Which, in alphabetical order of the URLs, counted from 1.
        position: usize,
    },
}
