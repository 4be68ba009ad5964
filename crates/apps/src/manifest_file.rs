//! `app.toml` as it is written, section by section.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    AdminRequest, Backup, Check, Database, Kind, Means, OperatorValue, Shared, Signal, Web,
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindFile {
    App,
    Shared,
}

impl From<KindFile> for Kind {
    fn from(file: KindFile) -> Self {
        match file {
            KindFile::App => Self::App,
            KindFile::Shared => Self::Shared,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct WebFile {
    service: String,
    port: u16,
}

impl From<WebFile> for Web {
    fn from(file: WebFile) -> Self {
        Self { service: file.service, port: file.port }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReadyFile {
    pub(crate) path: Option<String>,
    pub(crate) timeout_seconds: u32,
    #[serde(default)]
    pub(crate) checks: Vec<CheckFile>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CheckFile {
    service: String,
    command: Vec<String>,
}

impl From<CheckFile> for Check {
    fn from(file: CheckFile) -> Self {
        Self { service: file.service, command: file.command }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct SecretFile {
    pub(crate) bytes: u16,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OperatorFile {
    description: String,
    default: String,
}

impl From<OperatorFile> for OperatorValue {
    fn from(file: OperatorFile) -> Self {
        Self { description: file.description, default: file.default }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct DiskFile {
    pub(crate) mib: u32,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DatabaseFile {
    service: String,
    user: String,
    name: String,
}

impl From<DatabaseFile> for Database {
    fn from(file: DatabaseFile) -> Self {
        Self { service: file.service, user: file.user, name: file.name }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct MeterFile {
    pub(crate) unit: String,
    pub(crate) database: Option<String>,
    pub(crate) sql: Option<String>,
    pub(crate) path: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SignalFile {
    database: String,
    sql: String,
    means: MeansFile,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MeansFile {
    Due,
    Busy,
}

impl From<SignalFile> for Signal {
    fn from(file: SignalFile) -> Self {
        let means = match file.means {
            MeansFile::Due => Means::Due,
            MeansFile::Busy => Means::Busy,
        };
        Self { database: file.database, sql: file.sql, means }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct BackupFile {
    schedule: String,
    #[serde(default)]
    databases: Vec<String>,
    #[serde(default)]
    volumes: Vec<String>,
}

impl From<BackupFile> for Backup {
    fn from(file: BackupFile) -> Self {
        Self { schedule: file.schedule, databases: file.databases, volumes: file.volumes }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct FirstAdminFile {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) create: AdminRequestFile,
    pub(crate) verify: AdminRequestFile,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AdminRequestFile {
    path: String,
    json: serde_json::Value,
}

impl From<AdminRequestFile> for AdminRequest {
    fn from(file: AdminRequestFile) -> Self {
        Self { path: file.path, json: file.json }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct SharedFile {
    stack: String,
    services: BTreeMap<String, String>,
    #[serde(default)]
    prepare: Vec<CheckFile>,
    #[serde(default)]
    remove: Vec<CheckFile>,
}

impl From<SharedFile> for Shared {
    fn from(file: SharedFile) -> Self {
        Self {
            stack: file.stack,
            services: file.services,
            prepare: file.prepare.into_iter().map(Check::from).collect(),
            remove: file.remove.into_iter().map(Check::from).collect(),
        }
    }
}
