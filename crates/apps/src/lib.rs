//! App templates: a compose file and an `app.toml` become a checked [`Template`].
//!
//! Domain model: a [`Template`] is what can be provisioned under its id. It is a compose file of
//! services and volumes, in a subset that is safe to run for strangers, and an `app.toml` that
//! says what compose can't: which service is the web one, when it is ready, which secrets to make,
//! which settings a tenant has, what is counted, what a backup has in it. [`Template::render`] fills
//! in the values of one space. [`Template::check`] says all that is wrong, [`check_dir`] of a folder.
//!
//! Owns: the format, its refusals, interpolation. Does not own: Docker, where secrets are kept,
//! what settings are (crate `settings`), who runs the SQL.
//!
//! Invariants: a value that is filled in is only ever data: it is put into strings that were
//! parsed before, so no value can add a key, an argument or a service. A template that parses has
//! no dangling reference, no cycle, no service without a memory limit and no SQL but a `SELECT`.
//! Every error names its file, line and key.

mod app_references;
mod compose;
mod error;
mod errors;
mod extras;
mod interpolate;
mod lines;
mod lists;
mod manifest;
mod manifest_file;
mod manifest_rules;
mod mounts;
mod paths;
mod read;
mod references;
mod refusals;
mod render;
mod schedule;
mod sections;
mod siblings;
mod sql;
mod template;
mod text;

pub use error::{Rule, TemplateError, TemplateFile};
pub use extras::{
    AdminRequest, Backup, Check, Database, FirstAdmin, Kind, Means, Meter, MeterSource,
    OperatorValue, Shared, Signal, Source,
};
pub use read::{Checked, ReadError, check_dir, read_dir};
pub use render::{RenderError, expand_json, expand_text};
pub use template::{
    DependsOn, Healthcheck, Mount, Ready, SPACE_VARIABLES, Secret, Service, Template, Web,
};
