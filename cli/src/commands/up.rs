//! `spaceport up`: everything on this machine.

use std::{net::SocketAddr, path::PathBuf};

use serde_json::json;

use super::host::HostArgs;
use crate::{
    client::EdgeUrl,
    install::Installation,
    metrics::MetricsArgs,
    output,
    serve::{Stack, StackOptions},
    shutdown::Shutdown,
    state::State,
};

/// What is run, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// Where the edge listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    edge: SocketAddr,
    /// Where the gateway listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    gateway: SocketAddr,
    /// Where visitors reach the gateway, if not at the address it listens on.
    #[arg(long, value_name = "URL")]
    gateway_url: Option<EdgeUrl>,
    /// Where everything is kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The app templates [default: apps/ of the installation].
    #[arg(long, value_name = "DIR")]
    apps: Option<PathBuf>,
    /// The name of this machine at the edge.
    #[arg(long, value_name = "NAME", default_value = "local")]
    host: String,
    #[command(flatten)]
    care: HostArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
}

/// Runs until a signal. Spaces run on after it.
pub(super) async fn run(args: UpArgs, is_json: bool) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let _metrics =
        args.metrics.show(&[edge_host::register_metrics, worker::register_metrics]).await?;
    let options = StackOptions {
        installation: Installation::find()?,
        state: State::at(args.state)?,
        edge: args.edge,
        gateway: args.gateway,
        gateway_url: args.gateway_url.map(|it| it.to_string()),
        apps: args.apps,
        host: args.host,
        care: args.care.care()?,
    };
    let stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        () = shutdown.requested() => return Ok(()),
    };
    let (edge, gateway) = (stack.edge_url(), stack.gateway_url());
    if is_json {
        let pid = std::process::id();
        output::json(&json!({ "ready": true, "edge": edge, "gateway": gateway, "pid": pid }))?;
    } else {
        output::line(format!("ready: edge {edge}, gateway {gateway}"))?;
    }
    let served = tokio::select! {
        Err(error) = stack.serve() => Err(error),
        () = shutdown.requested() => Ok(()),
    };
    stack.stop().await;
    served
}
