//! The gateway: one reverse proxy in front of all spaces of this host.
//!
//! A request names a space by its host. If the space is ready, the request goes to it and the answer
//! comes back as both are sent, byte by byte, and an upgraded connection is a tunnel. Otherwise the
//! visitor reads what the space is doing, as a page or as `application/problem+json`.
//!
//! It speaks HTTP/1.1 and HTTP/2 without TLS; TLS is the business of the proxy in front of it.

mod alarm;
mod credentials;
mod headers;
mod host;
mod notice;
mod own;
mod proxy;
mod server;
mod tenant_logs;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{SpaceId, Timestamp};
use http_body_util::combinators::UnsyncBoxBody;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{credentials::CredentialSource, logs::LogSource, routes::Routes};

/// What the gateway answers with: bytes that come when they come.
type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;
type Response = http::Response<Body>;

/// How long requests under way may take to finish when the gateway stops.
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// What a gateway needs.
pub struct GatewayOptions {
    /// Where it listens. Bound by the caller, who has to tell the edge the address before the edge
    /// tells us the ticket key.
    pub listener: TcpListener,
    /// What the edge signs the tickets for this host with, at any time.
    pub ticket_key: watch::Receiver<[u8; 32]>,
    /// Whether visitors come by https, through a proxy in front.
    pub is_https: bool,
    /// Which space is where.
    pub routes: Routes,
    /// The spaces' logs.
    pub logs: Arc<dyn LogSource>,
    /// What the spaces' owners need to use them.
    pub credentials: Arc<dyn CredentialSource>,
    /// Called when a space that should be ready does not answer.
    pub look_again: Arc<dyn Fn(&SpaceId) + Send + Sync>,
    /// The clock, which says whether a ticket is still valid.
    pub now: fn() -> Timestamp,
}

/// A running gateway. Dropping it stops it at once.
pub struct Gateway {
    addr: SocketAddr,
    closing: watch::Sender<()>,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Starts to answer.
    ///
    /// # Errors
    /// If the listener has no address, because it is not bound.
    pub fn start(options: GatewayOptions) -> io::Result<Self> {
        let addr = options.listener.local_addr()?;
        let (closing, is_closing) = watch::channel(());
        let server = tokio::spawn(server::run(options, is_closing));
        Ok(Self { addr, closing, server })
    }

    /// The address it listens on.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more connections, closes the tunnels, gives the requests under way 3 s, and ends.
    pub async fn stop(mut self) {
        self.closing.send_replace(());
        if tokio::time::timeout(DRAIN_TIME, &mut self.server).await.is_err() {
            tracing::debug!("requests were cut off");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // The connections belong to the server's task and end with it.
        self.server.abort();
    }
}

#[cfg(test)]
mod tests;
