//! From a request of Spin's to a router and back.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::{Router, body::Body};
use http::{Response, StatusCode};
use http_api::{Config, ConfigError, Edge, Site, VARIABLES};
use problem::Problem;
use spin_sdk::{http::Request, variables};
use tower_service::Service as _;

use crate::{Spin, log};

/// The edge of this instance, made at its first request and kept: configuration does not change
/// while an instance lives, and nothing of a request is in it.
///
/// # Errors
/// The answer to give while the configuration is wrong.
pub async fn edge() -> Result<Arc<Edge<Spin>>, Problem> {
    static EDGE: OnceLock<Arc<Edge<Spin>>> = OnceLock::new();
    if let Some(edge) = EDGE.get() {
        return Ok(Arc::clone(edge));
    }
    let values = values().await;
    let config =
        Config::parse(|name| values.get(name).cloned()).map_err(|it| misconfigured(&it))?;
    Ok(Arc::clone(EDGE.get_or_init(|| Edge::new(config, Arc::new(Spin)))))
}

/// Where the edge is: all that a component needs that knows nobody.
///
/// # Errors
/// The answer to give while the configuration is wrong.
pub async fn site() -> Result<Site, Problem> {
    let values = values().await;
    Site::parse(|name| values.get(name).cloned()).map_err(|it| misconfigured(&it))
}

/// Answers `request` by the router that `make` makes at the instance's first request.
pub async fn serve(
    request: Request,
    make: impl AsyncFnOnce() -> Result<Router, Problem>,
) -> Response<Body> {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    let mut router = match ROUTER.get() {
        Some(router) => router.clone(),
        None => match make().await {
            Ok(router) => ROUTER.get_or_init(|| router).clone(),
            Err(problem) => return problem.into_response(),
        },
    };
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn values() -> BTreeMap<&'static str, String> {
    log::install();
    let mut values = BTreeMap::new();
    for name in VARIABLES {
        // A variable that this component was not given reads as undefined.
        if let Ok(value) = variables::get(name).await {
            values.insert(name, value);
        }
    }
    values
}

fn misconfigured(error: &ConfigError) -> Problem {
    tracing::error!(error = error.to_string(), "the configuration is wrong");
    let detail = "something is wrong on our side";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
}
