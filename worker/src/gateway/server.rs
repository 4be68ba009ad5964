//! Connections of clients, and what each request becomes.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::SpaceId;
use http::{Method, Request, header};
use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::watch, task::JoinSet, time::timeout};

use super::{
    GatewayOptions, Response,
    alarm::Alarm,
    host::{authority, route_key},
    notice::Notice,
    own,
    proxy::{Proxy, ProxyError},
};
use crate::{metrics::metrics, routes::Route};

/// How long a client may take to send the headers of a request, and to begin with the next one on
/// a connection that is kept.
const HEADER_READ_TIME_MAX: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a client begins that knows we speak HTTP/2. Source: RFC 9113 §3.4.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Front {
    options: GatewayOptions,
    proxy: Proxy,
    alarm: Alarm,
}

/// Accepts and serves until `closing` is told so, then lets the requests under way finish.
pub(super) async fn run(options: GatewayOptions, mut closing: watch::Receiver<()>) {
    let proxy = Proxy::new(options.is_https, closing.clone());
    let alarm = Alarm::new(Arc::clone(&options.look_again));
    let front = Arc::new(Front { options, proxy, alarm });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = closing.changed() => break,
            Some(_) = connections.join_next() => (),
            accepted = front.options.listener.accept() => match accepted {
                Ok((stream, client)) => {
                    connections.spawn(serve(Arc::clone(&front), stream, client, closing.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn serve(
    front: Arc<Front>,
    stream: TcpStream,
    client: SocketAddr,
    mut closing: watch::Receiver<()>,
) {
    let opened = async {
        stream.set_nodelay(true)?;
        is_http2(&stream).await
    };
    let is_http2 = tokio::select! {
        _ = closing.changed() => return,
        is_http2 = timeout(HEADER_READ_TIME_MAX, opened) => match is_http2 {
            Ok(Ok(is_http2)) => is_http2,
            Ok(Err(_)) | Err(_) => return,
        },
    };
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request, client).await) }
    });
    let io = TokioIo::new(stream);
    let result = if is_http2 {
        let mut builder = conn::http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(HEADER_READ_TIME_MAX);
        let mut connection = pin!(builder.serve_connection(io, service));
        tokio::select! {
            result = connection.as_mut() => result,
            _ = closing.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let mut builder = conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIME_MAX);
        let mut connection = pin!(builder.serve_connection(io, service).with_upgrades());
        tokio::select! {
            result = connection.as_mut() => result,
            _ = closing.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%client, %error, "a connection ended");
    }
}

/// Whether a client begins with HTTP/2. Looks at its first bytes and leaves them where they are.
async fn is_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut seen = [0; HTTP2_PREFACE.len()];
    loop {
        let len = stream.peek(&mut seen).await?;
        if len == 0 || !HTTP2_PREFACE.starts_with(&seen[..len]) {
            return Ok(false);
        }
        if len == seen.len() {
            return Ok(true);
        }
        // There is no way to be told when there is more to see than there was.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Front {
    async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Response {
        let began = Instant::now();
        let (response, by) = match self.forwarded(request, client).await {
            Ok(response) => (response, "space"),
            Err(response) => (response, "gateway"),
        };
        metrics().request(by, began.elapsed().as_secs_f64());
        response
    }

    /// What the space answers, or what we answer in its place.
    async fn forwarded(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response, Response> {
        let accept = request.headers().get(header::ACCEPT).cloned();
        if request.method() == Method::CONNECT {
            return Err(Notice::NoTunnel.answer(accept.as_ref()));
        }
        if request.uri().path().starts_with(own::PREFIX) {
            return Err(own::answer(&request.map(|_| ()), &self.options).await);
        }
        let Ok(authority) = authority(&request) else {
            return Err(Notice::BadHost.answer(accept.as_ref()));
        };
        let host = route_key(&authority);
        let Some(entry) = self.options.routes.get(&host) else {
            return Err(Notice::Unknown { host: &host }.answer(accept.as_ref()));
        };
        let notice = match &entry.route {
            Route::Ready { upstream } => {
                match self.proxy.forward(request, &authority, client.ip(), *upstream).await {
                    Ok(response) => return Ok(response),
                    Err(error) => self.notice_of(&error, &entry.space),
                }
            }
            Route::Starting { title, steps } => Notice::Starting { title, steps },
            Route::Stopped => Notice::Stopped,
            Route::Suspended { pay_url } => Notice::Suspended { pay_url: pay_url.as_deref() },
            Route::Failed { .. } => Notice::Failed,
            Route::Removing => Notice::Removing,
        };
        Err(notice.answer(accept.as_ref()))
    }

    /// What a visitor is told of a request that failed. Visitors can make requests fail, so a space
    /// is looked at only when it seems to be gone, and not for each of them.
    fn notice_of(&self, error: &ProxyError, space: &SpaceId) -> Notice<'static> {
        let is_news = match error {
            ProxyError::NoAnswer(_) => self.alarm.raise(space, Instant::now()),
            ProxyError::ClientBody(_) | ProxyError::NoHttp(_) | ProxyError::UnaskedUpgrade => false,
        };
        let cause: &dyn std::error::Error = error;
        if is_news {
            tracing::warn!(space.id = %space, error = cause, "a request failed");
        } else {
            tracing::debug!(space.id = %space, error = cause, "a request failed");
        }
        match error {
            ProxyError::ClientBody(_) => Notice::BadBody,
            _ => Notice::Unreachable,
        }
    }
}
