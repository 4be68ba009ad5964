//! What the environment says. Options that have a flag, too, are read by the flags' parser.

#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::{
    collections::BTreeMap,
    env::{self, VarError},
    path::PathBuf,
};

use worker::{Mail, MailError};

/// The values of the edge's variables: of `SPIN_VARIABLE_BASE_DOMAIN=x`, `base_domain` is `x`. An
/// empty one is as good as none.
pub(crate) fn spin_variables() -> BTreeMap<String, String> {
    env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix("SPIN_VARIABLE_")?.to_ascii_lowercase();
            Some((name, value.into_string().ok()?))
        })
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

/// `SPACEPORT_HOME`: where the installation is.
pub(crate) fn home_of_installation() -> Option<PathBuf> {
    folder("SPACEPORT_HOME")
}

/// `SPACEPORT_TOKEN`: a session or API key, instead of a wallet.
pub(crate) fn token() -> Option<String> {
    env::var_os("SPACEPORT_TOKEN")?.into_string().ok().filter(|it| !it.is_empty())
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for programs.
    Json,
}

/// `SPACEPORT_LOG_FORMAT`: `json`, or text.
pub(crate) fn log_format() -> LogFormat {
    let is_json = env::var_os("SPACEPORT_LOG_FORMAT").is_some_and(|it| it == "json");
    if is_json { LogFormat::Json } else { LogFormat::Text }
}

/// Whether OpenTelemetry's variables say where traces go.
///
/// # Errors
/// If they go there by a protocol that we don't speak.
pub(crate) fn exports_traces() -> anyhow::Result<bool> {
    // What is said of traces goes before what is said of everything.
    let variable = |name: &str| {
        let of_traces = env::var(format!("OTEL_EXPORTER_OTLP_TRACES_{name}"));
        let of_traces = of_traces.ok().filter(|it| !it.is_empty());
        of_traces.or_else(|| env::var(format!("OTEL_EXPORTER_OTLP_{name}")).ok())
    };
    let is_off = env::var("OTEL_SDK_DISABLED").is_ok_and(|it| it.eq_ignore_ascii_case("true"));
    if is_off || variable("ENDPOINT").is_none_or(|it| it.is_empty()) {
        return Ok(false);
    }
    match variable("PROTOCOL").as_deref().unwrap_or_default() {
        "" | "http/protobuf" => Ok(true),
        other => anyhow::bail!(
            "OTEL_EXPORTER_OTLP_PROTOCOL: {other:?} is not spoken here: http/protobuf is"
        ),
    }
}

/// `SPACEPORT_SMTP_URL` and `SPACEPORT_MAIL_FROM`: by whom tenants are written to; none without the first.
///
/// # Errors
/// If they can't be meant. What they are is not said: there is a password in it.
pub(crate) fn mail() -> anyhow::Result<Option<Mail>> {
    let variable = |name: &str| match env::var(name) {
        Ok(value) => Ok(value),
        Err(VarError::NotPresent) => Ok(String::new()),
        Err(VarError::NotUnicode(_)) => Err(anyhow::anyhow!("{name} is not UTF-8")),
    };
    let (url, from) = (variable("SPACEPORT_SMTP_URL")?, variable("SPACEPORT_MAIL_FROM")?);
    if url.is_empty() {
        return Ok(None);
    }
    let mail = Mail::new(&url, &from).map_err(|error| match error {
        MailError::Server => anyhow::anyhow!("SPACEPORT_SMTP_URL: {error}"),
        MailError::From => anyhow::anyhow!("SPACEPORT_MAIL_FROM: {error}"),
    });
    mail.map(Some)
}

/// The folder for the state of this user's programs. Source: XDG Base Directory Specification.
pub(crate) fn state_home() -> Option<PathBuf> {
    xdg("XDG_STATE_HOME", ".local/state")
}

/// The folder for the data of this user's programs.
pub(crate) fn data_home() -> Option<PathBuf> {
    xdg("XDG_DATA_HOME", ".local/share")
}

fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    // The specification has relative paths ignored.
    let named = folder(variable).filter(|it| it.is_absolute());
    named.or_else(|| Some(env::home_dir()?.join(below_home)))
}

fn folder(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|it| !it.is_empty()).map(PathBuf::from)
}
