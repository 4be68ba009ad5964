//! Claims, marks and values in Spin's key-value store.
//!
//! A claim is a counter, a mark and a value are not, and one key is never both: an increment of
//! what is not a counter takes the whole store of Spin down.

use http_api::KeyValueError;
use spin_sdk::{
    experimental::wasi::keyvalue::{atomics, store},
    key_value::{Error, Store},
};

/// Adds one to the counter `key`; the first to do so has claimed it.
pub(crate) fn claim(key: &str) -> Result<bool, KeyValueError> {
    let bucket = store::open("default").map_err(|it| atomics_error(&it))?;
    atomics::increment(&bucket, key, 1).map(|count| count == 1).map_err(|it| atomics_error(&it))
}

pub(crate) async fn mark(key: &str) -> Result<(), KeyValueError> {
    open().await?.set(key, b"1").await.map_err(|it| error(&it))
}

pub(crate) async fn exists(key: &str) -> Result<bool, KeyValueError> {
    open().await?.exists(key).await.map_err(|it| error(&it))
}

pub(crate) async fn load(key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
    open().await?.get(key).await.map_err(|it| error(&it))
}

pub(crate) async fn store(key: &str, value: &str) -> Result<(), KeyValueError> {
    open().await?.set(key, value.as_bytes()).await.map_err(|it| error(&it))
}

pub(crate) async fn keys() -> Result<Vec<String>, KeyValueError> {
    open().await?.get_keys().await.collect().await.map_err(|it| error(&it))
}

pub(crate) async fn forget(key: &str) -> Result<(), KeyValueError> {
    open().await?.delete(key).await.map_err(|it| error(&it))
}

async fn open() -> Result<Store, KeyValueError> {
    Store::open_default().await.map_err(|it| error(&it))
}

fn error(error: &Error) -> KeyValueError {
    KeyValueError(error.to_string())
}

fn atomics_error(error: &store::Error) -> KeyValueError {
    KeyValueError(format!("{error:?}"))
}
