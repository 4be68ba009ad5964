//! The HTTP contract: routes, their answers and their errors.
//!
//! Each router serves one component, and is the same on the host, where tests call it, and in WASM.
//! What it needs from the world is in [`Platform`]; what it decides is in the crates below.

mod body;
mod caller;
mod config;
mod edge;
mod error;
mod guard;
mod idempotency;
mod layers;
mod page;
mod platform;
pub mod routes;
mod view;

pub use config::{Config, ConfigError, Site, VARIABLES};
pub use edge::Edge;
pub use guard::SessionGuard;
pub use platform::{KeyValueError, Platform};
