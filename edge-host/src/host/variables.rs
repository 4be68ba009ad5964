//! `spin:variables@3.0.0`, and `fermyon:spin/variables@2.0.0` for components of the cron trigger.

use wasmtime::component::Accessor;

use super::{
    Host, HostState,
    bindings::{
        fermyon::spin::variables as v2,
        spin::variables::variables::{Error, Host as HostSync, HostWithStore},
    },
};
use crate::variables::check_name;

impl HostState {
    fn variable(&self, name: &str) -> Result<String, Error> {
        check_name(name).map_err(|it| Error::InvalidName(it.to_string()))?;
        let undefined =
            || Error::Undefined(format!("no variable for {:?}.{name:?}", self.grants.component));
        self.grants.variables.get(name).cloned().ok_or_else(undefined)
    }
}

impl HostSync for HostState {}

impl<T: Send> HostWithStore<T> for Host {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| access.get().variable(&name)))
    }
}

impl v2::Host for HostState {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, v2::Error>> {
        Ok(self.variable(&name).map_err(|error| match error {
            Error::InvalidName(text) => v2::Error::InvalidName(text),
            Error::Undefined(text) => v2::Error::Undefined(text),
            Error::Provider(text) => v2::Error::Provider(text),
            Error::Other(text) => v2::Error::Other(text),
        }))
    }
}
