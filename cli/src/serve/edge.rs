//! The edge in this process.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use edge_host::{Edge, EdgeOptions};

use super::{url_of, variables::variables};
use crate::{
    environment,
    install::Installation,
    state::{Half, HalfLock, State},
};

/// How long requests under way may take to finish when the edge stops.
const EDGE_GRACE: Duration = Duration::from_secs(3);

/// An edge that answers.
pub(crate) struct RunningEdge {
    edge: Edge,
    _lock: HalfLock,
}

impl RunningEdge {
    /// Starts the edge of `installation` on `state`. `on_write` is called when somebody may have
    /// changed what a worker should do.
    ///
    /// # Errors
    /// Why it cannot start, and what to do.
    pub(crate) async fn start(
        installation: &Installation,
        state: &State,
        listen: SocketAddr,
        on_write: Option<Arc<dyn Fn() + Send + Sync>>,
    ) -> anyhow::Result<Self> {
        let lock = state.lock(Half::Edge)?;
        // First, because the edge has to know its own address.
        let listener = TcpListener::bind(listen).with_context(|| {
            format!("the edge cannot listen on {listen}: choose another address with --edge")
        })?;
        let url = url_of(listener.local_addr()?);
        let edge = Edge::start(EdgeOptions {
            manifest: installation.manifest(),
            runtime_config: installation.runtime_config(),
            state_dir: state.edge(),
            variables: variables(environment::spin_variables(), state, &url)?,
            listener,
            on_write,
        });
        let edge = edge.await.context("the edge does not start")?;
        Ok(Self { edge, _lock: lock })
    }

    /// How a process on this machine reaches it.
    pub(crate) fn url(&self) -> String {
        url_of(self.edge.addr())
    }

    /// Stops within 3 s.
    pub(crate) async fn stop(self) {
        self.edge.stop(EDGE_GRACE).await;
    }
}
