//! Keeps spaces from the host, from private networks and from the metadata address, by `iptables`,
//! as Docker itself keeps networks apart.
//!
//! Two chains of this installation's own are made anew each time, in one transaction, so that it does
//! not matter what became of them. docs/ISOLATION.md says what they let through.

mod error;
mod iptables;
mod resolvers;
mod rules;

use std::net::Ipv4Addr;

pub use self::error::FirewallError;
use self::rules::Chains;

/// The filter of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Firewall {
    chains: Chains,
    /// Where its spaces send from: `10.213.0.0/16`.
    pool: String,
}

impl Firewall {
    /// The filter of the installation `state_id`, whose spaces are all in `pool`.
    pub(crate) fn new(state_id: &str, pool: String) -> Self {
        Self { chains: Chains::of(state_id), pool }
    }

    /// Puts the filter in place, in front of everybody else's rules. What is so already stays so
    /// without a gap.
    ///
    /// # Errors
    /// [`FirewallError`]; whatever was in place before is so still.
    pub(crate) async fn apply(&self) -> Result<(), FirewallError> {
        let table = iptables::table().await?;
        if !rules::has_docker_chain(&table) {
            return Err(FirewallError::NoDockerChain);
        }
        let resolvers: Vec<Ipv4Addr> = resolvers::of_host().await;
        iptables::restore(&rules::to_apply(&self.chains, &self.pool, &resolvers, &table)).await
    }
}

/// Removes what the installation `state_id` has filtered with, if it has.
pub(crate) async fn remove(state_id: &str) -> Result<(), FirewallError> {
    let table = iptables::table().await?;
    match rules::to_remove(&Chains::of(state_id), &table) {
        Some(rules) => iptables::restore(&rules).await,
        None => Ok(()),
    }
}

/// Whether this process may filter what spaces send, on this machine.
///
/// # Errors
/// [`FirewallError`]: why it can't.
pub async fn firewall_works() -> Result<(), FirewallError> {
    let table = iptables::table().await?;
    if !rules::has_docker_chain(&table) {
        return Err(FirewallError::NoDockerChain);
    }
    let rules = rules::to_apply(&Chains::of("doctor"), "192.0.2.0/24", &[], &table);
    iptables::try_out(&rules).await
}
