//! What Prometheus reads of this process.

mod process;
mod server;

use std::net::SocketAddr;

use anyhow::Context as _;
use prometheus_client::{metrics::info::Info, registry::Registry};

use self::server::MetricsServer;

/// Whether and where this process shows what it counts.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MetricsArgs {
    /// Where Prometheus reads the metrics of this process, at /metrics; nowhere if it is not said.
    /// Whoever reaches it can read them.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

/// What adds the metrics of one half of the product.
pub(crate) type Register = fn(&mut Registry);

impl MetricsArgs {
    /// Shows metrics until what this returns is dropped.
    ///
    /// # Errors
    /// If the address can't be listened on.
    pub(crate) async fn show(
        &self,
        halves: &'static [Register],
    ) -> anyhow::Result<Option<MetricsServer>> {
        let Some(address) = self.metrics else { return Ok(None) };
        let server = MetricsServer::start(address, halves).await.with_context(|| {
            format!("metrics cannot listen on {address}: choose another with --metrics")
        })?;
        tracing::info!(address = %server.address(), "metrics");
        Ok(Some(server))
    }
}

/// Everything that this process counts.
fn registry(halves: &[Register]) -> Registry {
    let mut registry = Registry::with_prefix("spaceport");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("build", "What is running", Info::new(version));
    process::register(&mut registry);
    for register in halves {
        register(&mut registry);
    }
    registry
}
