//! From a manifest to handlers and cron jobs: everything that can be wrong is found here.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use wasmtime::Engine;

use crate::{
    StartError,
    allowed_hosts::AllowedHosts,
    component::Loader,
    compose::{Part, chain},
    cron::{CronJob, Schedule},
    edge::EdgeOptions,
    host::{
        Grants,
        outbound::{Clients, Connectors, Outbound},
    },
    manifest::{Component, HttpTrigger, Manifest, Middleware},
    route::Routes,
    runtime_config::RuntimeConfig,
    store::{
        StoreError,
        key_value::{KeyValueFile, KeyValueStore},
        sqlite::Database,
    },
    variables::{Values, VariableError},
    worker::{Handler, Workers},
};

/// An application, ready to run.
pub(crate) struct App {
    pub(crate) routes: Routes<Handler>,
    pub(crate) cron_jobs: Vec<CronJob>,
}

impl App {
    /// Reads, checks, compiles and links everything that `options` name. Blocks while it does.
    ///
    /// # Errors
    /// [`StartError`] for the first thing that is not right.
    pub(crate) fn load(engine: &Engine, options: &EdgeOptions) -> Result<Self, StartError> {
        let path = &options.manifest;
        let manifest = Manifest::parse(&read(path)?)
            .map_err(|source| StartError::Manifest { path: path.clone(), source })?;
        let values = Values::resolve(&manifest.variables, &options.variables)?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let sources = sources(&manifest, directory)?;
        let mut stores = Stores::new(options)?;
        let clients = Clients::new(Connectors::new().map_err(StartError::Tls)?);
        let clients = Arc::new(clients);
        let mut grants = BTreeMap::new();
        for (name, component) in &manifest.components {
            let granted = grant(name, component, &values, &mut stores, &clients)?;
            grants.insert(&**name, Arc::new(granted));
        }
        let assembly = Assembly {
            engine,
            loader: Loader::new(engine.clone()).map_err(StartError::Engine)?,
            sources,
            grants,
        };
        Ok(Self {
            routes: assembly.routes(&manifest.http_triggers)?,
            cron_jobs: assembly.cron_jobs(&manifest)?,
        })
    }
}

/// What the triggers are made from.
struct Assembly<'a> {
    engine: &'a Engine,
    loader: Loader,
    sources: HashMap<&'a str, Vec<u8>>,
    grants: BTreeMap<&'a str, Arc<Grants>>,
}

impl Assembly<'_> {
    /// Triggers of one component with the same middleware share its instances.
    fn routes(&self, triggers: &[HttpTrigger]) -> Result<Routes<Handler>, StartError> {
        let mut handlers: BTreeMap<(&str, &[Middleware]), Handler> = BTreeMap::new();
        let mut routes = Vec::new();
        for trigger in triggers {
            let key = (&*trigger.component, &*trigger.middleware);
            let handler = match handlers.get(&key) {
                Some(handler) => handler.clone(),
                None => self.handler(trigger)?,
            };
            handlers.insert(key, handler.clone());
            routes.push((trigger.route.clone(), handler));
        }
        Ok(Routes::new(routes)?)
    }

    fn handler(&self, trigger: &HttpTrigger) -> Result<Handler, StartError> {
        let name = &*trigger.component;
        let part = |name| Part { name, wasm: &self.sources[name] };
        let middleware: Vec<_> =
            trigger.middleware.iter().map(|it| (part(&*it.component), &it.inherits)).collect();
        let composed = if middleware.is_empty() {
            None
        } else {
            let composed = chain(&middleware, &part(name));
            Some(
                composed
                    .map_err(|source| StartError::Compose { component: name.to_owned(), source })?,
            )
        };
        let wasm = composed.as_deref().unwrap_or(&self.sources[name]);
        let component = self.loader.http(name, wasm)?;
        Ok(Workers::handler(self.engine, component, Arc::clone(&self.grants[name])))
    }

    fn cron_jobs(&self, manifest: &Manifest) -> Result<Vec<CronJob>, StartError> {
        let job = |trigger: &crate::manifest::CronTrigger| {
            let name = &*trigger.component;
            Ok(CronJob {
                schedule: Schedule::parse(&trigger.expression).map_err(|source| {
                    StartError::Schedule { component: name.to_owned(), source }
                })?,
                engine: self.engine.clone(),
                component: self.loader.cron(name, &self.sources[name])?,
                grants: Arc::clone(&self.grants[name]),
            })
        };
        manifest.cron_triggers.iter().map(job).collect()
    }
}

fn grant(
    name: &str,
    component: &Component,
    values: &Values,
    stores: &mut Stores,
    clients: &Arc<Clients>,
) -> Result<Grants, StartError> {
    let mut variables = BTreeMap::new();
    for (variable, template) in &component.variables {
        variables.insert(variable.clone(), values.expand(template)?);
    }
    let hosts = expand_hosts(&component.allowed_outbound_hosts, values)?;
    let allowed = AllowedHosts::parse(hosts.iter().map(|it| &**it))
        .map_err(|source| StartError::AllowedHost { component: name.to_owned(), source })?;
    let component_name: Arc<str> = name.into();
    let (key_value_labels, sqlite_labels) =
        (&component.key_value_stores, &component.sqlite_databases);
    Ok(Grants {
        variables,
        environment: component.environment.clone().into_iter().collect(),
        key_value_stores: each(key_value_labels, |it| stores.key_value(name, it))?,
        sqlite_databases: each(sqlite_labels, |it| stores.sqlite(name, it))?,
        outbound: Outbound::new(&component_name, allowed, clients),
        component: component_name,
    })
}

/// The entries of `allowed_outbound_hosts`. One with a template is as many entries, separated by
/// white space, as its variables make of it, and none if that is empty.
fn expand_hosts(entries: &[String], values: &Values) -> Result<Vec<String>, VariableError> {
    let mut hosts = Vec::new();
    for entry in entries {
        let expanded = values.expand(entry)?;
        if entry.contains("{{") {
            hosts.extend(expanded.split_whitespace().map(str::to_owned));
        } else {
            hosts.push(expanded);
        }
    }
    Ok(hosts)
}

fn each<T>(
    labels: &[String],
    mut open: impl FnMut(&str) -> Result<T, StartError>,
) -> Result<BTreeMap<String, T>, StartError> {
    labels.iter().map(|label| Ok((label.clone(), open(label)?))).collect()
}

/// The stores that components were granted so far. One file is opened once.
struct Stores {
    config: RuntimeConfig,
    key_value_files: HashMap<PathBuf, Arc<KeyValueFile>>,
    databases: HashMap<PathBuf, Arc<Database>>,
}

impl Stores {
    fn new(options: &EdgeOptions) -> Result<Self, StartError> {
        let (path, text) = match &options.runtime_config {
            Some(path) => (path.clone(), read(path)?),
            None => (PathBuf::new(), String::new()),
        };
        let config = RuntimeConfig::parse(&text, &options.state_dir)
            .map_err(|source| StartError::RuntimeConfig { path, source })?;
        Ok(Self { config, key_value_files: HashMap::new(), databases: HashMap::new() })
    }

    fn key_value(&mut self, component: &str, label: &str) -> Result<KeyValueStore, StartError> {
        let path = self.config.key_value_stores.get(label);
        let path = path.ok_or_else(|| unknown_store(component, "key-value store", label))?;
        let file = opened(&mut self.key_value_files, path, label, KeyValueFile::open)?;
        Ok(file.store(label))
    }

    fn sqlite(&mut self, component: &str, label: &str) -> Result<Arc<Database>, StartError> {
        let path = self.config.sqlite_databases.get(label);
        let path = path.ok_or_else(|| unknown_store(component, "SQLite database", label))?;
        opened(&mut self.databases, path, label, Database::open)
    }
}

fn unknown_store(component: &str, kind: &'static str, label: &str) -> StartError {
    StartError::UnknownStore { component: component.to_owned(), kind, label: label.to_owned() }
}

fn opened<T>(
    files: &mut HashMap<PathBuf, Arc<T>>,
    path: &Path,
    label: &str,
    open: impl FnOnce(&Path) -> Result<Arc<T>, StoreError>,
) -> Result<Arc<T>, StartError> {
    if let Some(file) = files.get(path) {
        return Ok(Arc::clone(file));
    }
    let file =
        open(path).map_err(|source| StartError::Store { label: label.to_owned(), source })?;
    files.insert(path.to_owned(), Arc::clone(&file));
    Ok(file)
}

fn sources<'a>(
    manifest: &'a Manifest,
    directory: &Path,
) -> Result<HashMap<&'a str, Vec<u8>>, StartError> {
    let read = |(name, component): (&'a String, &'a Component)| {
        let path = directory.join(&component.source);
        let wasm = fs::read(&path).map_err(|source| StartError::NoSource {
            component: name.clone(),
            path,
            source,
        })?;
        Ok((&**name, wasm))
    };
    manifest.components.iter().map(read).collect()
}

fn read(path: &Path) -> Result<String, StartError> {
    fs::read_to_string(path).map_err(|source| StartError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::Declared;

    #[test]
    fn a_template_grants_as_many_hosts_as_its_variables_name() {
        let with_default = |(name, default): (&str, &str)| {
            (name.to_owned(), Declared { default: Some(default.to_owned()) })
        };
        let declared = [
            ("none", ""),
            ("blank", " \n "),
            ("one", "https://a.org"),
            ("two", " https://a.org\n\thttp://b.org:81 "),
            ("names", "a.org b.org"),
        ];
        let values = Values::resolve(&declared.map(with_default).into(), &BTreeMap::new()).unwrap();
        #[rustfmt::skip]
        let rows: &[(&[&str], &[&str])] = &[
            (&[],                                   &[]),
            (&["https://c.org"],                    &["https://c.org"]),
            (&["{{ none }}"],                       &[]),
            (&["{{ blank }}"],                      &[]),
            (&["{{ one }}"],                        &["https://a.org"]),
            (&["{{ two }}"],                        &["https://a.org", "http://b.org:81"]),
            (&["{{ two }}", "{{ none }}", "*://*"], &["https://a.org", "http://b.org:81", "*://*"]),
            (&["{{ one }} {{ none }} {{ one }}"],   &["https://a.org", "https://a.org"]),
            // Not one template, but it has one: what it becomes is still checked.
            (&["https://{{ none }}"],               &["https://"]),
            (&["https://{{ names }}"],              &["https://a.org", "b.org"]),
            // Without a template nothing is split.
            (&["https://a.org https://b.org"],      &["https://a.org https://b.org"]),
            (&[""],                                 &[""]),
        ];
        for (entries, want) in rows {
            let entries = entries.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
            assert_eq!(expand_hosts(&entries, &values).unwrap(), *want, "{entries:?}");
        }
    }

    #[test]
    fn a_template_of_a_variable_that_is_not_there_grants_nothing() {
        let error = expand_hosts(&["{{ other }}".to_owned()], &Values::default()).unwrap_err();
        let (template, name) = ("{{ other }}".to_owned(), "other".to_owned());
        assert_eq!(error, VariableError::UnknownName { template, name });
    }
}
