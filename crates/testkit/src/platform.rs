//! A world whose clock stands still until a test moves it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Timestamp;
use evm::{Limits, Network, Reply, SendError, StoreError};
use http_api::{KeyValueError, Platform};
use records::DatabaseError;
use tempfile::TempDir;

use crate::TestDatabase;

/// What answers the requests to nodes of chains, by URL and body.
type Node = dyn FnMut(&str, &str) -> Result<Reply, SendError> + Send;

/// What answers the questions to DNS, by URL and message.
type Resolver = dyn FnMut(&str, &[u8]) -> Result<Reply, SendError> + Send;

/// The world of a test. Its stores can be made to fail.
pub struct TestPlatform {
    directory: TempDir,
    keys: Mutex<BTreeMap<String, i64>>,
    values: Mutex<BTreeMap<String, String>>,
    node: Mutex<Box<Node>>,
    resolver: Mutex<Box<Resolver>>,
    now_ms: AtomicI64,
    n_random: AtomicU64,
    /// Whether both stores fail from now on.
    pub is_broken: AtomicBool,
}

impl Default for TestPlatform {
    fn default() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            keys: Mutex::default(),
            values: Mutex::default(),
            node: Mutex::new(Box::new(|_, _| Err(SendError::Unreachable("no node".to_owned())))),
            resolver: Mutex::new(Box::new(|_, _| Err(SendError::TimedOut))),
            now_ms: AtomicI64::new(1_795_000_000_000),
            n_random: AtomicU64::new(1),
            is_broken: AtomicBool::new(false),
        }
    }
}

impl TestPlatform {
    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap();
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Lets `node` answer the requests to nodes of chains.
    pub fn set_node(
        &self,
        node: impl FnMut(&str, &str) -> Result<Reply, SendError> + Send + 'static,
    ) {
        *self.node.lock().unwrap() = Box::new(node);
    }

    /// Lets `resolver` answer the questions to DNS.
    pub fn set_resolver(
        &self,
        resolver: impl FnMut(&str, &[u8]) -> Result<Reply, SendError> + Send + 'static,
    ) {
        *self.resolver.lock().unwrap() = Box::new(resolver);
    }

    /// Another connection to the records.
    #[must_use]
    pub fn open(&self) -> TestDatabase {
        TestDatabase::open(&self.directory.path().join("records.db"))
    }

    fn keys<T>(
        &self,
        work: impl FnOnce(&mut BTreeMap<String, i64>) -> T,
    ) -> Result<T, KeyValueError> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(KeyValueError("broken by the test".to_owned()));
        }
        Ok(work(&mut self.keys.lock().unwrap()))
    }
}

impl Platform for TestPlatform {
    type Database = TestDatabase;

    async fn database(&self) -> Result<TestDatabase, DatabaseError> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(DatabaseError("broken by the test".to_owned()));
        }
        Ok(self.open())
    }

    async fn claim(&self, key: &str) -> Result<bool, KeyValueError> {
        self.keys(|keys| {
            let count = keys.entry(key.to_owned()).or_default();
            *count += 1;
            *count == 1
        })
    }

    async fn mark(&self, key: &str) -> Result<(), KeyValueError> {
        self.keys(|keys| keys.insert(key.to_owned(), 0)).map(|_| ())
    }

    async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        self.keys(|keys| keys.contains_key(key))
    }

    async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        let values = self.values.lock().unwrap().keys().cloned().collect::<Vec<_>>();
        self.keys(|keys| keys.keys().cloned().chain(values).collect())
    }

    async fn forget(&self, key: &str) -> Result<(), KeyValueError> {
        self.values.lock().unwrap().remove(key);
        self.keys(|keys| keys.remove(key)).map(|_| ())
    }

    /// Different at every call, the same in every run.
    fn random<const N: usize>(&self) -> [u8; N] {
        let count = self.n_random.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        std::array::from_fn(|index| count[(8 - N % 8 + index) % 8])
    }

    /// Lets the clock run instead of waiting.
    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

impl Network for TestPlatform {
    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        _limits: Limits,
    ) -> Result<Reply, SendError> {
        if headers.contains(&("content-type", "application/dns-message".to_owned())) {
            return (self.resolver.lock().unwrap())(url, &body);
        }
        (self.node.lock().unwrap())(url, std::str::from_utf8(&body).unwrap())
    }

    async fn load(&self, key: &str) -> Result<Option<String>, StoreError> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(StoreError("broken by the test".to_owned()));
        }
        Ok(self.values.lock().unwrap().get(key).cloned())
    }

    async fn store(&self, key: &str, value: String) -> Result<(), StoreError> {
        self.values.lock().unwrap().insert(key.to_owned(), value);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now_ms.load(Ordering::SeqCst))
    }
}
