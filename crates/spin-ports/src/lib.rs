//! The world as a Spin component sees it: the port of the routes, on Spin's interfaces.

mod database;
mod key_value;
mod log;
mod network;
#[cfg(feature = "middleware")]
mod next;
mod serve;

use std::{future::Future, time::Duration};

use http_api::{KeyValueError, Platform};
use records::DatabaseError;

pub use database::SpinDatabase;
#[cfg(feature = "middleware")]
pub use next::Next;
pub use serve::{edge, serve, site};

/// Spin.
pub struct Spin;

impl Platform for Spin {
    type Database = SpinDatabase;

    async fn database(&self) -> Result<SpinDatabase, DatabaseError> {
        SpinDatabase::open()
    }

    async fn claim(&self, key: &str) -> Result<bool, KeyValueError> {
        key_value::claim(key)
    }

    async fn mark(&self, key: &str) -> Result<(), KeyValueError> {
        key_value::mark(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        key_value::exists(key).await
    }

    async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        key_value::keys().await
    }

    async fn forget(&self, key: &str) -> Result<(), KeyValueError> {
        key_value::forget(key).await
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).expect("WASI always has randomness");
        bytes
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        spin_sdk::time::sleep(duration)
    }
}
