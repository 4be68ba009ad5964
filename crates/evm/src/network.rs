//! What this crate, and others that ask somebody over HTTP, need from the world.

use std::{future::Future, time::Duration};

use domain::Timestamp;

/// The world: endpoints that are posted to, the clock, and a store that all instances share.
///
/// The store has no expiry and no compare-and-swap. What is put there says itself until when it
/// matters, and an update that is lost does no harm.
pub trait Network: Send + Sync {
    /// Posts `body` with these headers and reads the whole answer, whatever its status.
    ///
    /// Without a header `content-type` the body is said to be `application/json`. The values may be
    /// secrets.
    ///
    /// Redirects are not followed: where to may hold a key, and only these hosts were granted.
    ///
    /// # Errors
    /// [`SendError`], without the path and query of `url` and without the values of `headers`.
    fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
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
    /// There was no connection to send on: it is certain that nothing has been sent. The text says
    /// why.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The connection broke, or it is not known when it failed: what was sent may have arrived. The
    /// text says why.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// [`Limits::time`] was over first. What was sent may have arrived.
    #[error("timed out")]
    TimedOut,
    /// There was more than [`Limits::bytes`] of an answer.
    #[error("the answer is too large")]
    TooLarge,
}

/// The store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);
