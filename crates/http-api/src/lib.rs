//! The HTTP contract: routes, their answers and their errors.
//!
//! Each router serves one component, and is the same on the host, where tests call it, and in WASM.
//! What it needs from the world is in [`Platform`]; what it decides is in the crates below.

mod admission;
mod body;
mod caller;
mod client_address;
mod config;
mod counting;
mod domain_proof;
mod edge;
mod error;
mod guard;
mod idempotency;
mod layers;
mod money_view;
mod notice;
mod page;
mod payment;
mod platform;
pub mod routes;
mod view;

pub use config::{Config, ConfigError, GateConfig, Site, TillConfig, TraefikConfig, VARIABLES};
pub use edge::Edge;
pub use guard::{GateGuard, SessionGuard};
pub use payment::{Till, TillLayer};
pub use platform::{KeyValueError, Platform};
