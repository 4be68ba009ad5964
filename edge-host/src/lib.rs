//! The embedded edge: runs the components of a `spin.toml` where Spin is not installed.
//!
//! Same manifest, same components, same answers as Spin 4.1, on the `wasmtime` crates. It knows what
//! the project's components need and refuses everything else by name when it starts; the README says
//! what that is and where it differs from Spin.
//!
//! ```no_run
//! # async fn run() -> Result<(), edge_host::StartError> {
//! use edge_host::{Edge, EdgeOptions};
//!
//! let edge = Edge::start(EdgeOptions {
//!     manifest: "spin.toml".into(),
//!     runtime_config: None,
//!     state_dir: ".state".into(),
//!     variables: Default::default(),
//!     listen: ([127, 0, 0, 1], 0).into(),
//!     on_write: None,
//! })
//! .await?;
//! println!("listening on {}", edge.addr());
//! edge.stop(std::time::Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

mod allowed_hosts;
mod app;
mod component;
mod compose;
mod cron;
mod edge;
mod engine;
mod error;
mod headers;
mod host;
mod limits;
mod manifest;
mod metrics;
mod observe;
mod problem;
mod request_body;
mod route;
mod runtime_config;
mod server;
mod store;
mod variables;
mod worker;

pub use edge::{Edge, EdgeOptions};
pub use error::StartError;
pub use metrics::register_metrics;
