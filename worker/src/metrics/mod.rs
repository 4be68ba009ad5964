//! What the worker counts, for Prometheus. It is one for the process, as a worker is.
//!
//! No label has a value of a tenant's: there are as many series with a thousand spaces as with one.

mod process;
mod server;

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
        info::Info,
    },
    registry::{Registry, Unit},
};

pub use self::server::MetricsServer;
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

static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    turns: Outcomes::default(),
    turn_duration: Histogram::new(exponential_buckets(0.002, 2.0, 14)),
    edge_answers: Outcomes::default(),
    edge_answered: Gauge::default(),
    requests: Outcomes::default(),
    request_duration: Histogram::new(exponential_buckets(0.0005, 2.0, 16)),
    readings_unsent: Gauge::default(),
    readings_made: Gauge::default(),
    deliveries: Outcomes::default(),
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

/// Everything that this process counts.
fn registry() -> Registry {
    let mut registry = Registry::with_prefix("spaceport");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("build", "What is running", Info::new(version));
    METRICS.register(&mut registry);
    process::register(&mut registry);
    registry
}

fn unix_s() -> f64 {
    let now_ms = u64::try_from(now().unix_ms()).unwrap_or(0);
    Duration::from_millis(now_ms).as_secs_f64()
}
