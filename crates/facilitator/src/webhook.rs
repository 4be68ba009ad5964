//! What facilitators tell us of their own accord.

use std::{fmt, str::FromStr, time::Duration};

use domain::Timestamp;
use http::HeaderMap;

use crate::{
    Hint,
    signature::{self, Signed},
};

/// How old a message may be, and how far ahead the clock of whoever sent it.
const AGE_MAX: Duration = Duration::from_mins(5);

/// The secrets that messages may be signed with: one, and the one before it while it is changed.
///
/// Read from a text in which white space separates them.
#[derive(Clone)]
pub struct WebhookSecrets(Vec<String>);

/// Why a text is not [`WebhookSecrets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretsError {
    /// There is none.
    #[error("there is no secret")]
    Empty,
    /// One could be guessed.
    #[error("number {position} needs at least {} characters", WebhookSecrets::LEN_MIN)]
    TooShort {
        /// Which, counted from 1.
        position: usize,
    },
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It has no signature of a kind that is known.
    #[error("there is no webhook-signature, x-hook0-signature or x-webhook-signature")]
    Unsigned,
    /// A header is missing or is not of the form.
    #[error("{0} is missing, or not of the form")]
    Header(&'static str),
    /// Nobody who knows a secret signed this.
    #[error("the signature is not by one of the secrets")]
    Forged,
    /// It is signed, and is not a JSON object.
    #[error("the body is not a JSON object")]
    NotJson,
    /// It is signed, and does not say when it was sent, neither in what is signed nor elsewhere.
    #[error("the body does not say when it was sent")]
    Undated,
    /// It was sent more than five minutes ago, or will be.
    #[error("it was not sent within the last five minutes")]
    Stale,
}

impl WebhookSecrets {
    /// Fewest characters of a secret.
    pub const LEN_MIN: usize = 16;

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for WebhookSecrets {
    type Err = WebhookSecretsError;

    fn from_str(text: &str) -> Result<Self, WebhookSecretsError> {
        let secrets: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        if secrets.is_empty() {
            return Err(WebhookSecretsError::Empty);
        }
        match (1..).zip(&secrets).find(|(_, it)| it.chars().count() < Self::LEN_MIN) {
            Some((position, _)) => Err(WebhookSecretsError::TooShort { position }),
            None => Ok(Self(secrets)),
        }
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookSecrets").field(&self.0.len()).finish()
    }
}

/// What a message is about, if somebody who knows one of our secrets sent it a short time ago.
///
/// Kinds of signatures that are known, and the first of them that is there counts:
///
/// - `webhook-id`, `webhook-timestamp`, `webhook-signature`: Standard Webhooks.
/// - `x-hook0-signature`: Coinbase's Developer Platform.
/// - `x-webhook-signature`: `OpenFacilitator` and Silverback, who sign the body alone. Their
///   `x-webhook-timestamp` is not signed, so the body has to say when it was sent, too.
///
/// Whoever keeps a message can send it again for five minutes. As it is a hint only, that does no
/// harm.
///
/// # Errors
/// [`WebhookError`].
pub fn verify_webhook(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &WebhookSecrets,
    now: Timestamp,
) -> Result<Hint, WebhookError> {
    let Signed { sent_at, is_dated } = signature::verify(headers, body, secrets)?;
    let is_fresh = |it: Timestamp| now.since(it) <= AGE_MAX && it.since(now) <= AGE_MAX;
    if !sent_at.is_none_or(is_fresh) {
        return Err(WebhookError::Stale);
    }
    let (hint, said) = Hint::read(body).ok_or(WebhookError::NotJson)?;
    if !is_dated && !is_fresh(said.ok_or(WebhookError::Undated)?) {
        return Err(WebhookError::Stale);
    }
    Ok(hint)
}
