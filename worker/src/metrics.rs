//! What the worker counts, for Prometheus. It is one for the process, as a worker is.
//!
//! No label has a value of a tenant's: there are as many series with a thousand spaces as with one.

use std::{
    sync::{LazyLock, atomic::AtomicU64},
    time::Duration,
};

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

use crate::worker::now;

/// What came of something: `outcome`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

type Outcomes = Family<Outcome, Counter>;

/// All that is counted.
pub(crate) struct Metrics {
    turns: Outcomes,
    turn_duration: Histogram,
    edge_answers: Outcomes,
    edge_answered: Gauge<f64, AtomicU64>,
    requests: Outcomes,
    request_duration: Histogram,
    readings_unsent: Gauge,
    readings_made: Gauge<f64, AtomicU64>,
    deliveries: Outcomes,
}

/// Counts from 0 on for each of `outcomes`: Prometheus does not see the first increase of what was not there.
fn outcomes(outcomes: [&'static str; 2]) -> Outcomes {
    let family = Outcomes::default();
    for outcome in outcomes {
        drop(family.get_or_create(&Outcome { outcome }));
    }
    family
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    turns: outcomes(["done", "failed"]),
    turn_duration: Histogram::new(exponential_buckets(0.002, 2.0, 14)),
    edge_answers: outcomes(["answered", "failed"]),
    edge_answered: Gauge::default(),
    requests: outcomes(["space", "gateway"]),
    request_duration: Histogram::new(exponential_buckets(0.0005, 2.0, 16)),
    readings_unsent: Gauge::default(),
    readings_made: Gauge::default(),
    deliveries: outcomes(["delivered", "failed"]),
});

/// What is counted by this process.
pub(crate) fn metrics() -> &'static Metrics {
    &METRICS
}

impl Metrics {
    /// A space had its turn.
    pub(crate) fn turn(&self, outcome: &'static str, seconds: f64) {
        self.turns.get_or_create(&Outcome { outcome }).inc();
        self.turn_duration.observe(seconds);
    }

    /// The edge was asked, and answered or not.
    pub(crate) fn edge(&self, is_answered: bool) {
        let outcome = if is_answered { "answered" } else { "failed" };
        self.edge_answers.get_or_create(&Outcome { outcome }).inc();
        if is_answered {
            self.edge_answered.set(unix_s());
        }
    }

    /// A visitor got an answer: of a space, or a notice of ours.
    pub(crate) fn request(&self, outcome: &'static str, seconds: f64) {
        self.requests.get_or_create(&Outcome { outcome }).inc();
        self.request_duration.observe(seconds);
    }

    /// So many readings are not sent.
    pub(crate) fn readings(&self, n_unsent: i64) {
        self.readings_unsent.set(n_unsent);
    }

    /// Readings were made.
    pub(crate) fn readings_made(&self) {
        self.readings_made.set(unix_s());
    }

    /// A notice was delivered, or not.
    pub(crate) fn delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("worker");
        let help = "Turns of spaces, by what came of them";
        registry.register("turns", help, self.turns.clone());
        let help = "How long turns of spaces took";
        registry.register_with_unit(
            "turn_duration",
            help,
            Unit::Seconds,
            self.turn_duration.clone(),
        );
        let help = "Questions to the edge, by whether it answered";
        registry.register("edge_answers", help, self.edge_answers.clone());
        let help = "The Unix time of the edge's last answer";
        let name = "edge_answered_timestamp";
        registry.register_with_unit(name, help, Unit::Seconds, self.edge_answered.clone());
        let help = "Requests of visitors, by who answered: the space, or the gateway";
        registry.register("gateway_requests", help, self.requests.clone());
        let help = "Time until the head of an answer to a visitor";
        let duration = self.request_duration.clone();
        registry.register_with_unit("gateway_request_duration", help, Unit::Seconds, duration);
        let help = "Readings that the edge does not have yet";
        registry.register("readings_unsent", help, self.readings_unsent.clone());
        let help = "The Unix time at which readings were made last";
        let name = "readings_made_timestamp";
        registry.register_with_unit(name, help, Unit::Seconds, self.readings_made.clone());
        let help = "Notices, by what came of them";
        registry.register("deliveries", help, self.deliveries.clone());
    }
}

/// Adds what workers count.
pub fn register_metrics(registry: &mut Registry) {
    METRICS.register(registry);
}

fn unix_s() -> f64 {
    let now_ms = u64::try_from(now().unix_ms()).unwrap_or(0);
    Duration::from_millis(now_ms).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn what_may_come_is_counted_from_0_on() {
        let mut registry = Registry::default();
        register_metrics(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for series in [
            r#"worker_turns_total{outcome="failed"}"#,
            r#"worker_edge_answers_total{outcome="failed"}"#,
            r#"worker_gateway_requests_total{outcome="gateway"}"#,
            r#"worker_deliveries_total{outcome="delivered"}"#,
        ] {
            assert!(text.contains(series), "{series} in:\n{text}");
        }
    }
}
