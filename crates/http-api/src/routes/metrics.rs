//! `GET /metrics`: how things stand, for Prometheus.

use std::sync::{Arc, atomic::AtomicU64};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use records::Gauges;

use crate::{Edge, Platform, caller::Operator, error::ApiError};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labelled = Family<Vec<(String, String)>, Gauge<f64, AtomicU64>>;

const MICROS: f64 = 1_000_000.0;
const MIB: f64 = 1_048_576.0;

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
) -> Result<Response, ApiError> {
    let gauges = edge.records().await?.gauges(edge.platform.now()).await?;
    let mut text = String::new();
    encode(&mut text, &registry(&gauges)).map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// A component keeps nothing between two requests, so the registry is made of what the records say now.
fn registry(gauges: &Gauges) -> Registry {
    let mut registry = Registry::with_prefix("spaceport_edge");
    let mut gauge = |name: &str, help: &str, unit: Option<Unit>| {
        let family = Labelled::default();
        match unit {
            Some(unit) => registry.register_with_unit(name, help, unit, family.clone()),
            None => registry.register(name, help, family.clone()),
        }
        family
    };
    let spaces = gauge("spaces", "Spaces that are not deleted, by phase", None);
    for (phase, n) in &gauges.spaces {
        spaces.get_or_create(&labels(&[("phase", phase)])).set(number(*n));
    }
    let plain = |family: &Labelled, value: f64| _ = family.get_or_create(&Vec::new()).set(value);
    let stuck = gauge("stuck_spaces", "Spaces on their way for more than 15 minutes", None);
    plain(&stuck, number(gauges.n_stuck));
    let unresolved = gauge("unresolved_payments", "Payments whose outcome nobody knows", None);
    plain(&unresolved, number(gauges.n_unresolved_payments));
    let deliveries = gauge("deliveries", "Notices that are pending, or failed", None);
    for (state, n) in ["pending", "failed"].iter().zip(gauges.n_deliveries) {
        deliveries.get_or_create(&labels(&[("state", state)])).set(number(n));
    }
    let help = "The Unix time until which every space is charged";
    let charged = gauge("charged_until_timestamp", help, Some(Unit::Seconds));
    if let Some(at_s) = gauges.charged_until_s {
        plain(&charged, signed(at_s));
    }
    let owed = gauge("owed", "What was used and can't be paid", Some(usd()));
    plain(&owed, number(gauges.owed_micros) / MICROS);
    let money = gauge("money", "What accounts are worth, by kind", Some(usd()));
    for (kind, micros) in &gauges.money_micros {
        money.get_or_create(&labels(&[("kind", kind)])).set(signed(*micros) / MICROS);
    }
    let alive = gauge("host_alive", "Whether a host was heard of in the last 90 seconds", None);
    let drained = gauge("host_drained", "Whether a host gets no more spaces", None);
    let memory = gauge("host_memory", "Memory of a host for spaces, by use", Some(Unit::Bytes));
    let help = "The Unix time of the hour of a host's newest reading";
    let measured = gauge("host_measured_timestamp", help, Some(Unit::Seconds));
    for host in &gauges.hosts {
        let of = |more: &[(&str, &str)]| labels(&[&[("host", &*host.name)], more].concat());
        alive.get_or_create(&of(&[])).set(f64::from(u8::from(host.is_alive)));
        drained.get_or_create(&of(&[])).set(f64::from(u8::from(host.is_drained)));
        for (kind, mib) in ["total", "reserved"].iter().zip(host.memory_mib) {
            memory.get_or_create(&of(&[("kind", kind)])).set(number(mib) * MIB);
        }
        if let Some(at_s) = host.measured_until_s {
            measured.get_or_create(&of(&[])).set(signed(at_s));
        }
    }
    registry
}

fn usd() -> Unit {
    Unit::Other("usd".to_owned())
}

fn labels(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A count as Prometheus has it, exact up to 2^53.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "metrics are floats")]
const fn number(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "metrics are floats")]
const fn signed(n: i64) -> f64 {
    n as f64
}
