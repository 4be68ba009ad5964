//! The messages.

use domain::{Desired, Generation, ObservedState, SpaceId, SpaceName, StepRecord};
use serde::{Deserialize, Serialize};

/// The first thing a worker says, and again whenever it has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The worker's version.
    pub version: String,
    /// Where the host's gateway is reached: `http://127.0.0.1:8080`. A space's address has the
    /// same scheme and port, and its own name as host.
    pub gateway_url: String,
    /// Memory of the host that spaces may have, in MiB.
    pub memory_mib: u64,
    /// The apps this host can run.
    pub apps: Vec<AppOffer>,
}

/// An app that a host can run, as the catalogue shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppOffer {
    /// `postiz`.
    pub id: String,
    /// For people.
    pub title: String,
    /// One or two sentences for people.
    pub description: String,
    /// Which release of the app it is: two are the same if and only if this is.
    pub release: String,
    /// What people call that release.
    pub version: String,
    /// Memory limit of all its services, in MiB.
    pub memory_mib: u32,
    /// CPU limit of all its services, in thousandths of a core.
    pub cpus_milli: u32,
    /// Disk it is expected to use, in MiB.
    pub disk_mib: u32,
    /// JSON Schema of its settings.
    pub settings_schema: serde_json::Value,
}

/// The edge's answer to [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelloAnswer {
    /// The name this host is known by.
    pub host: String,
    /// The key with which the edge signs tickets for this host's gateway.
    #[serde(with = "crate::key_text")]
    pub ticket_key: [u8; 32],
}

/// What is wanted of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredSpace {
    /// Which space.
    pub id: SpaceId,
    /// Its name, which is the first label of its host name.
    pub name: SpaceName,
    /// What people call it.
    pub title: String,
    /// Where it is reached: `http://garden.localhost:8080`.
    pub url: String,
    /// The custom domains that are proven to be its owner's.
    pub domains: Vec<String>,
    /// The app it is an instance of.
    pub app: String,
    /// The release of the app that is wanted; empty if none was ever named.
    pub release: String,
    /// The app's settings, valid for the app's schema.
    pub settings: serde_json::Value,
    /// What is wanted.
    pub desired: Desired,
    /// The version of this wish.
    pub generation: Generation,
    /// Whether it was ready once, so that its volumes hold the tenant's data.
    pub has_data: bool,
    /// Whether a worker has given up on this generation.
    pub gave_up: bool,
    /// Why it is suspended by the edge, if it is.
    #[serde(default)]
    pub suspension: Option<Suspension>,
    /// The request that this wish came with, for the logs; none if it came of a rule.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// Why a space is suspended, as far as visitors may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Suspension {
    /// Its balance is used up. Anybody may pay for it at `pay_url`.
    Payment {
        /// Where.
        pay_url: String,
    },
    /// The operator did it.
    Operator,
}

/// A wish that is new since the worker last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Number of the change; greater is later.
    pub seq: u64,
    /// The whole wish.
    pub space: DesiredSpace,
}

/// What has changed, oldest first; each space once, as it is wanted now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The changes; at most 200.
    pub items: Vec<Change>,
    /// What to ask for next with `after`.
    pub next: u64,
    /// Whether `next` will bring more at once.
    pub more: bool,
}

/// What the worker sees of one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Which space.
    pub space: SpaceId,
    /// The generation that the worker works on or has reached.
    pub generation: Generation,
    /// How far it is.
    pub state: ObservedState,
    /// The release that its data is of; `None` while there is none.
    pub release: Option<String>,
    /// Why it is so, for a person: what went wrong.
    pub reason: Option<String>,
    /// The steps since the worker began on this generation.
    pub steps: Vec<StepRecord>,
}

/// Observations, in the order they were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observations {
    /// At most 200.
    pub items: Vec<Observation>,
}
