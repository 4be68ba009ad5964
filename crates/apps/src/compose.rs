//! `compose.yaml`: the subset of compose that a template may use.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{MessageFormatter as _, UserMessageFormatter};

use crate::{
    Healthcheck, Rule, Service, TemplateFile,
    errors::Errors,
    interpolate::plain,
    lists::{Dependencies, Environment, Texts},
    mounts::{self, TmpfsText},
    paths, refusals,
    text::{
        Capability, CpusMilli, DurationMs, Image, Judged, MemoryMib, PidsMax, Plain, Retries,
        is_name,
    },
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
struct VolumeFile {}

#[derive(Debug, Deserialize)]
struct ServiceFile {
    image: Option<Judged<Image>>,
    entrypoint: Option<Texts>,
    command: Option<Texts>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    volumes: Vec<Texts>,
    tmpfs: Option<Texts>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    init: bool,
    mem_limit: Option<Judged<MemoryMib>>,
    cpus: Option<Judged<CpusMilli>>,
    pids_limit: Option<Judged<PidsMax>>,
    user: Option<Judged<Plain>>,
    #[serde(default)]
    cap_add: Vec<Judged<Capability>>,
    #[serde(default)]
    depends_on: Dependencies,
    healthcheck: Option<HealthcheckFile>,
    stop_grace_period: Option<Judged<DurationMs>>,
    stop_signal: Option<Judged<Plain>>,
    working_dir: Option<Judged<Plain>>,
}

#[derive(Debug, Deserialize)]
struct HealthcheckFile {
    test: Option<Texts>,
    interval: Option<Judged<DurationMs>>,
    timeout: Option<Judged<DurationMs>>,
    retries: Option<Judged<Retries>>,
    start_period: Option<Judged<DurationMs>>,
}

/// What a compose file says, each value by itself; references are checked elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Compose {
    pub(crate) services: Vec<Service>,
    pub(crate) volumes: Vec<String>,
}

impl Compose {
    /// Reads the file. What has an error in it is there nevertheless, so that the rest can be judged;
    /// nothing if the file is no compose file at all.
    pub(crate) fn read(yaml: &str, errors: &mut Errors) -> Option<Self> {
        let file = read(yaml, errors)?;
        for name in file.volumes.keys().filter(|it| !is_name(it)) {
            bad_name(format!("volumes.{name}"), errors);
        }
        if file.services.is_empty() {
            errors.compose("services", Rule::Malformed("has no service".to_owned()));
        }
        let services = file.services.into_iter().map(|(name, it)| it.check(name, errors));
        Some(Self { services: services.collect(), volumes: file.volumes.into_keys().collect() })
    }
}

fn bad_name(key: String, errors: &mut Errors) {
    const FORM: &str = "a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 \
                        characters";
    errors.compose(key, Rule::Malformed(FORM.to_owned()));
}

fn read(yaml: &str, errors: &mut Errors) -> Option<ComposeFile> {
    let options = serde_saphyr::options! { with_snippet: false };
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let read = serde_saphyr::with_deserializer_from_str_with_options(yaml, options, |it| {
        let tracked = serde_path_to_error::Deserializer::new(it, &mut track);
        serde_ignored::deserialize(tracked, |it| unknown.push(paths::key_of(&it)))
    });
    for key in unknown {
        let why = why_not(&key);
        errors.compose(key, Rule::NotSupported { why });
    }
    let error = match read {
        Ok(file) => return Some(file),
        Err(error) => error,
    };
    // A path of "." is the file as a whole.
    let key = Some(track.path().to_string()).filter(|it| it != ".").unwrap_or_default();
    let line = error.location().map(|it| it.line()).filter(|it| *it != 0);
    if let serde_saphyr::Error::SerdeMissingField { field, .. } = &error {
        let key = crate::lines::join(&key, field);
        errors.at(line, TemplateFile::Compose, &key, Rule::Missing);
    } else {
        // Without the place, which is in front already.
        let text = UserMessageFormatter.format_message(&error);
        let rule = Rule::Malformed(text.lines().collect::<Vec<_>>().join(", "));
        errors.at(line, TemplateFile::Compose, &key, rule);
    }
    None
}

/// Why a key is not supported, where there is more to say.
fn why_not(key: &str) -> &'static str {
    match key.split('.').collect::<Vec<_>>()[..] {
        ["services", _, name] => refusals::service_key(name),
        ["services", _, "healthcheck", name] => refusals::healthcheck_key(name),
        ["volumes", _, name] => refusals::volume_key(name),
        [name] => refusals::top_key(name),
        _ => "",
    }
}

impl ServiceFile {
    /// The service. What is wrong with it is left out.
    fn check(self, name: String, errors: &mut Errors) -> Service {
        let own = format!("services.{name}");
        let key = |field: &str| format!("{own}.{field}");
        if !is_name(&name) {
            bad_name(own.clone(), errors);
        }
        for (field, is_missing) in
            [("image", self.image.is_none()), ("mem_limit", self.mem_limit.is_none())]
        {
            if is_missing {
                errors.compose(key(field), Rule::Missing);
            }
        }
        let image = take(self.image, &key("image"), errors);
        let memory = take(self.mem_limit, &key("mem_limit"), errors);
        let cpus = take(self.cpus, &key("cpus"), errors);
        let pids = take(self.pids_limit, &key("pids_limit"), errors);
        let stop_grace = take(self.stop_grace_period, &key("stop_grace_period"), errors);
        let stop_grace_ms = stop_grace.map_or(STOP_GRACE_MS_DEFAULT, |it| it.0);
        if STOP_GRACE_MS_MAX < stop_grace_ms {
            errors.compose(key("stop_grace_period"), Rule::OutOfRange("at most 10m"));
        }
        let cap_add = self.cap_add.into_iter().enumerate();
        let cap_add =
            cap_add.filter_map(|(at, it)| it.take(&format!("{own}.cap_add[{at}]"), errors));
        let cap_add = cap_add.map(|it| it.0).collect();
        let mut plain =
            |text: Option<Judged<Plain>>, field| take(text, &key(field), errors).map(|it| it.0);
        let user = plain(self.user, "user");
        let stop_signal = plain(self.stop_signal, "stop_signal");
        let working_dir = plain(self.working_dir, "working_dir");
        let entrypoint = arguments(self.entrypoint, &key("entrypoint"), errors);
        Service {
            image: image.map(|it| it.0).unwrap_or_default(),
            entrypoint: entrypoint.map(|it| all_plain(it, &key("entrypoint"), errors)),
            command: arguments(self.command, &key("command"), errors),
            environment: self.environment.check(&key("environment"), errors),
            mounts: mounts::read(self.volumes, &key("volumes"), errors),
            tmpfs: tmpfs(self.tmpfs, &key("tmpfs"), errors),
            read_only: self.read_only,
            init: self.init,
            memory_mib: memory.map(|it| it.0).unwrap_or_default(),
            cpus_milli: cpus.map_or(CPUS_MILLI_DEFAULT, |it| it.0),
            pids_max: pids.map_or(PIDS_MAX_DEFAULT, |it| it.0),
            user,
            cap_add,
            depends_on: self.depends_on.check(&key("depends_on"), errors),
            healthcheck: self.healthcheck.and_then(|it| it.check(&key("healthcheck"), errors)),
            stop_grace_seconds: u32::try_from(stop_grace_ms.div_ceil(1000)).unwrap_or(u32::MAX),
            stop_signal,
            working_dir,
            name,
        }
    }
}

impl HealthcheckFile {
    /// Docker's own defaults stand in for what is absent.
    fn check(self, key: &str, errors: &mut Errors) -> Option<Healthcheck> {
        let in_it = |field: &str| format!("{key}.{field}");
        let mut ms = |time, field, default| {
            take(time, &in_it(field), errors).map_or(default, |it: DurationMs| it.0)
        };
        let interval_ms = ms(self.interval, "interval", 30_000);
        let timeout_ms = ms(self.timeout, "timeout", 30_000);
        let start_period_ms = ms(self.start_period, "start_period", 0);
        let retries = take(self.retries, &in_it("retries"), errors).map_or(3, |it| it.0);
        let Some(test) = self.test else {
            errors.compose(in_it("test"), Rule::Missing);
            return None;
        };
        let test = said(test.health_test(), &in_it("test"), errors)?;
        let test = all_plain(test, &in_it("test"), errors);
        Some(Healthcheck { test, interval_ms, timeout_ms, retries, start_period_ms })
    }
}

fn take<T>(value: Option<Judged<T>>, key: &str, errors: &mut Errors) -> Option<T> {
    value?.take(key, errors)
}

fn said<T>(value: Result<T, &'static str>, key: &str, errors: &mut Errors) -> Option<T> {
    value.map_err(|error| errors.compose(key, Rule::Malformed(error.to_owned()))).ok()
}

fn arguments(texts: Option<Texts>, key: &str, errors: &mut Errors) -> Option<Vec<String>> {
    said(texts?.arguments(), key, errors)
}

fn tmpfs(texts: Option<Texts>, key: &str, errors: &mut Errors) -> Vec<String> {
    let texts = match texts {
        None => return Vec::new(),
        Some(Texts::One(text)) => {
            return Judged::<TmpfsText>::of(text)
                .take(key, errors)
                .into_iter()
                .map(|it| it.0)
                .collect();
        }
        Some(texts) => said(texts.arguments(), key, errors).unwrap_or_default(),
    };
    let judged = texts.into_iter().map(Judged::<TmpfsText>::of).enumerate();
    judged.filter_map(|(at, it)| it.take(&format!("{key}[{at}]"), errors)).map(|it| it.0).collect()
}

fn all_plain(texts: Vec<String>, key: &str, errors: &mut Errors) -> Vec<String> {
    let mut plain_one = |(at, text): (usize, String)| {
        let rule = |error| errors.compose(format!("{key}[{at}]"), Rule::Malformed(error));
        plain(&text).map_err(rule).unwrap_or_default()
    };
    texts.into_iter().enumerate().map(&mut plain_one).collect()
}
