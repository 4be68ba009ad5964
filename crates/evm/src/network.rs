//! What this crate needs from the world.

use std::{future::Future, time::Duration};

use domain::Timestamp;

/// The world: endpoints that take JSON, the clock, and a store that all instances share.
///
/// The store has no expiry and no compare-and-swap. What is put there says itself until when it
/// matters, and an update that is lost does no harm.
pub trait Network: Send + Sync {
    /// Posts `body` as `application/json` and reads the whole answer, whatever its status.
    ///
    /// Redirects are not followed: where to may hold a key, and only these hosts were granted.
    ///
    /// # Errors
    /// [`SendError`], without the path and query of `url`.
    fn post_json(
        &self,
        url: &str,
        body: String,
        limits: Limits,
    ) -> impl Future<Output = Result<Reply, SendError>> + Send;

    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn load(&self, key: &str) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Sets the value of `key`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn store(
        &self,
        key: &str,
        value: String,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The time.
    fn now(&self) -> Timestamp;
}

/// How much one answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until its last byte is there.
    pub time: Duration,
    /// Of its body.
    pub bytes: usize,
}

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, within [`Limits::bytes`].
    pub body: Vec<u8>,
}

/// Why there is no [`Reply`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No connection, or it broke. The text says why.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// [`Limits::time`] was over first.
    #[error("timed out")]
    TimedOut,
    /// There was more than [`Limits::bytes`].
    #[error("the answer is too large")]
    TooLarge,
}

/// The store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);
