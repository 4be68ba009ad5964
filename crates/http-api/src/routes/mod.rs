//! The routes, a router for each component.

mod apps;
mod auth;
mod changes;
mod create;
mod events;
mod hosts;
mod janitor;
mod logs;
mod names;
mod observations;
mod ready;
mod show;
mod web;
mod wish;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post, put},
};

use crate::{
    Edge, Platform, Site,
    layers::{around, closed},
};

/// Sign-in, sessions, and the sweeping of what they leave behind.
pub fn auth<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let routes = Router::new()
        .route("/v1/auth/nonce", get(auth::nonce))
        .route("/v1/auth/verify", post(auth::verify))
        .route("/v1/auth/session", get(auth::session))
        .route("/v1/auth/logout", post(auth::logout))
        .route("/internal/cron/janitor", post(janitor::sweep));
    finish(routes, edge)
}

/// Spaces, and what must be known to make one.
pub fn spaces<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let routes = Router::new()
        .route("/v1/apps", get(apps::list))
        .route("/v1/names/{name}", get(names::show))
        .route("/v1/spaces", get(show::list).post(create::create))
        .route("/v1/spaces/{id}", get(show::show).delete(wish::delete))
        .route("/v1/spaces/{id}/restart", post(wish::restart))
        .route("/v1/spaces/{id}/events", get(events::list))
        .route("/v1/spaces/{id}/logs", get(logs::redirect))
        .route("/readyz", get(ready::readyz));
    finish(routes, edge)
}

/// The link to the workers, and the operator's hosts.
pub fn fleet<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let routes = Router::new()
        .route("/fleet/v1/hello", put(changes::hello))
        .route("/fleet/v1/changes", get(changes::changes))
        .route("/fleet/v1/observations", post(observations::take))
        .route("/v1/admin/hosts", get(hosts::list).post(hosts::add));
    finish(routes, edge)
}

/// The page, liveness, and the answer to every path that leads nowhere.
pub fn web<P: Platform>(site: &Site, platform: &Arc<P>) -> Router {
    let routes = Router::new().route("/", get(web::page)).route("/healthz", get(web::healthz));
    around(closed(routes), site, platform)
}

fn finish<P: Platform>(routes: Router<Arc<Edge<P>>>, edge: &Arc<Edge<P>>) -> Router {
    around(closed(routes), &edge.config.site, &edge.platform).with_state(Arc::clone(edge))
}
