//! `spin.toml`: what of it this edge knows, read and checked.
//!
//! Source: Spin's `crates/manifest/src/schema/v2.rs`.

mod schema;
mod toml_text;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub(crate) use toml_text::{TomlError, parse as parse_toml};

use crate::variables::{Declared, VariableError, check_name};

/// Why a manifest cannot be run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, an unknown key, a missing key, or a value of another type.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// The manifest is of another version.
    #[error("spin_manifest_version is {0}, and must be 2")]
    Version(i64),
    /// A variable is not right.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// A trigger has a route that is not a path, such as `{ private = true }`.
    #[error("the trigger of component {0} has a route that is not a path; private ones need Spin")]
    RouteForm(String),
    /// A component comes from elsewhere than a file.
    #[error("component {0} has a source that is not a path; downloads need Spin")]
    SourceForm(String),
    /// A trigger or a middleware list names a component that is not there.
    #[error("there is no [component.{0}], which a trigger names")]
    UnknownComponent(String),
    /// A middleware inherits something that is not known.
    #[error("middleware {component} inherits {name:?}, which is not one of {known}", known = Capability::NAMES.join(", "))]
    UnknownCapability {
        /// The middleware.
        component: String,
        /// What it inherits.
        name: String,
    },
}

/// A manifest that holds together: every component that is named is there.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) variables: BTreeMap<String, Declared>,
    pub(crate) components: BTreeMap<String, Component>,
    pub(crate) http_triggers: Vec<HttpTrigger>,
    pub(crate) cron_triggers: Vec<CronTrigger>,
}

/// One `[component.<name>]`.
#[derive(Debug)]
pub(crate) struct Component {
    /// The file, relative to the manifest.
    pub(crate) source: PathBuf,
    /// Templates, by the name the component knows.
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Templates.
    pub(crate) allowed_outbound_hosts: Vec<String>,
    pub(crate) key_value_stores: Vec<String>,
    pub(crate) sqlite_databases: Vec<String>,
}

/// One `[[trigger.http]]`.
#[derive(Debug)]
pub(crate) struct HttpTrigger {
    pub(crate) route: String,
    pub(crate) component: String,
    /// Outermost first.
    pub(crate) middleware: Vec<Middleware>,
}

/// One entry of `dependencies.middleware`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Middleware {
    pub(crate) component: String,
    /// What it may use of the configuration of the component behind it.
    pub(crate) inherits: BTreeSet<Capability>,
}

/// One `[[trigger.cron]]`.
#[derive(Debug)]
pub(crate) struct CronTrigger {
    pub(crate) component: String,
    /// Seconds first.
    pub(crate) expression: String,
}

/// A part of a component's configuration that its middleware may inherit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    AllowedOutboundHosts,
    Environment,
    KeyValueStores,
    SqliteDatabases,
    Variables,
}

impl Capability {
    const ALL: [Self; 5] = [
        Self::AllowedOutboundHosts,
        Self::Environment,
        Self::KeyValueStores,
        Self::SqliteDatabases,
        Self::Variables,
    ];
    const NAMES: [&str; 5] = [
        "allowed_outbound_hosts",
        "environment",
        "key_value_stores",
        "sqlite_databases",
        "variables",
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|it| *it == name).map(|it| Self::ALL[it])
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`], which names what is not known or does not fit.
    pub(crate) fn parse(text: &str) -> Result<Self, ManifestError> {
        let document: schema::Document = parse_toml(text)?;
        if document.spin_manifest_version != 2 {
            return Err(ManifestError::Version(document.spin_manifest_version));
        }
        let manifest = Self {
            variables: each(document.variables, variable)?,
            components: each(document.component, component)?,
            http_triggers: document
                .trigger
                .http
                .into_iter()
                .map(http_trigger)
                .collect::<Result<_, _>>()?,
            cron_triggers: document.trigger.cron.into_iter().map(cron_trigger).collect(),
        };
        manifest.check_references()?;
        Ok(manifest)
    }

    fn check_references(&self) -> Result<(), ManifestError> {
        let handlers = self.http_triggers.iter().map(|it| &it.component);
        let middleware = self.http_triggers.iter().flat_map(|it| &it.middleware);
        let cron = self.cron_triggers.iter().map(|it| &it.component);
        let mut named = handlers.chain(middleware.map(|it| &it.component)).chain(cron);
        match named.find(|it| !self.components.contains_key(*it)) {
            Some(name) => Err(ManifestError::UnknownComponent(name.clone())),
            None => Ok(()),
        }
    }
}

fn each<A, B>(
    raw: BTreeMap<String, A>,
    convert: impl Fn(&str, A) -> Result<B, ManifestError>,
) -> Result<BTreeMap<String, B>, ManifestError> {
    raw.into_iter().map(|(name, it)| convert(&name, it).map(|it| (name, it))).collect()
}

fn variable(name: &str, raw: schema::Variable) -> Result<Declared, ManifestError> {
    check_name(name)?;
    if raw.required == raw.default.is_some() {
        return Err(VariableError::RequiredOrDefault(name.to_owned()).into());
    }
    Ok(Declared { default: raw.default })
}

fn component(name: &str, raw: schema::Component) -> Result<Component, ManifestError> {
    for name in raw.variables.keys() {
        check_name(name)?;
    }
    let source = raw.source.as_str().ok_or_else(|| ManifestError::SourceForm(name.to_owned()))?;
    Ok(Component {
        source: source.into(),
        variables: raw.variables,
        environment: raw.environment,
        allowed_outbound_hosts: raw.allowed_outbound_hosts,
        key_value_stores: raw.key_value_stores,
        sqlite_databases: raw.sqlite_databases,
    })
}

fn http_trigger(raw: schema::HttpTrigger) -> Result<HttpTrigger, ManifestError> {
    let Some(route) = raw.route.as_str() else {
        return Err(ManifestError::RouteForm(raw.component));
    };
    let middleware = raw.dependencies.middleware.into_iter().map(middleware);
    Ok(HttpTrigger {
        route: route.to_owned(),
        component: raw.component,
        middleware: middleware.collect::<Result<_, _>>()?,
    })
}

fn middleware(raw: schema::Middleware) -> Result<Middleware, ManifestError> {
    let inherits = match raw.inherit_configuration {
        None | Some(schema::Inherit::All(false)) => BTreeSet::new(),
        Some(schema::Inherit::All(true)) => Capability::ALL.into(),
        Some(schema::Inherit::Some(names)) => names
            .into_iter()
            .map(|name| {
                let component = &raw.component;
                Capability::from_name(&name).ok_or_else(|| ManifestError::UnknownCapability {
                    component: component.clone(),
                    name,
                })
            })
            .collect::<Result<_, _>>()?,
    };
    Ok(Middleware { component: raw.component, inherits })
}

fn cron_trigger(raw: schema::CronTrigger) -> CronTrigger {
    CronTrigger { component: raw.component, expression: raw.cron_expression }
}

#[cfg(test)]
mod tests;
