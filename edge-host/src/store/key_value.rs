//! Key-value pairs in a SQLite file, with Spin's table, so that either edge can open the other's.
//!
//! What is here may be lost without losing money, so a power failure may take the last moments with
//! it. One statement takes a few microseconds and runs where it is called.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Durability, StoreError, open};

/// Why an operation on a key-value store failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyValueError {
    /// The key has a value that is not a counter.
    #[error("the value of this key is not a counter")]
    NotACounter,
    /// The counter would leave 64 bits.
    #[error("the counter of this key would overflow")]
    Overflow,
    /// SQLite failed.
    #[error("the key-value store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// One file, which may hold several stores.
pub(crate) struct KeyValueFile(Mutex<Connection>);

/// One store: a label in a file.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct KeyValueStore {
    file: Arc<KeyValueFile>,
    label: Arc<str>,
}

const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const EXISTS: &str = "SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                   ON CONFLICT (store, key) DO UPDATE SET value = ?3";

impl KeyValueFile {
    /// Opens the file.
    ///
    /// # Errors
    /// [`StoreError`] if it is not to be had.
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        let connection = open(path, Durability::Recent)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
                 store TEXT NOT NULL,
                 key   TEXT NOT NULL,
                 value BLOB NOT NULL,
                 PRIMARY KEY (store, key)
             )",
        )?;
        Ok(Arc::new(Self(Mutex::new(connection))))
    }

    /// The store called `label` in this file.
    pub(crate) fn store(self: &Arc<Self>, label: &str) -> KeyValueStore {
        KeyValueStore { file: Arc::clone(self), label: label.into() }
    }
}

impl KeyValueStore {
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(GET)?;
        Ok(statement.query_row([&*self.label, key], |row| row.get(0)).optional()?)
    }

    pub(crate) fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        Ok(self.connection().prepare_cached(EXISTS)?.exists([&*self.label, key])?)
    }

    pub(crate) fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(KEYS)?;
        let keys = statement.query_map([&*self.label], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), KeyValueError> {
        self.write(|connection| {
            connection.prepare_cached(SET)?.execute(params![&*self.label, key, value])?;
            Ok(())
        })
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        self.write(|connection| {
            connection.prepare_cached(DELETE)?.execute([&*self.label, key])?;
            Ok(())
        })
    }

    /// Adds `delta` to a counter, which is 0 if it is not there, and returns what it is then.
    /// Counters are 64-bit little-endian, as in Spin.
    pub(crate) fn increment(&self, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let old: Option<Vec<u8>> = transaction
                .prepare_cached(GET)?
                .query_row([&*self.label, key], |row| row.get(0))
                .optional()?;
            let old = match old.map(<[u8; 8]>::try_from) {
                Some(Ok(bytes)) => i64::from_le_bytes(bytes),
                Some(Err(_)) => return Err(KeyValueError::NotACounter),
                None => 0,
            };
            let new = old.checked_add(delta).ok_or(KeyValueError::Overflow)?;
            let value = new.to_le_bytes();
            transaction.prepare_cached(SET)?.execute(params![&*self.label, key, value])?;
            transaction.commit()?;
            Ok(new)
        })
    }

    fn write<T>(
        &self,
        action: impl FnOnce(&mut Connection) -> Result<T, KeyValueError>,
    ) -> Result<T, KeyValueError> {
        failpoints::hit("edge:kv:before");
        let result = action(&mut self.connection());
        failpoints::hit("edge:kv:after");
        result
    }

    /// A panic elsewhere cannot have left the connection half changed: SQLite rolls back.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.file.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(directory: &tempfile::TempDir) -> KeyValueStore {
        KeyValueFile::open(&directory.path().join("a/kv.db")).unwrap().store("default")
    }

    #[test]
    fn a_value_is_kept_until_it_is_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);

        assert_eq!(store.get("a").unwrap(), None);
        store.set("a", b"1").unwrap();
        store.set("a", b"2").unwrap();
        assert_eq!(store.get("a").unwrap(), Some(b"2".to_vec()));
        assert!(store.exists("a").unwrap());
        assert_eq!(store.keys().unwrap(), ["a"]);
        store.delete("a").unwrap();
        store.delete("a").unwrap();
        assert!(!store.exists("a").unwrap());
    }

    #[test]
    fn stores_of_one_file_do_not_see_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyValueFile::open(&directory.path().join("kv.db")).unwrap();
        file.store("a").set("key", b"1").unwrap();
        assert_eq!(file.store("b").get("key").unwrap(), None);
    }

    #[test]
    fn every_increment_is_counted_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        let mut seen: Vec<i64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..50).map(|_| store.increment("n", 1).unwrap()).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        seen.sort_unstable();
        assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    }

    #[test]
    fn a_value_that_is_not_a_counter_fails_its_call_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        store.set("text", b"abc").unwrap();
        store.set("full", &i64::MAX.to_le_bytes()).unwrap();

        assert!(matches!(store.increment("text", 1), Err(KeyValueError::NotACounter)));
        assert!(matches!(store.increment("full", 1), Err(KeyValueError::Overflow)));
        assert_eq!(store.get("text").unwrap(), Some(b"abc".to_vec()));
        assert_eq!(store.increment("n", -2).unwrap(), -2);
    }
}
