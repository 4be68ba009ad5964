//! The worker: makes of a host what the edge wants of it.
//!
//! ```text
//!  edge <--- link ---> keeper ---> docker (the runtime of crate `reconcile`)
//!                       |  ^          |
//!                     routes  look again: events, resync, gateway
//!                       v
//!  visitors ---> gateway ---> spaces
//! ```
//!
//! The keeper gives every space its turns; a turn observes Docker and takes at most one step. What
//! it remembers is patience and what people are told, so it may be killed at any moment.

mod docker;
mod failpoint_names;
mod files;
mod gateway;
mod keeper;
mod link;
mod logs;
mod offer;
mod options;
mod outbox;
mod progress;
mod purge;
mod routes;
mod secrets;
mod wish;
mod worker;

pub use failpoint_names::FAILPOINTS;
pub use gateway::{Gateway, GatewayOptions};
pub use link::EdgeError;
pub use logs::{LogError, LogSource};
pub use options::{StartError, WorkerOptions};
pub use purge::{PurgeError, Purged, purge};
pub use routes::{Route, RouteEntry, Routes};
pub use worker::Worker;
