//! A request on its way to a space, and the answer on its way back.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use http::{Method, Request, StatusCode, Uri, Version, uri::Authority};
use http_body_util::{BodyExt as _, Either, Empty};
use hyper::{
    body::{Body as _, Bytes, Incoming},
    upgrade::OnUpgrade,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::sync::watch;

use super::{Body, Response, headers};

/// How long a space may take to accept a connection. It is on this host.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);

/// How long a connection to a space is kept for the next request: less than the 5 s after which
/// Node closes it, so that requests seldom meet a connection that is being closed.
const IDLE_TIME_MAX: Duration = Duration::from_secs(4);

/// Idle connections kept for one space.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// What a space is sent: the client's body, or none in a request that may be sent twice.
type Outgoing = Either<Incoming, Empty<Bytes>>;

/// The space did not answer, or not in HTTP.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    /// No connection, or one that ended before the answer.
    #[error("no answer from the space")]
    NoAnswer(#[source] hyper_util::client::legacy::Error),
    /// The client's body is malformed or broke off, so that the space was not asked.
    #[error("the client's body broke off")]
    ClientBody(#[source] hyper_util::client::legacy::Error),
    /// What the space answered is not HTTP.
    #[error("the space does not answer in HTTP")]
    NoHttp(#[source] hyper_util::client::legacy::Error),
    /// It changed the protocol of a connection, and nobody had asked it to.
    #[error("the space changes to a protocol that was not asked for")]
    UnaskedUpgrade,
}

impl From<hyper_util::client::legacy::Error> for ProxyError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        match error.source().and_then(|it| it.downcast_ref::<hyper::Error>()) {
            // Of what is sent, all but the body is our own.
            Some(it) if it.is_user() => Self::ClientBody(error),
            Some(it) if it.is_parse() => Self::NoHttp(error),
            Some(_) | None => Self::NoAnswer(error),
        }
    }
}

/// Sends requests to spaces.
pub(super) struct Proxy {
    client: Client<HttpConnector, Outgoing>,
    is_https: bool,
    closing: watch::Receiver<()>,
}

impl Proxy {
    /// A proxy whose tunnels end when `closing` is told so. Spaces are told that visitors come by
    /// https if `is_https` says so.
    pub(super) fn new(is_https: bool, closing: watch::Receiver<()>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .set_host(false)
            .build(connector);
        Self { client, is_https, closing }
    }

    /// Sends `request` of `client` for `authority` to the space at `upstream`.
    ///
    /// # Errors
    /// [`ProxyError`] if no answer begins. One that breaks off later breaks off at the client, too.
    pub(super) async fn forward(
        &self,
        mut request: Request<Incoming>,
        authority: &Authority,
        client: IpAddr,
        upstream: SocketAddr,
    ) -> Result<Response, ProxyError> {
        let is_http1 = request.version() <= Version::HTTP_11;
        let upgrade = headers::upgrade_wanted(request.headers()).filter(|_| is_http1);
        let tunnel_end = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));

        *request.uri_mut() = upstream_uri(request.uri(), upstream);
        *request.version_mut() = Version::HTTP_11;
        headers::forward(request.headers_mut(), authority, client, self.is_https);
        if let Some(protocol) = upgrade {
            headers::set_upgrade(request.headers_mut(), protocol);
        }

        let mut response = self.send(request, tunnel_end.is_some()).await?;
        let granted = headers::upgrade_wanted(response.headers());
        headers::remove_hop_by_hop(response.headers_mut());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let (Some(tunnel_end), Some(granted)) = (tunnel_end, granted) else {
                return Err(ProxyError::UnaskedUpgrade);
            };
            self.tunnel(tunnel_end, hyper::upgrade::on(&mut response));
            headers::set_upgrade(response.headers_mut(), granted);
        }
        Ok(response.map(|body| Body::new(body.map_err(Into::into))))
    }

    /// Sends `request`, twice if need be and allowed: a space may close a connection that was kept
    /// while the request is under way on it.
    async fn send(
        &self,
        request: Request<Incoming>,
        is_upgrade: bool,
    ) -> Result<http::Response<Incoming>, ProxyError> {
        let is_repeatable = matches!(*request.method(), Method::GET | Method::HEAD)
            && request.body().is_end_stream()
            && !is_upgrade;
        if !is_repeatable {
            let request = request.map(Either::Left);
            return self.client.request(request).await.map_err(ProxyError::from);
        }
        let (parts, _) = request.into_parts();
        let again = Request::from_parts(parts.clone(), Either::Right(Empty::new()));
        let request = Request::from_parts(parts, Either::Right(Empty::new()));
        match self.client.request(request).await {
            Err(error) if ended_early(&error) => self.client.request(again).await,
            result => result,
        }
        .map_err(ProxyError::from)
    }

    /// Carries bytes both ways between two upgraded connections until one of them ends.
    fn tunnel(&self, client: OnUpgrade, space: OnUpgrade) {
        let mut closing = self.closing.clone();
        tokio::spawn(async move {
            let carried = async {
                let (client, space) = tokio::try_join!(client, space)?;
                let (mut client, mut space) = (TokioIo::new(client), TokioIo::new(space));
                tokio::io::copy_bidirectional(&mut client, &mut space).await?;
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            };
            tokio::select! {
                result = carried => if let Err(error) = result {
                    tracing::debug!(%error, "a tunnel ended");
                },
                _ = closing.changed() => (),
            }
        });
    }
}

/// The target of a request, at the space.
fn upstream_uri(uri: &Uri, upstream: SocketAddr) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(http::uri::Scheme::HTTP);
    let authority = Authority::try_from(upstream.to_string());
    parts.authority = Some(authority.expect("an address and a port are an authority"));
    // `*` (of `OPTIONS *`) is about the gateway; a space has no form of it with an address.
    let is_path = parts.path_and_query.as_ref().is_some_and(|it| it.as_str().starts_with('/'));
    if !is_path {
        parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    }
    Uri::from_parts(parts).expect("scheme, authority and a path")
}

/// Whether the space ended the connection before it answered.
fn ended_early(error: &hyper_util::client::legacy::Error) -> bool {
    let cause = error.source().and_then(|it| it.downcast_ref::<hyper::Error>());
    cause.is_some_and(|it| it.is_incomplete_message() || it.is_canceled())
}
