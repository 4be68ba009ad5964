//! Traces for OpenTelemetry: what requests and turns of spaces did, sent as OTLP over HTTP.
//!
//! The standard's own variables say where to and how; without an endpoint nothing is sent, and nothing
//! is paid for it.
//!
//! Source: OpenTelemetry Environment Variable Specification; OTLP Specification 1.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::{Key, trace::TracerProvider as _};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use crate::environment;

const NAME: &str = "spaceport";

/// How long a process that ends waits for whoever takes its traces.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(1);

/// Sends spans until it is dropped, which sends those that are left.
pub(crate) struct Exporting(SdkTracerProvider);

/// Who sends: what the variables say, or our name.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let name = said.get(&Key::from_static_str("service.name"));
    // What the SDK says if nobody else does.
    if name.is_some_and(|it| !it.as_str().starts_with("unknown_service")) {
        return said;
    }
    Resource::builder().with_service_name(NAME).build()
}

/// Begins to send traces, if the environment names an endpoint.
///
/// # Errors
/// If they can't be sent there.
pub(crate) fn from_environment() -> anyhow::Result<Option<Exporting>> {
    if !environment::exports_traces()? {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build();
    let exporter = exporter.context("OTEL_EXPORTER_OTLP_ENDPOINT: traces can't be sent there")?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource())
        .build();
    Ok(Some(Exporting(provider)))
}

impl Exporting {
    /// What takes the spans of this product's parts, and leaves those of libraries alone.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let ours = [(NAME, Level::INFO), ("worker", Level::DEBUG), ("edge_host", Level::DEBUG)];
        let ours = Targets::new().with_targets(ours);
        let tracer = self.0.tracer(NAME);
        // Where in the code a span began says nothing to the operator.
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_filter(ours)
    }
}

impl Drop for Exporting {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_TIME_MAX) {
            tracing::warn!("the last traces could not be sent: {error}");
        }
    }
}
