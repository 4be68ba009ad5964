//! What the end-to-end tests need: the product as it is installed, clients of its HTTP contract,
//! and a look at the Docker Engine behind its back.
//!
//! Nothing here knows the product's code. What is expected comes from the HTTP contract.

#![expect(clippy::missing_panics_doc, reason = "a test that can't go on panics")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod bad_facilitator;
mod bad_rpc;
mod bad_server;
mod caddy;
mod chain;
mod client;
mod clock;
mod daemon;
mod dns;
mod docker;
mod https;
mod installation;
mod mail;
mod node;
mod payments;
mod poll;
mod postiz;
mod process;
mod prometheus;
mod receiver;
mod signer;
mod tenant;
mod traces;
mod traefik;
mod warm;

pub use bad_facilitator::{BadFacilitator, Conduct};
pub use bad_rpc::{BadRpc, Behaviour, NOBODY, NODE_KEY};
pub use bad_server::Received;
pub use caddy::Caddy;
pub use chain::{Chain, Contract, Planned};
pub use client::{Answer, Client};
pub use clock::Clock;
pub use daemon::free_address;
pub use dns::Dns;
pub use docker::{Kind, Object, docker};
pub use https::{Https, Secured};
pub use installation::Installation;
pub use mail::MailServer;
pub use payments::{Exchange, Paid, Payment, Payments, Protocol, Webhook};
pub use poll::{eventually, within};
pub use postiz::{PostizApps, exec, post_to_space, psql, service};
pub use process::{Output, Process, Program, run};
pub use prometheus::{Prometheus, promtool};
pub use receiver::Receiver;
pub use signer::{Key, Rewritten, SignIn, Signer};
pub use tenant::{Tenant, Visitor};
pub use traces::{ReceivedSpan, TraceReceiver};
pub use traefik::Traefik;
pub use warm::warm_up;

use std::path::{Path, PathBuf};

/// The private key of the first of the accounts that anvil and hardhat print. Worth nothing.
pub const ANVIL_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The private key of the second.
pub const SECOND_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// The folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of the installation that is tested: `SPACEPORT_HOME`, or the repository itself.
#[must_use]
pub fn home() -> PathBuf {
    std::env::var_os("SPACEPORT_HOME").map_or_else(repository, PathBuf::from)
}
