//! Requests that components send: to allowed hosts only, over kept connections, TLS by rustls.

mod connector;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use connector::Connector;
pub(crate) use connector::Connectors;

use crate::{
    allowed_hosts::{Allowed, AllowedHosts},
    limits::{CONNECT_TIME_MAX, OUTBOUND_TIME_MAX},
};

/// The connections of the whole edge.
pub(crate) struct Clients {
    /// To any address.
    any: Client<Connector, WasiBody>,
    /// To addresses on the public internet.
    public: Client<Connector, WasiBody>,
}

/// What one component may send, and how.
#[derive(Clone)]
pub(crate) struct Outbound {
    component: Arc<str>,
    allowed: Arc<AllowedHosts>,
    clients: Arc<Clients>,
}

/// What [`WasiHttpHooks::send_request`] answers: the response, and how its transmission ended.
type Sent = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl Clients {
    pub(crate) fn new(connectors: Connectors) -> Self {
        let client = |connector| {
            Client::builder(hyper_util::rt::TokioExecutor::new())
                .pool_timer(hyper_util::rt::TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(30))
                .build(connector)
        };
        Self { any: client(connectors.any), public: client(connectors.public) }
    }
}

impl Outbound {
    pub(crate) fn new(component: &Arc<str>, allowed: AllowedHosts, clients: &Arc<Clients>) -> Self {
        let component = Arc::clone(component);
        Self { component, allowed: Arc::new(allowed), clients: Arc::clone(clients) }
    }

    /// The client for `request`, if it may be sent.
    fn client(&self, request: &Request<WasiBody>) -> Result<Client<Connector, WasiBody>, Error> {
        let uri = request.uri();
        match self.allowed.allow(uri) {
            Some(Allowed::ByName) => Ok(self.clients.any.clone()),
            Some(Allowed::ByWildcard) if connector::is_private_literal(uri) => {
                Err(Error::DestinationIpProhibited)
            }
            Some(Allowed::ByWildcard) => Ok(self.clients.public.clone()),
            None => {
                let host = uri.authority().map_or("", |it| it.as_str());
                let component = &*self.component;
                tracing::warn!(component, host, "request to a host that is not allowed");
                Err(Error::HttpRequestDenied)
            }
        }
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let client = self.client(&request);
        Box::new(async move {
            let client = client?;
            // The client speaks the version that the server does.
            *request.version_mut() = http::Version::HTTP_11;
            let times = Times::from(options);
            failpoints::hit("edge:http:before");
            let response = tokio::time::timeout(times.head, client.request(request)).await;
            failpoints::hit("edge:http:after");
            let response =
                response.map_err(|_| Error::ConnectionReadTimeout)?.map_err(connector::error)?;
            let response = response.map(|it| Timed::new(it, times.between_bytes).boxed_unsync());
            let end = Box::new(std::future::ready(Ok(())));
            Ok((response, end as Box<dyn Future<Output = _> + Send>))
        })
    }
}

/// How long each part of an exchange may take.
struct Times {
    /// From the start to the head of the response, connecting included.
    head: Duration,
    between_bytes: Duration,
}

impl From<Option<RequestOptions>> for Times {
    fn from(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let connect = options.connect_timeout.unwrap_or(CONNECT_TIME_MAX).min(CONNECT_TIME_MAX);
        let first_byte = options.first_byte_timeout.unwrap_or(OUTBOUND_TIME_MAX);
        let between_bytes = options.between_bytes_timeout.unwrap_or(OUTBOUND_TIME_MAX);
        Self { head: connect.saturating_add(first_byte), between_bytes }
    }
}

/// A response body whose frames come within a time of each other.
struct Timed {
    body: Incoming,
    between_bytes: Duration,
    deadline: Pin<Box<tokio::time::Sleep>>,
}

impl Timed {
    fn new(body: Incoming, between_bytes: Duration) -> Self {
        Self { body, between_bytes, deadline: Box::pin(tokio::time::sleep(between_bytes)) }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let deadline = tokio::time::Instant::now() + self.between_bytes;
                self.deadline.as_mut().reset(deadline);
                Poll::Ready(frame.map(|it| it.map_err(Error::from)))
            }
            Poll::Pending => {
                ready!(self.deadline.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
