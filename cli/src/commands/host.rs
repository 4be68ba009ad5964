//! What `up` and `worker` are told of their host, the same by both.

use std::time::Duration;

use worker::HostCare;

use super::Firewall;
use crate::environment;

/// How a host looks after its spaces.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct HostArgs {
    /// Whether what spaces send to this machine and its networks is filtered, which takes root.
    #[arg(long, value_name = "on|off", default_value = "on")]
    firewall: Firewall,
    /// For how many days final backups of deleted spaces are kept.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    backup_retention_days: u16,
    /// How often what spaces use is told to the edge.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 900,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    meter_seconds: u64,
}

impl HostArgs {
    /// What is said here, and by the environment.
    ///
    /// # Errors
    /// If the environment can't be meant.
    pub(super) fn care(self) -> anyhow::Result<HostCare> {
        Ok(HostCare {
            firewall: self.firewall.into(),
            backup_retention_days: self.backup_retention_days,
            meter_period: Duration::from_secs(self.meter_seconds),
            mail: environment::mail()?,
        })
    }
}
