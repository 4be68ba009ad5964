//! `app.toml`: what a compose file can't say, each value checked by itself.

use std::collections::{BTreeMap, BTreeSet};

use settings::{Declaration, Schema};

use crate::{
    AdminRequest, Backup, Database, FirstAdmin, Kind, Meter, MeterSource, OperatorValue, Ready,
    Rule, Secret, Shared, Signal, Web,
    errors::Errors,
    interpolate::is_name,
    manifest_file::{
        BackupFile, DatabaseFile, DiskFile, FirstAdminFile, KindFile, MeterFile, OperatorFile,
        ReadyFile, SecretFile, SharedFile, SignalFile, WebFile,
    },
    manifest_rules as rules,
    sections::Sections,
};

/// What an `app.toml` says. What has an error is left out or empty.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) version: String,
    pub(crate) kind: Kind,
    pub(crate) web: Option<Web>,
    pub(crate) ready: Ready,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) operator: BTreeMap<String, OperatorValue>,
    pub(crate) disk_mib: u32,
    pub(crate) settings: Schema,
    pub(crate) databases: BTreeMap<String, Database>,
    pub(crate) meters: BTreeMap<String, Meter>,
    pub(crate) signals: BTreeMap<String, Signal>,
    pub(crate) backup: Option<Backup>,
    pub(crate) first_admin: Option<FirstAdmin>,
    pub(crate) shared: Option<Shared>,
    /// The names of all variables that it declares, in entries with errors too.
    pub(crate) declared: BTreeSet<String>,
}

impl Manifest {
    /// Reads the file; nothing if it is not TOML.
    pub(crate) fn read(toml: &str, errors: &mut Errors) -> Option<Self> {
        let mut file = Sections::of(toml, errors)?;
        let declared = declared(&file);
        let kind = file.take::<KindFile>("kind").map(Kind::from).unwrap_or_default();
        if kind == Kind::Shared {
            rules::refuse_what_is_an_apps(&file.names("ready"), &mut file);
        }
        let manifest = Self {
            title: file.require("title").unwrap_or_default(),
            description: file.require("description").unwrap_or_default(),
            version: file.require("version").unwrap_or_default(),
            kind,
            web: match kind {
                Kind::App => file.require::<WebFile>("web").map(Web::from),
                Kind::Shared => None,
            },
            ready: ready(&mut file, kind).unwrap_or_default(),
            secrets: secrets(&mut file),
            operator: of(file.entries::<OperatorFile>("operator")),
            disk_mib: file.require::<DiskFile>("disk").map_or(1, |it| it.mib),
            settings: settings(&mut file),
            databases: of(file.entries::<DatabaseFile>("databases")),
            meters: meters(&mut file),
            signals: of(file.entries::<SignalFile>("signals")),
            backup: file.take::<BackupFile>("backup").map(Backup::from),
            first_admin: first_admin(&mut file),
            shared: file.take::<SharedFile>("shared").map(Shared::from),
            declared,
        };
        file.finish();
        rules::check(&manifest, errors);
        Some(manifest)
    }
}

fn declared(file: &Sections<'_>) -> BTreeSet<String> {
    let operator = file.names("operator").into_iter().map(|it| format!("OPERATOR_{it}"));
    let settings = file.names("settings").into_iter();
    let settings = settings.map(|it| format!("SETTING_{}", it.to_ascii_uppercase()));
    file.names("secrets").into_iter().chain(operator).chain(settings).collect()
}

fn of<F, T: From<F>>(entries: BTreeMap<String, F>) -> BTreeMap<String, T> {
    entries.into_iter().map(|(key, it)| (key, T::from(it))).collect()
}

fn ready(file: &mut Sections<'_>, kind: Kind) -> Option<Ready> {
    let ready = file.require::<ReadyFile>("ready")?;
    if ready.path.is_none() && kind == Kind::App {
        file.errors.app("ready.path", Rule::Missing);
    }
    Some(Ready {
        path: ready.path.unwrap_or_default(),
        timeout_seconds: ready.timeout_seconds,
        checks: ready.checks.into_iter().map(Into::into).collect(),
    })
}

fn secrets(file: &mut Sections<'_>) -> BTreeMap<String, Secret> {
    let entries = file.entries::<SecretFile>("secrets").into_iter();
    entries.map(|(name, it)| (name, Secret { bytes: it.bytes })).collect()
}

/// The settings, of which each is checked by itself.
fn settings(file: &mut Sections<'_>) -> Schema {
    let mut right = BTreeMap::new();
    for (key, declaration) in file.entries::<Declaration>("settings") {
        match Schema::new(BTreeMap::from([(key.clone(), declaration.clone())])) {
            Ok(_) => drop(right.insert(key, declaration)),
            Err(error) => {
                // It says the key and then the rule.
                let text = error.to_string();
                let (key, rule) = text.split_once(": ").unwrap_or(("settings", &text));
                file.errors.app(key, Rule::Malformed(rule.to_owned()));
            }
        }
    }
    Schema::new(right).unwrap_or_default()
}

fn meters(file: &mut Sections<'_>) -> BTreeMap<String, Meter> {
    let mut meters = BTreeMap::new();
    for (key, meter) in file.entries::<MeterFile>("meters") {
        let source = match (meter.database, meter.sql, meter.path) {
            (Some(database), Some(sql), None) => MeterSource::Sql { database, sql },
            (None, None, Some(path)) => MeterSource::Http { path },
            _ => {
                let rule = Rule::Malformed("has either database and sql, or path".to_owned());
                file.errors.app(format!("meters.{key}"), rule);
                continue;
            }
        };
        meters.insert(key, Meter { unit: meter.unit, source });
    }
    meters
}

fn first_admin(file: &mut Sections<'_>) -> Option<FirstAdmin> {
    let admin = file.take::<FirstAdminFile>("first_admin")?;
    let password = admin.password.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    let Some(password) = password.filter(|it| is_name(it)) else {
        let rule = Rule::OutOfRange("exactly one secret: \"${ADMIN_PASSWORD}\"");
        file.errors.app("first_admin.password", rule);
        return None;
    };
    Some(FirstAdmin {
        username: admin.username,
        password: password.to_owned(),
        create: AdminRequest::from(admin.create),
        verify: AdminRequest::from(admin.verify),
    })
}
