//! The HTTP server: connections in, requests to components, answers out.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Request, Response, StatusCode, Uri, header, uri::Scheme};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use wasmtime_wasi_http::{
    WasiBody,
    handler::{ExpirationError, InstantiationError},
};

use crate::{
    headers,
    limits::{REQUEST_TIME_MAX, REQUESTS_MAX},
    observe::Observed,
    problem::{problem, sent_request_id, text},
    request_body::RequestBody,
    route::{Matched, Routes, WELL_KNOWN_PREFIX},
    worker::{Handler, Ticket},
};

/// What is called after a request that may have changed something.
pub(crate) type OnWrite = Arc<dyn Fn() + Send + Sync>;

/// Answers requests. Shared by all connections.
pub(crate) struct Service {
    routes: Routes<Handler>,
    on_write: Option<OnWrite>,
    /// `ProxyHandler` takes any number of requests, so somebody has to count.
    slots: Semaphore,
}

impl Service {
    pub(crate) fn new(routes: Routes<Handler>, on_write: Option<OnWrite>) -> Self {
        Self { routes, on_write, slots: Semaphore::new(REQUESTS_MAX) }
    }

    /// Answers one request. Whatever goes wrong is an answer too.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>, Infallible> {
        let id = sent_request_id(request.headers());
        let path = request.uri().path().to_owned();
        let matched = self.routes.find(&path);
        let observed = Observed::begin(&request, matched.as_ref().map(|it| it.route));
        let is_write = observed.is_write();
        let answer = self.dispatch(request, matched, client).instrument(observed.span());
        let response = answer.await.unwrap_or_else(|status| problem(status, id));
        observed.end(&response);
        if let Some(on_write) = &self.on_write
            && is_write
            && response.status().is_success()
        {
            on_write();
        }
        Ok(response)
    }

    async fn dispatch(
        &self,
        request: Request<Incoming>,
        matched: Option<Matched<'_, Handler>>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>, StatusCode> {
        let path = request.uri().path();
        if let Some(well_known) = path.strip_prefix(WELL_KNOWN_PREFIX) {
            return if well_known == "health" {
                Ok(text("OK"))
            } else {
                Err(StatusCode::NOT_FOUND)
            };
        }
        let matched = matched.ok_or(StatusCode::NOT_FOUND)?;
        let is_over = AtomicBool::default();
        let is_over = Arc::new(is_over);
        let request = prepare(request, &matched, client, &is_over)?;
        let _slot = self.slots.try_acquire().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;

        failpoints::hit("edge:request");
        let response = run(matched.target, request).await;
        failpoints::hit("edge:response");
        if is_over.load(Ordering::Relaxed) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        response
    }
}

/// Has a component answer, within the time that a request has.
async fn run(
    handler: &Handler,
    request: Request<WasiBody>,
) -> Result<Response<WasiBody>, StatusCode> {
    let ticket = Ticket::default();
    // The workers' own limit starts when an instance takes the request, this one now.
    let answer = handler.handle(ticket.clone(), request);
    let error = match tokio::time::timeout(REQUEST_TIME_MAX, answer).await {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(error)) => error,
        Err(_) => wasmtime::Error::from(ExpirationError),
    };
    let component = handler.state().component();
    tracing::error!(component, "request failed: {error:#}");
    Err(if error.is::<ExpirationError>() || ticket.overran() {
        StatusCode::GATEWAY_TIMEOUT
    } else if error.is::<InstantiationError<Ticket>>() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

/// The request as its component gets it.
fn prepare(
    request: Request<Incoming>,
    matched: &Matched<'_, Handler>,
    client: SocketAddr,
    is_over: &Arc<AtomicBool>,
) -> Result<Request<WasiBody>, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let body = RequestBody::new(body, Arc::clone(is_over));
    if body.is_declared_too_long() {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    parts.uri = absolute(&parts)?;
    headers::prepare(&mut parts, matched, client);
    Ok(Request::from_parts(parts, body.boxed_unsync()))
}

/// The URI with the authority that the client asked for.
fn absolute(parts: &http::request::Parts) -> Result<Uri, StatusCode> {
    let named = match parts.headers.get(header::HOST) {
        Some(host) => Some(host.as_bytes().try_into().map_err(|_| StatusCode::BAD_REQUEST)?),
        None => None,
    };
    let mut uri = parts.uri.clone().into_parts();
    uri.authority = match (named, uri.authority) {
        (Some(host), Some(authority)) if host != authority => return Err(StatusCode::BAD_REQUEST),
        (Some(host), _) => Some(host),
        (None, Some(authority)) => Some(authority),
        (None, None) => return Err(StatusCode::BAD_REQUEST),
    };
    uri.scheme = Some(Scheme::HTTP);
    Uri::from_parts(uri).map_err(|_| StatusCode::BAD_REQUEST)
}
