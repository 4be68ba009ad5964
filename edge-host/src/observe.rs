//! What is told of requests: a line in the log, a count, a span. Never their query, headers or body,
//! which may have secrets.

use std::time::Instant;

use http::{Method, Request, Response, header::HeaderValue};
use hyper::body::Incoming;
use tracing::{Span, field::Empty};
use wasmtime_wasi_http::WasiBody;

use crate::{
    metrics::{self, Open},
    problem::REQUEST_ID,
};

/// A request that is being answered.
pub(crate) struct Observed {
    method: Method,
    path: String,
    route: String,
    began: Instant,
    span: Span,
    _open: Open,
}

impl Observed {
    /// One that has come, and the manifest's route that it takes.
    pub(crate) fn begin(request: &Request<Incoming>, route: Option<&str>) -> Self {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let route = route.unwrap_or("none").to_owned();
        let span = span(&method, &path, &route);
        Self { method, path, route, began: Instant::now(), span, _open: Open::begin() }
    }

    /// What is done for it belongs to this.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// It was answered.
    pub(crate) fn end(self, response: &Response<WasiBody>) {
        let took = self.began.elapsed();
        let status = response.status();
        metrics::answered(&self.method, &self.route, status, took);

        let id = response.headers().get(REQUEST_ID).map(HeaderValue::to_str).and_then(Result::ok);
        self.span.record("request.id", id).record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            self.span.record("otel.status_code", "ERROR");
        }
        let (method, path, status) = (&self.method, &self.path, status.as_u16());
        let duration_ms = took.as_millis();
        // Workers and pages ask all the time; what changes something is worth a line.
        if self.is_write() && !is_fleet(path) {
            tracing::info!(request.id = id, %method, path, status, duration_ms, "answered");
        } else {
            tracing::debug!(request.id = id, %method, path, status, duration_ms, "answered");
        }
    }
}

/// Named as OpenTelemetry's semantic conventions for HTTP servers name it.
fn span(method: &Method, path: &str, route: &str) -> Span {
    macro_rules! request {
        ($level:expr) => {
            tracing::span!(
                $level,
                "request",
                otel.name = format!("{method} {route}"),
                otel.kind = "server",
                otel.status_code = Empty,
                http.request.method = %method,
                http.route = route,
                http.response.status_code = Empty,
                url.path = path,
                request.id = Empty,
            )
        };
    }
    // What workers ask by the second tells nobody anything.
    if is_fleet(path) { request!(tracing::Level::TRACE) } else { request!(tracing::Level::DEBUG) }
}

fn is_fleet(path: &str) -> bool {
    path.starts_with("/fleet/")
}
