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

mod backup;
mod credentials;
mod disk;
mod docker;
mod failpoint_names;
mod files;
mod firewall;
mod gateway;
mod inventory;
mod keeper;
mod link;
mod logs;
mod meter;
mod metrics;
mod notices;
mod offer;
mod operator_values;
mod options;
mod outbox;
mod progress;
mod purge;
mod releases;
mod routes;
mod secrets;
mod shared;
mod update_file;
mod wish;
mod worker;

pub use backup::{BackupError, KeptBackup, VerifiedBackup, list_backups, verify_backup};
pub use credentials::{CredentialSource, Credentials, CredentialsError, TicketUse};
pub use docker::{
    Period, Queries, QueryError, QueryOptions, QuerySpaceError, SignalValue, query_space,
};
pub use failpoint_names::{
    APP_FAILPOINTS, BACKUP_FAILPOINTS, FAILPOINTS, METER_FAILPOINTS, NOTICE_FAILPOINTS,
    UPDATE_FAILPOINTS,
};
pub use firewall::{FirewallError, firewall_works};
pub use gateway::{Gateway, GatewayOptions};
pub use link::EdgeError;
pub use logs::{LogError, LogSource};
pub use metrics::register_metrics;
pub use notices::{Mail, MailError};
pub use options::{FirewallMode, HostCare, StartError, WorkerOptions};
pub use purge::{PurgeError, Purged, purge};
pub use routes::{Route, RouteEntry, Routes};
pub use worker::Worker;
