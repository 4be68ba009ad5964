//! `GET /internal/traefik`: our routes, for Traefik's HTTP provider (v2.11 and v3).
//!
//! Labels for its Docker provider are deliberately not made. Traefik would have to join the network
//! of every space, which opens it to all of them; and it forgets the routes of containers that are
//! stopped, so that no visitor could wake a space.
//!
//! Traefik compares what it gets with what it had, and takes no answer but 200: an `ETag` would be
//! for nothing.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, response::IntoResponse};
use domain::CustomDomain;
use http::{Uri, header};
use records::Route;
use serde::{Deserialize, Serialize};

use crate::{Edge, Platform, config::TraefikConfig, error::ApiError, page::QueryOf};

#[derive(Deserialize)]
pub(super) struct TraefikQuery {
    /// Only spaces on this host.
    host: Option<String>,
    /// Where this proxy reaches the gateway of that host, if elsewhere than browsers do.
    gateway: Option<String>,
}

/// Traefik's dynamic configuration. It refuses maps that are there and empty.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http<'a>>,
}

#[derive(Serialize)]
struct Http<'a> {
    routers: BTreeMap<String, Router<'a>>,
    services: BTreeMap<String, Service<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Router<'a> {
    entry_points: &'a [String],
    rule: String,
    priority: u32,
    service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'a> {
    cert_resolver: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service<'a> {
    load_balancer: LoadBalancer<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancer<'a> {
    servers: [Server<'a>; 1],
    pass_host_header: bool,
}

#[derive(Serialize)]
struct Server<'a> {
    url: &'a str,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    QueryOf(query): QueryOf<TraefikQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let gateway = query.gateway.as_deref();
    if let Some(gateway) = gateway {
        check_gateway(gateway, query.host.is_some())?;
    }
    let routes = edge.records().await?.routes(query.host.as_deref()).await?;
    let document = document(&routes, gateway, &edge.config.base_domain, &edge.config.traefik);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(document).into_response()))
}

/// One gateway is of one host.
fn check_gateway(gateway: &str, has_host: bool) -> Result<(), ApiError> {
    let uri = gateway.parse::<Uri>().ok();
    let is_origin = uri.is_some_and(|it| {
        matches!(it.scheme_str(), Some("http" | "https")) && matches!(it.path(), "" | "/")
    });
    match (is_origin, has_host) {
        (false, _) => Err(ApiError::InvalidQuery("gateway is not an http URL".to_owned())),
        (true, false) => Err(ApiError::InvalidQuery("gateway is given with host only".to_owned())),
        (true, true) => Ok(()),
    }
}

fn document<'a>(
    routes: &'a [Route],
    gateway: Option<&'a str>,
    base_domain: &str,
    config: &'a TraefikConfig,
) -> Document<'a> {
    if routes.is_empty() {
        return Document { http: None };
    }
    let mut http = Http { routers: BTreeMap::new(), services: BTreeMap::new() };
    for route in routes {
        let own = format!("{}.{base_domain}", route.name);
        http.routers.insert(format!("space-{}", route.name), router(route, &own, config));
        // One each: a certificate is ordered for all names of a rule, and fails for all of them if it
        // fails for one that does not lead here.
        for domain in route.domains.iter().map(CustomDomain::as_str) {
            http.routers.insert(format!("domain-{domain}"), router(route, domain, config));
        }
        let servers = [Server { url: gateway.unwrap_or(&route.gateway_url) }];
        let load_balancer = LoadBalancer { servers, pass_host_header: true };
        http.services.insert(service_name(route), Service { load_balancer });
    }
    Document { http: Some(http) }
}

fn router<'a>(route: &Route, host: &str, config: &'a TraefikConfig) -> Router<'a> {
    Router {
        entry_points: &config.entry_points,
        rule: format!("Host(`{host}`)"),
        priority: config.priority,
        service: service_name(route),
        tls: config.cert_resolver.as_deref().map(|cert_resolver| Tls { cert_resolver }),
    }
}

fn service_name(route: &Route) -> String {
    format!("host-{}", route.host)
}
