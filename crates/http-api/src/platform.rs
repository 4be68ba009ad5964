//! What the routes need from the world.

use std::{future::Future, time::Duration};

use evm::Network;
use records::{Database, DatabaseError};

/// The world: two stores, nodes of chains, the clock and randomness.
///
/// In the key-value store a key is either claimed, marked or has a value, and never two of these.
pub trait Platform: Network + Send + Sync + 'static {
    /// A connection to the records.
    type Database: Database;

    /// Opens a connection to the records.
    fn database(&self) -> impl Future<Output = Result<Self::Database, DatabaseError>> + Send;

    /// Claims `key`: true for the first of all who ever ask, whichever instance asks.
    fn claim(&self, key: &str) -> impl Future<Output = Result<bool, KeyValueError>> + Send;

    /// Marks `key`.
    fn mark(&self, key: &str) -> impl Future<Output = Result<(), KeyValueError>> + Send;

    /// Whether there is anything under `key`.
    fn exists(&self, key: &str) -> impl Future<Output = Result<bool, KeyValueError>> + Send;

    /// Every key there is.
    fn keys(&self) -> impl Future<Output = Result<Vec<String>, KeyValueError>> + Send;

    /// Forgets `key`.
    fn forget(&self, key: &str) -> impl Future<Output = Result<(), KeyValueError>> + Send;

    /// Random bytes that nobody can guess.
    fn random<const N: usize>(&self) -> [u8; N];

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// The key-value store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key-value store failed: {0}")]
pub struct KeyValueError(pub String);
