//! Starts and stops the edge.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::{StartError, app::App, engine, server::Service};

/// What the edge runs, and where.
pub struct EdgeOptions {
    /// The `spin.toml`.
    pub manifest: PathBuf,
    /// The `runtime-config.toml`. Without one, the stores `default` are below `state_dir`.
    pub runtime_config: Option<PathBuf>,
    /// Where stores and compiled code are kept. Made if need be.
    pub state_dir: PathBuf,
    /// Values of the application's variables, before the manifest's defaults. The edge does not read
    /// the environment: whoever starts it merges `SPIN_VARIABLE_*` in.
    pub variables: BTreeMap<String, String>,
    /// What listens. Bound by the caller, who may have to put its address into a variable.
    pub listener: std::net::TcpListener,
    /// Called after every request that is not GET, HEAD or OPTIONS and was answered 2xx. It carries
    /// no data: whoever is called looks for themselves. It must not block.
    pub on_write: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// A running edge. It needs a Tokio runtime with several threads. Dropping it stops it at once.
pub struct Edge {
    addr: SocketAddr,
    /// Stops accepting when it is sent, with the time that open requests have.
    stop: oneshot::Sender<Duration>,
    server: JoinSet<()>,
    cron: JoinSet<()>,
}

impl Edge {
    /// Starts the edge. When it returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError`], which says in one line, and its causes, what to change.
    pub async fn start(options: EdgeOptions) -> Result<Self, StartError> {
        let app_and_options = tokio::task::spawn_blocking(move || load(options));
        let (app, options) = app_and_options.await.expect("loading does not panic")?;

        options.listener.set_nonblocking(true).map_err(StartError::Listen)?;
        let listener = TcpListener::from_std(options.listener).map_err(StartError::Listen)?;
        let addr = listener.local_addr().map_err(StartError::Listen)?;
        let (stop, stopped) = oneshot::channel();
        let service = Arc::new(Service::new(app.routes, options.on_write));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, service, stopped));
        let mut cron = JoinSet::new();
        for job in app.cron_jobs {
            cron.spawn(job.run_forever());
        }
        Ok(Self { addr, stop, server, cron })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops: accepts nothing more, lets open requests end for up to `grace`, then cuts them off.
    pub async fn stop(mut self, grace: Duration) {
        self.cron.abort_all();
        if self.stop.send(grace).is_ok() {
            self.server.join_next().await;
        }
    }
}

fn load(mut options: EdgeOptions) -> Result<(App, EdgeOptions), StartError> {
    let made =
        fs::create_dir_all(&options.state_dir).and_then(|()| fs::canonicalize(&options.state_dir));
    options.state_dir =
        made.map_err(|source| StartError::File { path: options.state_dir.clone(), source })?;
    let engine =
        engine::engine(&options.state_dir.join("compiled-code")).map_err(StartError::Engine)?;
    let app = App::load(&engine, &options)?;
    give_memory_back();
    Ok((app, options))
}

/// Gives what the compiler took back to the system: glibc would keep it, some 60 MB, for good.
fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "glibc declares it so")]
    // SAFETY: it may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    mut stopped: oneshot::Receiver<Duration>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let grace = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => connect(stream, client, &service, &graceful, &mut connections),
                // Out of file descriptors, most likely: closing connections frees some.
                Err(error) => {
                    tracing::error!("could not accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => (),
            grace = &mut stopped => break grace.unwrap_or_default(),
        }
    };
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off when the edge stopped");
    }
}

/// Serves one connection until it ends. HTTP/1.1, or HTTP/2 if the client begins with it.
fn connect(
    stream: TcpStream,
    client: SocketAddr,
    service: &Arc<Service>,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    // Without it an answer that waited for a host call waits 40 ms more, for a delayed ACK.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("could not set TCP_NODELAY: {error}");
    }
    let service = Arc::clone(service);
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { service.answer(request, client).await }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new());
    let connection = server.serve_connection(TokioIo::new(stream), answer).into_owned();
    let connection = graceful.watch(connection);
    connections.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection ended early: {error}");
        }
    });
}
