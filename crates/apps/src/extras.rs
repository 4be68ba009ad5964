//! What an app has besides its services: what is asked of it, and what others do for it.

use std::collections::BTreeMap;

/// Whether spaces are made of a template, or all spaces of a host share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Tenants can have it.
    #[default]
    App,
    /// Services of the host that spaces of other apps use.
    Shared,
}

/// A command that is run in the container of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The service: one of the template, or a name under [`Shared::services`].
    pub service: String,
    /// Program and arguments. The values of the space come as environment variables.
    pub command: Vec<String>,
}

/// What the operator of the host may set for all spaces of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorValue {
    /// For the operator.
    pub description: String,
    /// The value where the operator sets none.
    pub default: String,
}

/// A database that SQL of the template is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The service that has it, and whose `psql` is used.
    pub service: String,
    /// As whom; may have `${SPACE_ID}`.
    pub user: String,
    /// Its name; may have `${SPACE_ID}`.
    pub name: String,
}

/// Something that is counted and paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// What one of it is called.
    pub unit: String,
    /// Where the number comes from.
    pub source: MeterSource,
}

/// Where the number of a meter comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeterSource {
    /// A `SELECT` of one integer from `$1` (included) to `$2` (not included), both in UTC.
    Sql {
        /// The key of the database.
        database: String,
        /// The statement.
        sql: String,
    },
    /// A path of the web service that answers with the integer for `from` and `to`.
    Http {
        /// The path.
        path: String,
    },
}

/// What says when a space has work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The key of the database.
    pub database: String,
    /// A `SELECT` without parameters.
    pub sql: String,
    /// What its value means.
    pub means: Means,
}

/// What the value of a signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A time by which the space must run, or none.
    Due,
    /// A number; above 0 the space must not be put to sleep.
    Busy,
}

/// What a backup has in it, and when there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When: cron, five fields, in UTC.
    pub schedule: String,
    /// The keys of the databases, which are dumped.
    pub databases: Vec<String>,
    /// The volumes, which are copied.
    pub volumes: Vec<String>,
}

/// The account that is made before visitors can come.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstAdmin {
    /// What its owner logs in with.
    pub username: String,
    /// The name of the secret that is its password.
    pub password: String,
    /// Makes it.
    pub create: AdminRequest,
    /// Answers 200 to 299 when it is there.
    pub verify: AdminRequest,
}

/// A POST of JSON to the web service.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminRequest {
    /// The path.
    pub path: String,
    /// The body; its strings may have variables.
    pub json: serde_json::Value,
}

/// The services of the host that an app uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The id of the template that has them.
    pub stack: String,
    /// The names they have in the space's network, and the services they are.
    pub services: BTreeMap<String, String>,
    /// Run before the space's containers are made; done twice is as good as once.
    pub prepare: Vec<Check>,
    /// Run when the space is deleted; done twice is as good as once.
    pub remove: Vec<Check>,
}

/// The two files of a template, as they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `compose.yaml`.
    pub compose_yaml: String,
    /// `app.toml`.
    pub app_toml: String,
}
