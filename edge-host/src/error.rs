//! Why the edge did not start.

use std::{io, path::PathBuf};

use crate::{
    allowed_hosts::AllowedHostError, compose::ComposeError, cron::ScheduleError,
    manifest::ManifestError, route::RouteError, runtime_config::RuntimeConfigError,
    store::StoreError, variables::VariableError,
};

/// Why the edge did not start. Each is one line that names what to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file could not be read, or a directory not made.
    #[error("could not read or make {}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The manifest says something that this edge does not do.
    #[error("{} cannot be run", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ManifestError,
    },
    /// The runtime configuration says something that this edge does not do.
    #[error("{} cannot be used", path.display())]
    RuntimeConfig {
        /// The runtime configuration.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: RuntimeConfigError,
    },
    /// A variable has no value, or a template names none.
    #[error("a variable is not right")]
    Variable(#[from] VariableError),
    /// A component names a store that the runtime configuration does not have.
    #[error(
        "component {component} wants {kind} {label:?}, which runtime-config.toml does not have"
    )]
    UnknownStore {
        /// The component.
        component: String,
        /// `key-value store` or `SQLite database`.
        kind: &'static str,
        /// The label it wants.
        label: String,
    },
    /// A store could not be opened.
    #[error("store {label:?} could not be opened")]
    Store {
        /// Its label.
        label: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// An entry of `allowed_outbound_hosts` is not one.
    #[error("component {component} has an allowed_outbound_hosts entry that is not one")]
    AllowedHost {
        /// The component.
        component: String,
        /// What is wrong with it.
        #[source]
        source: AllowedHostError,
    },
    /// The file of a component is not there.
    #[error("component {component} has no file {}: build it first", path.display())]
    NoSource {
        /// The component.
        component: String,
        /// Where it should be.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A component and its middleware could not be put together.
    #[error("component {component} could not be put together with its middleware")]
    Compose {
        /// The component.
        component: String,
        /// Why.
        #[source]
        source: ComposeError,
    },
    /// A component imports something that this edge does not offer.
    #[error("component {component} imports {import}, which this edge does not offer")]
    UnknownImport {
        /// The component.
        component: String,
        /// The interface it imports.
        import: String,
    },
    /// A component could not be compiled, or does not fit the interfaces it names.
    #[error("component {component} is not a component of its trigger")]
    Component {
        /// The component.
        component: String,
        /// What wasmtime said.
        #[source]
        source: wasmtime::Error,
    },
    /// A cron trigger has an expression that is not one.
    #[error("the cron trigger of component {component} is not right")]
    Schedule {
        /// The component.
        component: String,
        /// What is wrong with it.
        #[source]
        source: ScheduleError,
    },
    /// The routes of two triggers are one, or a route is not one.
    #[error("a route is not right")]
    Route(#[from] RouteError),
    /// The runtime for components could not be set up.
    #[error("the runtime for components could not be set up")]
    Engine(#[source] wasmtime::Error),
    /// Outbound TLS could not be set up.
    #[error("outbound TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// The address could not be listened on.
    #[error("could not listen")]
    Listen(#[source] io::Error),
}
