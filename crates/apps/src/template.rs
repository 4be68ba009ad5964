//! What an app template is once it is parsed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use settings::Schema;
use sha2::{Digest as _, Sha256};

use crate::{
    Backup, Check, Database, FirstAdmin, Kind, Meter, OperatorValue, Rule, Shared, Signal, Source,
    TemplateError, app_references, compose::Compose, errors::Errors, manifest::Manifest,
    references,
};

/// What every template may use about the space: its id (`spc-01j…`, a DNS label), its name, its
/// title, and where it is reached, as a URL (`https://garden.example.org`) and as a host.
pub const SPACE_VARIABLES: [&str; 5] =
    ["SPACE_ID", "SPACE_NAME", "SPACE_TITLE", "SPACE_URL", "SPACE_HOST"];

/// An app that can be provisioned.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The id in the catalogue, and the name of the template's folder.
    pub id: String,
    /// What people call the app.
    pub title: String,
    /// One sentence on what it is for.
    pub description: String,
    /// Which release it is: two are the same if and only if this is.
    pub release: String,
    /// What people call that release.
    pub version: String,
    /// Whether tenants can have it.
    pub kind: Kind,
    /// Where visitors go; `None` if and only if spaces share it.
    pub web: Option<Web>,
    /// When a space of it is ready.
    pub ready: Ready,
    /// Secrets to generate for each space, by the name of their variable.
    pub secrets: BTreeMap<String, Secret>,
    /// What the operator of the host may set, by the name without `OPERATOR_`.
    pub operator: BTreeMap<String, OperatorValue>,
    /// Disk that a space may use, in mebibytes.
    pub disk_mib: u32,
    /// What a tenant may choose.
    pub settings: Schema,
    /// The services, each after those that it depends on. Environment and command are as written
    /// in the compose file; [`Template::render`] fills them in.
    pub services: Vec<Service>,
    /// The named volumes.
    pub volumes: Vec<String>,
    /// Databases, by the key that SQL names them with.
    pub databases: BTreeMap<String, Database>,
    /// What is counted and paid for.
    pub meters: BTreeMap<String, Meter>,
    /// What says when a space has work.
    pub signals: BTreeMap<String, Signal>,
    /// What a backup has in it.
    pub backup: Option<Backup>,
    /// The account that is made before visitors can come.
    pub first_admin: Option<FirstAdmin>,
    /// The services of the host that it uses.
    pub shared: Option<Shared>,
    /// The two files.
    pub source: Source,
}

/// Where visitors go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// The service that speaks HTTP.
    pub service: String,
    /// The port it listens on.
    pub port: u16,
}

/// When a space is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// What to GET from the web service: ready is an answer with a status of 200 to 299. Empty if
    /// there is no web service.
    pub path: String,
    /// How long after its start a space that is not ready counts as failed.
    pub timeout_seconds: u32,
    /// What has to succeed besides.
    pub checks: Vec<Check>,
}

/// A secret that is made once for each space, as lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secret {
    /// How many random bytes; twice as many digits.
    pub bytes: u16,
}

/// One service: a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in the compose file, and its host name for the space's other services.
    pub name: String,
    /// The image's reference.
    pub image: String,
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Mounted volumes.
    pub mounts: Vec<Mount>,
    /// Paths of memory file systems, with compose's options: `/tmp:size=16m`.
    pub tmpfs: Vec<String>,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Whether a small init of the Engine's is the first process, and ends what others leave behind.
    pub init: bool,
    /// Memory limit in mebibytes.
    pub memory_mib: u32,
    /// CPU limit in thousandths of a CPU.
    pub cpus_milli: u32,
    /// Most processes and threads.
    pub pids_max: u32,
    /// `uid`, `uid:gid` or names; the image's user if absent.
    pub user: Option<String>,
    /// Capabilities to add to none.
    pub cap_add: Vec<String>,
    /// What has to run first.
    pub depends_on: Vec<DependsOn>,
    /// How Docker finds out whether it is healthy; the image's own check if absent.
    pub healthcheck: Option<Healthcheck>,
    /// How long it may take to stop before it is killed.
    pub stop_grace_seconds: u32,
    /// The signal that stops it; the image's own if absent.
    pub stop_signal: Option<String>,
    /// Working directory; the image's own if absent.
    pub working_dir: Option<String>,
}

/// A named volume in a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The volume's name in the template.
    pub volume: String,
    /// The absolute path in the container.
    pub target: String,
    /// Whether the service may only read.
    pub read_only: bool,
}

/// A service that has to run first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependsOn {
    /// The name of that service.
    pub service: String,
    /// Whether it also has to be healthy.
    pub healthy: bool,
}

/// A health check as Docker runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]` or `["NONE"]`.
    pub test: Vec<String>,
    /// Time between checks.
    pub interval_ms: u64,
    /// When a check that has not ended counts as failed.
    pub timeout_ms: u64,
    /// How many failures in a row mean unhealthy.
    pub retries: u32,
    /// How long after the start a failure does not count.
    pub start_period_ms: u64,
}

impl Template {
    /// Reads the two files of the template `id`.
    ///
    /// # Errors
    /// The first [`TemplateError`] of [`Template::check`].
    pub fn parse(id: &str, compose_yaml: &str, app_toml: &str) -> Result<Self, TemplateError> {
        Self::check(id, compose_yaml, app_toml).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Reads the two files of the template `id`, and says all that is wrong with them.
    ///
    /// # Errors
    /// Each [`TemplateError`] that does not follow from another one, from top to bottom. Where a file
    /// can't be read on, what is behind is not judged. Never empty.
    pub fn check(id: &str, compose_yaml: &str, app_toml: &str) -> Result<Self, Vec<TemplateError>> {
        let mut errors = Errors::default();
        let compose = Compose::read(compose_yaml, &mut errors);
        let has_compose = compose.is_some();
        let Compose { services, volumes } = compose.unwrap_or_default();
        let services = references::in_order(services, &volumes, &mut errors);
        let Some(manifest) = Manifest::read(app_toml, &mut errors) else {
            return Err(errors.finish(compose_yaml, app_toml));
        };
        let mut known = manifest.declared;
        let template = Self {
            id: id.to_owned(),
            title: manifest.title,
            description: manifest.description,
            release: release(compose_yaml, app_toml),
            version: manifest.version,
            kind: manifest.kind,
            web: manifest.web,
            ready: manifest.ready,
            secrets: manifest.secrets,
            operator: manifest.operator,
            disk_mib: manifest.disk_mib,
            settings: manifest.settings,
            services,
            volumes,
            databases: manifest.databases,
            meters: manifest.meters,
            signals: manifest.signals,
            backup: manifest.backup,
            first_admin: manifest.first_admin,
            shared: manifest.shared,
            source: Source { compose_yaml: compose_yaml.to_owned(), app_toml: app_toml.to_owned() },
        };
        known.extend(template.variables());
        references::check_variables(&template, &known, &mut errors);
        app_references::check(&template, &known, has_compose, &mut errors);
        if errors.is_empty() { Ok(template) } else { Err(errors.finish(compose_yaml, app_toml)) }
    }

    /// What is allowed but not wise, from top to bottom.
    #[must_use]
    pub fn warnings(&self) -> Vec<TemplateError> {
        let mut warnings = Errors::default();
        for service in self.services.iter().filter(|it| !is_pinned(&it.image)) {
            warnings.compose(format!("services.{}.image", service.name), Rule::NotPinned);
        }
        warnings.finish(&self.source.compose_yaml, &self.source.app_toml)
    }

    /// The names that `${NAME}` may have in this template.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let space = SPACE_VARIABLES.iter().map(|it| (*it).to_owned());
        let operator = self.operator.keys().map(|it| format!("OPERATOR_{it}"));
        let secrets = self.secrets.keys().cloned();
        space.chain(secrets).chain(operator).chain(self.settings.variables()).collect()
    }

    /// The memory limits of all services together, in mebibytes.
    #[must_use]
    pub fn memory_mib(&self) -> u32 {
        self.services.iter().fold(0, |sum, it| sum.saturating_add(it.memory_mib))
    }

    /// The CPU limits of all services together, in CPUs.
    #[must_use]
    pub fn cpus(&self) -> f64 {
        let milli = self.services.iter().fold(0u32, |sum, it| sum.saturating_add(it.cpus_milli));
        f64::from(milli) / 1000.0
    }
}

/// Whether what `image` names can't change, or is a matter of this host and Docker's own registry: a
/// registry is what has a dot or a port in front of the first '/'.
fn is_pinned(image: &str) -> bool {
    let registry = image.split_once('/').map_or("", |it| it.0);
    image.contains('@') || !(registry.contains(['.', ':']) || registry == "localhost")
}

/// The name of a release: the first 32 digits of a hash over both files.
fn release(compose_yaml: &str, app_toml: &str) -> String {
    let mut hash = Sha256::new();
    for text in [compose_yaml, app_toml] {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
