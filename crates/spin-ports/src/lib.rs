//! The world as a Spin component sees it: the port of the routes, on Spin's interfaces.

mod database;
mod key_value;
mod log;
mod serve;

use std::{
    future::Future,
    time::{Duration, SystemTime},
};

use domain::Timestamp;
use http_api::{KeyValueError, Platform};
use records::DatabaseError;

pub use database::SpinDatabase;
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

    async fn is_marked(&self, key: &str) -> Result<bool, KeyValueError> {
        key_value::is_marked(key).await
    }

    async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        key_value::keys().await
    }

    async fn forget(&self, key: &str) -> Result<(), KeyValueError> {
        key_value::forget(key).await
    }

    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the outermost layer of a component")]
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let unix_ms = since_epoch.unwrap_or_default().as_millis();
        Timestamp::from_unix_ms(i64::try_from(unix_ms).unwrap_or(i64::MAX))
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
