//! App templates: a compose file and an `app.toml` become a checked [`Template`].
//!
//! Domain model: a [`Template`] is what can be provisioned under its id. It is a compose file of
//! services and volumes, in a subset that is safe to run for strangers, and an `app.toml` that
//! says what compose can't: which service is the web one, when it is ready, which secrets to make
//! and which settings a tenant has. [`Template::render`] fills in the values of one space.
//!
//! Owns: the subset, its refusals, interpolation. Does not own: Docker, where secrets are kept,
//! what settings are (crate `settings`).
//!
//! Invariants: a value that is filled in is only ever data: it is put into strings that were
//! parsed before, so no value can add a key, an argument or a service. A template that parses has
//! no dangling reference, no cycle and no service without a memory limit.

mod compose;
mod error;
mod interpolate;
mod lists;
mod manifest;
mod read;
mod references;
mod refusals;
mod template;
mod text;

pub use error::{Rule, TemplateError, TemplateFile};
pub use read::{ReadError, read_dir};
pub use template::{
    DependsOn, Healthcheck, Mount, Ready, RenderError, SPACE_VARIABLES, Secret, Service, Template,
    Web,
};
