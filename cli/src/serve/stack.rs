//! Edge, worker and gateway in this process.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use tokio::sync::Notify;
use worker::{HostCare, Worker, WorkerOptions};

use super::{RunningEdge, host_key::host_key, url_of};
use crate::{
    install::Installation,
    state::{Half, HalfLock, State},
};

/// What to run, and where.
pub(crate) struct StackOptions {
    /// The product's own files.
    pub(crate) installation: Installation,
    /// What is kept.
    pub(crate) state: State,
    /// Where the edge listens; port 0 takes a free one.
    pub(crate) edge: SocketAddr,
    /// Where the gateway listens; port 0 takes a free one.
    pub(crate) gateway: SocketAddr,
    /// Where visitors reach the gateway, if not at the address it listens on.
    pub(crate) gateway_url: Option<String>,
    /// The folder of the app templates, if not the installation's.
    pub(crate) apps: Option<PathBuf>,
    /// The name of this machine.
    pub(crate) host: String,
    /// How the host looks after its spaces.
    pub(crate) care: HostCare,
}

/// All of it, serving.
pub(crate) struct Stack {
    edge: RunningEdge,
    worker: Worker,
    written: Arc<Notify>,
    _lock: HalfLock,
}

impl Stack {
    /// Starts everything, and returns when everything serves.
    ///
    /// # Errors
    /// Why it cannot start, and what to do.
    pub(crate) async fn start(options: StackOptions) -> anyhow::Result<Self> {
        let StackOptions { installation, state, edge, host, .. } = options;
        let lock = state.lock(Half::Worker)?;
        let state_id = state.id()?;
        let written = Arc::new(Notify::new());
        let notify = Arc::clone(&written);
        let on_write: Arc<dyn Fn() + Send + Sync> = Arc::new(move || notify.notify_one());
        let edge = RunningEdge::start(&installation, &state, edge, Some(on_write)).await?;
        let host_key = host_key(&state, &edge.url(), &host).await?;
        let worker = Worker::start(WorkerOptions {
            state_dir: state.folder().to_owned(),
            state_id,
            edge_url: edge.url(),
            host_key,
            host,
            apps_dir: options.apps.unwrap_or_else(|| installation.apps()),
            gateway_listen: options.gateway,
            gateway_url: options.gateway_url,
            network_pool: WorkerOptions::NETWORK_POOL.to_owned(),
            care: options.care,
        });
        let worker = worker.await.context("the worker does not start")?;
        Ok(Self { edge, worker, written, _lock: lock })
    }

    /// How a process on this machine reaches the edge.
    pub(crate) fn edge_url(&self) -> String {
        self.edge.url()
    }

    /// How a process on this machine reaches the gateway.
    pub(crate) fn gateway_url(&self) -> String {
        url_of(self.worker.gateway_addr())
    }

    /// Serves until it cannot go on.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) async fn serve(&self) -> anyhow::Result<std::convert::Infallible> {
        loop {
            tokio::select! {
                () = self.written.notified() => self.worker.poke(),
                error = self.worker.failed() => {
                    return Err(error).context("the worker cannot go on");
                }
            }
        }
    }

    /// Stops within 5 s. The spaces run on.
    pub(crate) async fn stop(self) {
        tokio::join!(self.worker.stop(), self.edge.stop());
    }
}
