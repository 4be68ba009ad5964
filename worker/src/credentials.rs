//! What the owner of a space needs to use it, handed out once.

use domain::{SpaceId, Timestamp};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// The account of the first admin of a space.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// What to log in with.
    pub username: String,
    /// The password that was made for it.
    pub password: String,
    /// Where to log in.
    pub url: String,
}

/// The ticket that somebody comes with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketUse {
    /// The SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
    /// When it ends.
    pub until: Timestamp,
}

/// Why credentials were not handed out.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The space was not ready yet, so that there is no account.
    #[error("the space has not been ready yet")]
    NotReady,
    /// The app has no first admin, or had none when the space was made.
    #[error("the app of this space has no first admin")]
    None,
    /// Another ticket took them.
    #[error("they were handed out by a ticket that ended at {until}")]
    Taken {
        /// When that ticket ended, or ends.
        until: Timestamp,
    },
    /// What the worker keeps of the space can't be used.
    #[error("what is kept of the space can't be used")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where credentials come from.
pub trait CredentialSource: Send + Sync {
    /// Hands out the credentials of `space` to who comes with `ticket`, which is valid. It is put on
    /// record before the answer, so that an answer that got lost can be had again with the same
    /// ticket, and with no other.
    ///
    /// # Errors
    /// [`CredentialsError`].
    fn take<'a>(
        &'a self,
        space: &'a SpaceId,
        ticket: &'a TicketUse,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>>;
}
