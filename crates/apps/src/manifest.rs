//! `app.toml`: what a compose file can't say.

use std::collections::BTreeMap;

use serde::Deserialize;
use settings::{Declaration, Schema};

use crate::{
    Ready, Rule, SPACE_VARIABLES, Secret, TemplateError, TemplateFile, Web, interpolate::is_name,
};

/// Fewest random bytes of a secret: 128 bits.
const SECRET_BYTES_MIN: u16 = 16;
/// Most random bytes of a secret.
const SECRET_BYTES_MAX: u16 = 64;
/// Longest time to wait for a space: an hour.
const TIMEOUT_SECONDS_MAX: u32 = 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    title: String,
    description: String,
    web: WebFile,
    ready: ReadyFile,
    #[serde(default)]
    secrets: BTreeMap<String, SecretFile>,
    disk: DiskFile,
    #[serde(default)]
    settings: BTreeMap<String, Declaration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebFile {
    service: String,
    port: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadyFile {
    path: String,
    timeout_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    bytes: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiskFile {
    mib: u32,
}

/// What an `app.toml` says, checked by itself.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) web: Web,
    pub(crate) ready: Ready,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) disk_mib: u32,
    pub(crate) settings: Schema,
}

impl Manifest {
    pub(crate) fn parse(toml: &str) -> Result<Self, TemplateError> {
        let file = read(toml)?;
        for (key, text) in [("title", &file.title), ("description", &file.description)] {
            check(!text.trim().is_empty(), key, "a sentence, not nothing")?;
        }
        check(file.web.port != 0, "web.port", "from 1 to 65535")?;
        let path = &file.ready.path;
        let is_path = path.starts_with('/') && path.chars().all(|it| it.is_ascii_graphic());
        check(is_path, "ready.path", "a path of visible ASCII that begins with '/'")?;
        let seconds = file.ready.timeout_seconds;
        let is_short = (1..=TIMEOUT_SECONDS_MAX).contains(&seconds);
        check(is_short, "ready.timeout_seconds", "from 1 to 3600")?;
        check(file.disk.mib != 0, "disk.mib", "at least 1")?;
        for (name, secret) in &file.secrets {
            check_secret(name, secret)?;
        }
        let settings = Schema::new(file.settings)
            .map_err(|error| TemplateError::app("", Rule::Malformed(error.to_string())))?;
        let secrets = file.secrets.into_iter();
        Ok(Self {
            title: file.title,
            description: file.description,
            web: Web { service: file.web.service, port: file.web.port },
            ready: Ready { path: file.ready.path, timeout_seconds: seconds },
            secrets: secrets.map(|(name, it)| (name, Secret { bytes: it.bytes })).collect(),
            disk_mib: file.disk.mib,
            settings,
        })
    }
}

fn check(is_right: bool, key: impl Into<String>, range: &'static str) -> Result<(), TemplateError> {
    if is_right { Ok(()) } else { Err(TemplateError::app(key, Rule::OutOfRange(range))) }
}

fn check_secret(name: &str, secret: &SecretFile) -> Result<(), TemplateError> {
    let key = format!("secrets.{name}");
    // One name, one meaning: a secret must not hide what the space or a setting is called.
    let is_taken = SPACE_VARIABLES.contains(&name) || name.starts_with("SETTING_");
    let is_upper = is_name(name) && !name.contains(|it: char| it.is_ascii_lowercase());
    let form = "named with A-Z, 0-9 and '_', and not like a variable of the space or a setting";
    check(is_upper && !is_taken, key.clone(), form)?;
    let is_long = (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret.bytes);
    check(is_long, format!("{key}.bytes"), "from 16 to 64")
}

fn read(toml: &str) -> Result<ManifestFile, TemplateError> {
    let at = |key: String, error: &toml::de::Error| {
        let before = error.span().and_then(|it| toml.get(..it.start));
        let line = before.and_then(|it| u64::try_from(it.matches('\n').count()).ok());
        let message = error.message();
        let rule = if message.starts_with("unknown field") {
            Rule::NotSupported { why: "" }
        } else {
            // One line, whatever the library says.
            Rule::Malformed(message.lines().collect::<Vec<_>>().join(", "))
        };
        let key = if key == "." { String::new() } else { key };
        TemplateError { file: TemplateFile::App, line: line.map(|it| it + 1), key, rule }
    };
    let deserializer =
        toml::Deserializer::parse(toml).map_err(|error| at(String::new(), &error))?;
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| at(error.path().to_string(), error.inner()))
}
