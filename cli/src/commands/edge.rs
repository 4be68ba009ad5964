//! `spaceport edge`: the edge without a worker.

use std::{net::SocketAddr, path::PathBuf};

use serde_json::json;

use crate::{
    install::Installation, metrics::MetricsArgs, output, serve::RunningEdge, shutdown::Shutdown,
    state::State,
};

/// What is run, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct EdgeArgs {
    /// Where the edge listens; port 0 takes a free one.
    #[arg(long, alias = "listen", value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    edge: SocketAddr,
    /// Where everything is kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    metrics: MetricsArgs,
}

/// Runs until a signal.
pub(super) async fn run(args: EdgeArgs, is_json: bool) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let _metrics = args.metrics.show(&[edge_host::register_metrics]).await?;
    let (installation, state) = (Installation::find()?, State::at(args.state)?);
    let edge = tokio::select! {
        edge = RunningEdge::start(&installation, &state, args.edge, None) => edge?,
        () = shutdown.requested() => return Ok(()),
    };
    let url = edge.url();
    if is_json {
        let pid = std::process::id();
        output::json(&json!({ "ready": true, "edge": url, "pid": pid }))?;
    } else {
        output::line(format!("ready: edge {url}"))?;
    }
    shutdown.requested().await;
    edge.stop().await;
    Ok(())
}
