//! `spaceport worker`: worker and gateway, for an edge that runs elsewhere.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use serde_json::json;
use worker::{Worker, WorkerOptions};

use super::host::HostArgs;
use crate::{
    client::EdgeUrl,
    files,
    install::Installation,
    metrics::MetricsArgs,
    output,
    serve::url_of,
    shutdown::Shutdown,
    state::{Half, State},
};

/// What is run, and for which edge.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    /// Where the edge is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    edge_url: EdgeUrl,
    /// The file with this host's key, which `POST /v1/admin/hosts` shows once.
    #[arg(long, value_name = "FILE")]
    host_key_file: PathBuf,
    /// Where the gateway listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    gateway: SocketAddr,
    /// Where visitors reach the gateway, if not at the address it listens on.
    #[arg(long, value_name = "URL")]
    gateway_url: Option<EdgeUrl>,
    /// The app templates [default: apps/ of the installation].
    #[arg(long, value_name = "DIR")]
    apps: Option<PathBuf>,
    /// Where everything is kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The name of this machine at the edge.
    #[arg(long, value_name = "NAME", default_value = "local")]
    host: String,
    #[command(flatten)]
    care: HostArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
}

/// Runs until a signal. Spaces run on after it.
pub(super) async fn run(args: WorkerArgs, is_json: bool) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let _metrics = args.metrics.show(&[worker::register_metrics]).await?;
    let state = State::at(args.state)?;
    let key_file = args.host_key_file.display();
    let host_key = files::read(&args.host_key_file)
        .with_context(|| format!("cannot read the host key {key_file}"))?
        .filter(|it| !it.is_empty())
        .with_context(|| format!("there is no host key in {key_file}"))?;
    let apps_dir = match args.apps {
        Some(apps) => apps,
        None => Installation::find()?.apps(),
    };
    let _lock = state.lock(Half::Worker)?;
    let options = WorkerOptions {
        state_dir: state.folder().to_owned(),
        state_id: state.id()?,
        edge_url: args.edge_url.to_string(),
        host_key,
        host: args.host,
        apps_dir,
        gateway_listen: args.gateway,
        gateway_url: args.gateway_url.map(|it| it.to_string()),
        network_pool: WorkerOptions::NETWORK_POOL.to_owned(),
        care: args.care.care()?,
    };
    let worker = tokio::select! {
        worker = Worker::start(options) => worker.context("the worker does not start")?,
        () = shutdown.requested() => return Ok(()),
    };
    let gateway = url_of(worker.gateway_addr());
    if is_json {
        let pid = std::process::id();
        output::json(&json!({ "ready": true, "gateway": gateway, "pid": pid }))?;
    } else {
        output::line(format!("ready: gateway {gateway}"))?;
    }
    let served = tokio::select! {
        error = worker.failed() => Err(error).context("the worker cannot go on"),
        () = shutdown.requested() => Ok(()),
    };
    worker.stop().await;
    served
}
