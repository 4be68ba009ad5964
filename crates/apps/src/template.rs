//! What an app template is once it is parsed.

use std::collections::{BTreeMap, BTreeSet};

use settings::Schema;

use crate::{
    TemplateError,
    compose::Compose,
    interpolate::{ExpandError, expand},
    manifest::Manifest,
    references,
};

/// What every template may use about the space: its name, its title, and where it is reached, as
/// a URL (`https://garden.example.org`) and as a host.
pub const SPACE_VARIABLES: [&str; 4] = ["SPACE_NAME", "SPACE_TITLE", "SPACE_URL", "SPACE_HOST"];

/// An app that can be provisioned.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The id in the catalogue, and the name of the template's folder.
    pub id: String,
    /// What people call the app.
    pub title: String,
    /// One sentence on what it is for.
    pub description: String,
    /// Where visitors go.
    pub web: Web,
    /// When a space of it is ready.
    pub ready: Ready,
    /// Secrets to generate for each space, by the name of their variable.
    pub secrets: BTreeMap<String, Secret>,
    /// Disk that a space may use, in mebibytes.
    pub disk_mib: u32,
    /// What a tenant may choose.
    pub settings: Schema,
    /// The services, each after those that it depends on. Environment and command are as written
    /// in the compose file; [`Template::render`] fills them in.
    pub services: Vec<Service>,
    /// The named volumes.
    pub volumes: Vec<String>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// What to GET from the web service: ready is an answer with a status of 200 to 299.
    pub path: String,
    /// How long after its start a space that is not ready counts as failed.
    pub timeout_seconds: u32,
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

/// Why values could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A variable that the template uses has no value.
    #[error("services.{service}: no value for {variable}")]
    MissingValue {
        /// The service that uses it.
        service: String,
        /// The name of the variable.
        variable: String,
    },
    /// No environment and no argument can carry this value.
    #[error("services.{service}: the value of {variable} has a NUL")]
    Nul {
        /// The service that uses it.
        service: String,
        /// The name of the variable.
        variable: String,
    },
    /// A string that no parsed template has.
    #[error("services.{service}: {rule}")]
    Malformed {
        /// The service that has it.
        service: String,
        /// How a variable is written.
        rule: String,
    },
}

impl Template {
    /// Reads the two files of the template `id`.
    ///
    /// # Errors
    /// [`TemplateError`], which names the file, the line where known, and the key.
    pub fn parse(id: &str, compose_yaml: &str, app_toml: &str) -> Result<Self, TemplateError> {
        let compose = Compose::parse(compose_yaml)?;
        let manifest = Manifest::parse(app_toml)?;
        let template = Self {
            id: id.to_owned(),
            title: manifest.title,
            description: manifest.description,
            web: manifest.web,
            ready: manifest.ready,
            secrets: manifest.secrets,
            disk_mib: manifest.disk_mib,
            settings: manifest.settings,
            services: references::in_order(compose.services, &compose.volumes)?,
            volumes: compose.volumes,
        };
        references::check(&template)?;
        Ok(template)
    }

    /// The names that `${NAME}` may have in this template.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let space = SPACE_VARIABLES.iter().map(|it| (*it).to_owned());
        space.chain(self.secrets.keys().cloned()).chain(self.settings.variables()).collect()
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

    /// The services of one space: environment and command with `values` filled in.
    ///
    /// # Errors
    /// [`RenderError`] if a value is missing or has a NUL, which no environment could carry.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<Vec<Service>, RenderError> {
        self.services.iter().map(|it| it.render(values)).collect()
    }
}

impl Service {
    fn render(&self, values: &BTreeMap<String, String>) -> Result<Self, RenderError> {
        let fill = |text: &String| {
            expand(text, |name| value(values, name)).map_err(|error| self.render_error(error))
        };
        let environment =
            self.environment.iter().map(|(name, text)| Ok((name.clone(), fill(text)?)));
        let environment = environment.collect::<Result<_, _>>()?;
        let command = self.command.as_ref().map(|it| it.iter().map(fill).collect());
        Ok(Self { environment, command: command.transpose()?, ..self.clone() })
    }

    fn render_error(&self, error: ExpandError<BadValue>) -> RenderError {
        let service = self.name.clone();
        match error {
            ExpandError::Syntax => RenderError::Malformed {
                service,
                rule: ExpandError::<BadValue>::Syntax.to_string(),
            },
            ExpandError::Lookup(BadValue::Missing(variable)) => {
                RenderError::MissingValue { service, variable }
            }
            ExpandError::Lookup(BadValue::Nul(variable)) => RenderError::Nul { service, variable },
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum BadValue {
    #[error("no value for {0}")]
    Missing(String),
    #[error("the value of {0} has a NUL")]
    Nul(String),
}

fn value(values: &BTreeMap<String, String>, name: &str) -> Result<String, BadValue> {
    match values.get(name) {
        None => Err(BadValue::Missing(name.to_owned())),
        Some(it) if it.contains('\0') => Err(BadValue::Nul(name.to_owned())),
        Some(it) => Ok(it.clone()),
    }
}
