//! `compose.yaml`: the subset of compose that a template may use.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{MessageFormatter as _, UserMessageFormatter};

use crate::{
    Healthcheck, Rule, Service, TemplateError, TemplateFile,
    interpolate::expand,
    lists::{Arguments, Dependencies, Environment},
    refusals,
    text::{Capability, CpusMilli, DurationMs, MemoryMib, MountText, TmpfsText, is_name},
};

/// CPU limit of a service that names none: one.
const CPUS_MILLI_DEFAULT: u32 = 1000;
/// Process limit of a service that names none.
const PIDS_MAX_DEFAULT: u32 = 256;
/// Compose's own default.
const STOP_GRACE_MS_DEFAULT: u64 = 10_000;
/// Longest time to stop: whoever wants the space gone or asleep waits for it.
const STOP_GRACE_MS_MAX: u64 = 600_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComposeFile {
    /// Compose's project name. The worker has names of its own; the key is there so that a
    /// template can be tried with `docker compose` as it is.
    #[serde(rename = "name")]
    _name: Option<String>,
    services: BTreeMap<String, ServiceFile>,
    #[serde(default)]
    volumes: BTreeMap<String, Option<VolumeFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumeFile {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    image: Option<String>,
    entrypoint: Option<Arguments>,
    command: Option<Arguments>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    volumes: Vec<MountText>,
    #[serde(default)]
    tmpfs: Vec<TmpfsText>,
    #[serde(default)]
    read_only: bool,
    mem_limit: Option<MemoryMib>,
    cpus: Option<CpusMilli>,
    pids_limit: Option<u32>,
    user: Option<String>,
    #[serde(default)]
    cap_add: Vec<Capability>,
    #[serde(default)]
    depends_on: Dependencies,
    healthcheck: Option<HealthcheckFile>,
    stop_grace_period: Option<DurationMs>,
    stop_signal: Option<String>,
    working_dir: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthcheckFile {
    test: HealthTest,
    interval: Option<DurationMs>,
    timeout: Option<DurationMs>,
    retries: Option<u32>,
    start_period: Option<DurationMs>,
}

/// A list as Docker takes it. Compose's string form would need a shell in the image and hides it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct HealthTest(Vec<String>);

impl TryFrom<Vec<String>> for HealthTest {
    type Error = &'static str;

    fn try_from(test: Vec<String>) -> Result<Self, Self::Error> {
        match (test.first().map(String::as_str), test.len()) {
            (Some("NONE"), 1) | (Some("CMD-SHELL"), 2) | (Some("CMD"), 2..) => Ok(Self(test)),
            _ => Err(r#"a test is ["CMD", program, …], ["CMD-SHELL", line] or ["NONE"]"#),
        }
    }
}

/// What a compose file says, each value by itself; references are checked elsewhere.
#[derive(Debug)]
pub(crate) struct Compose {
    pub(crate) services: Vec<Service>,
    pub(crate) volumes: Vec<String>,
}

impl Compose {
    pub(crate) fn parse(yaml: &str) -> Result<Self, TemplateError> {
        let file = read(yaml)?;
        if let Some(name) = file.volumes.keys().find(|it| !is_name(it)) {
            return Err(bad_name(format!("volumes.{name}")));
        }
        let services = file.services.into_iter().map(|(name, service)| service.check(name));
        Ok(Self {
            services: services.collect::<Result<_, _>>()?,
            volumes: file.volumes.into_keys().collect(),
        })
    }
}

fn bad_name(key: String) -> TemplateError {
    const FORM: &str = "a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 \
                        characters";
    TemplateError::compose(key, Rule::Malformed(FORM.to_owned()))
}

fn read(yaml: &str) -> Result<ComposeFile, TemplateError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let mut key = String::new();
    let read = serde_saphyr::with_deserializer_from_str_with_options(yaml, options, |it| {
        serde_path_to_error::deserialize(it).map_err(|error| {
            key = error.path().to_string();
            error.into_inner()
        })
    });
    read.map_err(|error| {
        // A path of "." is the file as a whole.
        let key = if key == "." { String::new() } else { key };
        let line = error.location().map(|it| it.line()).filter(|it| *it != 0);
        TemplateError { file: TemplateFile::Compose, line, rule: rule(&key, &error), key }
    })
}

fn rule(key: &str, error: &serde_saphyr::Error) -> Rule {
    match error {
        serde_saphyr::Error::SerdeUnknownField { field, .. } => {
            let mut parts = key.split('.');
            let why = match (parts.next(), parts.count()) {
                (Some("services"), 2) => refusals::service_key(field),
                (Some("volumes"), 2) => refusals::VOLUME_KEY,
                (_, 0) => refusals::top_key(field),
                _ => "",
            };
            Rule::NotSupported { why }
        }
        serde_saphyr::Error::SerdeMissingField { field, .. } => {
            Rule::Malformed(format!("{field} is required"))
        }
        _ => {
            // Without the place, which is in front already.
            let text = UserMessageFormatter.format_message(error);
            Rule::Malformed(text.lines().collect::<Vec<_>>().join(", "))
        }
    }
}

impl ServiceFile {
    fn check(self, name: String) -> Result<Service, TemplateError> {
        let key = |field: &str| format!("services.{name}.{field}");
        let missing = |field: &str| TemplateError::compose(key(field), Rule::Missing);
        if !is_name(&name) {
            return Err(bad_name(format!("services.{name}")));
        }
        let image = self.image.clone().ok_or_else(|| missing("image"))?;
        // A reference has no blank and no dollar sign, so neither has a variable a place in it.
        if image.is_empty() || image.contains(|it: char| it == '$' || it.is_whitespace()) {
            let rule =
                Rule::Malformed("must be the reference of an image, without variables".into());
            return Err(TemplateError::compose(key("image"), rule));
        }
        let memory = self.mem_limit.ok_or_else(|| missing("mem_limit"))?;
        let pids_max = self.pids_limit.unwrap_or(PIDS_MAX_DEFAULT);
        if !(1..=32_768).contains(&pids_max) {
            let rule = Rule::OutOfRange("from 1 to 32768");
            return Err(TemplateError::compose(key("pids_limit"), rule));
        }
        let entrypoint = self.entrypoint.map(|it| plain(&it.0, &key("entrypoint"))).transpose()?;
        let healthcheck = self.healthcheck.map(|it| it.check(&key("healthcheck"))).transpose()?;
        let stop_grace_ms = self.stop_grace_period.map_or(STOP_GRACE_MS_DEFAULT, |it| it.0);
        if STOP_GRACE_MS_MAX < stop_grace_ms {
            let rule = Rule::OutOfRange("at most 10m");
            return Err(TemplateError::compose(key("stop_grace_period"), rule));
        }
        Ok(Service {
            image,
            entrypoint,
            command: self.command.map(|it| it.0),
            environment: self.environment.0,
            mounts: self.volumes.into_iter().map(|it| it.0).collect(),
            tmpfs: self.tmpfs.into_iter().map(|it| it.0).collect(),
            read_only: self.read_only,
            memory_mib: memory.0,
            cpus_milli: self.cpus.map_or(CPUS_MILLI_DEFAULT, |it| it.0),
            pids_max,
            user: self.user.map(|it| plain_one(it, &key("user"))).transpose()?,
            cap_add: self.cap_add.into_iter().map(|it| it.0).collect(),
            depends_on: self.depends_on.0,
            healthcheck,
            stop_grace_seconds: u32::try_from(stop_grace_ms.div_ceil(1000)).unwrap_or(u32::MAX),
            stop_signal: self
                .stop_signal
                .map(|it| plain_one(it, &key("stop_signal")))
                .transpose()?,
            working_dir: self
                .working_dir
                .map(|it| plain_one(it, &key("working_dir")))
                .transpose()?,
            name,
        })
    }
}

impl HealthcheckFile {
    /// Docker's own defaults stand in for what is absent.
    fn check(self, key: &str) -> Result<Healthcheck, TemplateError> {
        Ok(Healthcheck {
            test: plain(&self.test.0, &format!("{key}.test"))?,
            interval_ms: self.interval.map_or(30_000, |it| it.0),
            timeout_ms: self.timeout.map_or(30_000, |it| it.0),
            retries: self.retries.unwrap_or(3),
            start_period_ms: self.start_period.map_or(0, |it| it.0),
        })
    }
}

/// Strings where compose knows `$$` but a template may not use variables: a value of a tenant
/// would end up in what a shell reads.
fn plain(texts: &[String], key: &str) -> Result<Vec<String>, TemplateError> {
    let refuse = |_: &str| Err("variables are for environment and command only");
    let texts = texts.iter().map(|it| expand(it, refuse));
    texts
        .collect::<Result<_, _>>()
        .map_err(|error| TemplateError::compose(key, Rule::Malformed(error.to_string())))
}

fn plain_one(text: String, key: &str) -> Result<String, TemplateError> {
    plain(&[text], key).map(|it| it.concat())
}
