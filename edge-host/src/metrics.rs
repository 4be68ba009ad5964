//! What the edge counts, for Prometheus. It is one for the process, as an edge is.
//!
//! No label has a value of a client's: routes are those of the manifest, and methods those of HTTP.

use std::{
    sync::{LazyLock, atomic::AtomicI64},
    time::Duration,
};

use http::{Method, StatusCode};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// What is told of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    /// The manifest's, or `none`.
    route: String,
    status: u16,
}

/// Which part of the edge it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

struct Metrics {
    requests: Family<Answer, Counter>,
    request_duration: Family<Route, Histogram>,
    requests_open: Gauge<i64, AtomicI64>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    requests: Family::default(),
    request_duration: Family::new_with_constructor(|| {
        Histogram::new(exponential_buckets(0.0005, 2.0, 16))
    }),
    requests_open: Gauge::default(),
});

/// Adds what edges count.
pub fn register_metrics(registry: &mut Registry) {
    let registry = registry.sub_registry_with_prefix("edge");
    let help = "Answers, by method, route of the manifest and status";
    registry.register("requests", help, METRICS.requests.clone());
    let help = "Time until the head of an answer, by route of the manifest";
    let duration = METRICS.request_duration.clone();
    registry.register_with_unit("request_duration", help, Unit::Seconds, duration);
    let help = "Requests that have no answer yet";
    registry.register("requests_open", help, METRICS.requests_open.clone());
}

/// A request that has no answer yet.
pub(crate) struct Open(());

impl Open {
    pub(crate) fn begin() -> Self {
        METRICS.requests_open.inc();
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        METRICS.requests_open.dec();
    }
}

/// Counts an answer.
pub(crate) fn answered(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let answer = Answer { method: known(method), route: route.to_owned(), status: status.as_u16() };
    METRICS.requests.get_or_create(&answer).inc();
    let route = Route { route: route.to_owned() };
    METRICS.request_duration.get_or_create(&route).observe(took.as_secs_f64());
}

/// The method, if it is one of HTTP's: a client may make any word one.
fn known(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().position(|it| it == method).map_or("other", |nth| NAMES[nth])
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn answers_are_counted_and_words_of_clients_make_no_series() {
        let took = Duration::from_millis(3);
        let odd = Method::from_bytes(b"FROBNICATE").unwrap();
        answered(&Method::GET, "/v1/test/...", StatusCode::OK, took);
        answered(&Method::GET, "/v1/test/...", StatusCode::OK, took);
        answered(&odd, "none", StatusCode::NOT_FOUND, took);
        let open = Open::begin();
        let text = || {
            let mut registry = Registry::default();
            register_metrics(&mut registry);
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        for line in [
            r#"edge_requests_total{method="GET",route="/v1/test/...",status="200"} 2"#,
            r#"edge_requests_total{method="other",route="none",status="404"} 1"#,
            r#"edge_request_duration_seconds_count{route="/v1/test/..."} 2"#,
            "edge_requests_open 1",
        ] {
            assert!(text().contains(line), "{line} in:\n{}", text());
        }
        drop(open);
        assert!(text().contains("edge_requests_open 0"));
    }
}
