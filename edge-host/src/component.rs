//! From a binary to something that can be instantiated.

use wasmtime::{
    Engine,
    component::{Component, InstancePre, Linker},
};
use wasmtime_wasi_http::{
    handler::ProxyPre, p2::bindings::ProxyPre as Proxy02Pre, p3::bindings::ServicePre,
};

use crate::{
    StartError,
    compose::{DENIED_PREFIX, HANDLER},
    host::{self, HostState, cron_bindings},
};

/// Compiles components and links them with what the host offers.
pub(crate) struct Loader {
    engine: Engine,
    linker: Linker<HostState>,
}

impl Loader {
    /// # Errors
    /// If the host's interfaces cannot be linked.
    pub(crate) fn new(engine: Engine) -> wasmtime::Result<Self> {
        Ok(Self { linker: host::linker(&engine)?, engine })
    }

    /// A component of an HTTP trigger: it exports `wasi:http/handler@0.3.0`, or the handler of WASI
    /// 0.2.
    ///
    /// # Errors
    /// [`StartError`] that names the component and the import or export that does not fit.
    pub(crate) fn http(&self, name: &str, wasm: &[u8]) -> Result<ProxyPre<HostState>, StartError> {
        let component = self.compile(name, wasm)?;
        let is_wasi_03 = component.get_export_index(None, HANDLER).is_some();
        let linked = self.link(name, &component)?;
        if is_wasi_03 {
            ServicePre::new(linked).map(ProxyPre::P3)
        } else {
            Proxy02Pre::new(linked).map(ProxyPre::P2)
        }
        .map_err(|source| StartError::Component { component: name.to_owned(), source })
    }

    /// A component of a cron trigger.
    ///
    /// # Errors
    /// [`StartError`] that names the component and the import or export that does not fit.
    pub(crate) fn cron(
        &self,
        name: &str,
        wasm: &[u8],
    ) -> Result<cron_bindings::CronPre<HostState>, StartError> {
        let component = self.compile(name, wasm)?;
        let linked = self.link(name, &component)?;
        cron_bindings::CronPre::new(linked)
            .map_err(|source| StartError::Component { component: name.to_owned(), source })
    }

    fn compile(&self, name: &str, wasm: &[u8]) -> Result<Component, StartError> {
        Component::new(&self.engine, wasm)
            .map_err(|source| StartError::Component { component: name.to_owned(), source })
    }

    fn link(
        &self,
        name: &str,
        component: &Component,
    ) -> Result<InstancePre<HostState>, StartError> {
        let ty = component.component_type();
        let mut imports = ty.imports(&self.engine).map(|(import, _)| import);
        let unknown = imports.find(|it| !host::is_offered(it) && !it.starts_with(DENIED_PREFIX));
        if let Some(import) = unknown {
            let (component, import) = (name.to_owned(), import.to_owned());
            return Err(StartError::UnknownImport { component, import });
        }
        let mut linker = self.linker.clone();
        host::denied::add_to_linker(&mut linker, &self.engine, component)
            .and_then(|()| linker.instantiate_pre(component))
            .map_err(|source| StartError::Component { component: name.to_owned(), source })
    }
}
