//! What `up` and `worker` are told of their host, the same by both.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use worker::{HostCare, MetricsServer};

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
    /// Where Prometheus reads the worker's metrics, at /metrics; nowhere if it is not said. Whoever
    /// reaches it can read them.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

impl HostArgs {
    /// Shows metrics until what this returns is dropped.
    ///
    /// # Errors
    /// If the address can't be listened on.
    pub(super) async fn show_metrics(&self) -> anyhow::Result<Option<MetricsServer>> {
        let Some(address) = self.metrics else { return Ok(None) };
        let server = MetricsServer::start(address).await;
        let server = server.with_context(|| {
            format!("metrics cannot listen on {address}: choose another with --metrics")
        })?;
        tracing::info!(address = %server.address(), "metrics");
        Ok(Some(server))
    }

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
