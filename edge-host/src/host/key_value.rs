//! `spin:key-value@3.0.0` and `wasi:keyvalue@0.2.0-draft2`, on [`crate::store::key_value`].

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{
    Host, HostState,
    bindings::{
        spin::key_value::key_value::{Error, Host as HostSync, HostStore, HostStoreWithStore},
        wasi::keyvalue::{atomics, store as wasi},
    },
};
use crate::store::key_value::{KeyValueError, KeyValueStore};

impl From<KeyValueError> for Error {
    fn from(error: KeyValueError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<KeyValueError> for wasi::Error {
    fn from(error: KeyValueError) -> Self {
        Self::Other(error.to_string())
    }
}

impl HostSync for HostState {}

impl HostStore for HostState {
    fn drop(&mut self, store: Resource<KeyValueStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

fn store<T>(
    accessor: &Accessor<T, Host>,
    store: &Resource<KeyValueStore>,
) -> wasmtime::Result<KeyValueStore> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

impl<T: Send> HostStoreWithStore<T> for Host {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<KeyValueStore>, Error>> {
        accessor.with(|mut access| {
            let state = access.get();
            match state.grants.key_value_stores.get(&label) {
                Some(store) => Ok(Ok(state.table.push(store.clone())?)),
                None => Ok(Err(Error::AccessDenied)),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        this: Resource<KeyValueStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(store(accessor, &this)?.get(&key).map_err(Into::into))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        this: Resource<KeyValueStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(store(accessor, &this)?.set(&key, &value).map_err(Into::into))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        this: Resource<KeyValueStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(store(accessor, &this)?.delete(&key).map_err(Into::into))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        this: Resource<KeyValueStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        Ok(store(accessor, &this)?.exists(&key).map_err(Into::into))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        this: Resource<KeyValueStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let store = store(accessor, &this)?;
        let (keys, end) = match tokio::task::block_in_place(|| store.keys()) {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error.into())),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let end = FutureReader::new(&mut access, async { wasmtime::error::Ok(end) })?;
            Ok((keys, end))
        })
    }
}

impl wasi::Host for HostState {
    fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<KeyValueStore>, wasi::Error>> {
        match self.grants.key_value_stores.get(&label) {
            Some(store) => Ok(Ok(self.table.push(store.clone())?)),
            None => Ok(Err(wasi::Error::AccessDenied)),
        }
    }
}

impl wasi::HostBucket for HostState {
    fn get(
        &mut self,
        this: Resource<KeyValueStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, wasi::Error>> {
        Ok(self.table.get(&this)?.get(&key).map_err(Into::into))
    }

    fn set(
        &mut self,
        this: Resource<KeyValueStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), wasi::Error>> {
        Ok(self.table.get(&this)?.set(&key, &value).map_err(Into::into))
    }

    fn delete(
        &mut self,
        this: Resource<KeyValueStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), wasi::Error>> {
        Ok(self.table.get(&this)?.delete(&key).map_err(Into::into))
    }

    fn exists(
        &mut self,
        this: Resource<KeyValueStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, wasi::Error>> {
        Ok(self.table.get(&this)?.exists(&key).map_err(Into::into))
    }

    fn list_keys(
        &mut self,
        this: Resource<KeyValueStore>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<wasi::KeyResponse, wasi::Error>> {
        if cursor.is_some() {
            let text = "list_keys: cursor not supported".to_owned();
            return Ok(Err(wasi::Error::Other(text)));
        }
        let store = self.table.get(&this)?;
        let keys = tokio::task::block_in_place(|| store.keys());
        Ok(keys.map(|keys| wasi::KeyResponse { keys, cursor: None }).map_err(Into::into))
    }

    fn drop(&mut self, this: Resource<KeyValueStore>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl atomics::Host for HostState {
    fn increment(
        &mut self,
        bucket: Resource<KeyValueStore>,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, wasi::Error>> {
        Ok(self.table.get(&bucket)?.increment(&key, delta).map_err(Into::into))
    }
}
