//! The routes, a router for each component.

mod apps;
mod audit;
mod auth;
mod billing;
mod changes;
mod contact;
mod create;
mod credentials;
mod deliveries;
mod domains;
mod events;
mod gate;
mod hosts;
mod janitor;
mod keys;
mod logs;
mod metrics;
mod money;
mod names;
mod observations;
mod operator;
mod payments;
mod pricing;
mod readings;
mod ready;
mod resolve;
mod show;
mod tls;
mod top_up;
mod traefik;
mod wallet;
mod web;
mod wish;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{delete, get, post, put},
};

use crate::{
    Edge, Platform, Site,
    counting::counted,
    layers::{around, closed},
};

/// Who may come in: sign-in, sessions, keys, the gate, and the sweeping of what they leave behind.
pub fn auth<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let janitor = Router::new().route("/internal/cron/janitor", post(janitor::sweep));
    finish(session_routes().merge(gate_routes()).merge(janitor), edge)
}

/// Sign-in, sessions and keys: what a middleware answers itself that lets in who signed in.
pub fn session<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    finish(session_routes(), edge)
}

/// Whether a path is for [`session`].
#[must_use]
pub fn is_session(path: &str) -> bool {
    path.starts_with("/v1/auth/") || path == "/v1/keys" || path.starts_with("/v1/keys/")
}

/// What the gate says and why: what a middleware answers itself that is a gate.
pub fn gate<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    finish(gate_routes(), edge)
}

/// Whether a path is for [`gate()`].
#[must_use]
pub fn is_gate(path: &str) -> bool {
    path == "/v1/gate"
}

fn session_routes<P: Platform>() -> Router<Arc<Edge<P>>> {
    Router::new()
        .route("/v1/auth/nonce", get(auth::nonce))
        .route("/v1/auth/verify", post(auth::verify))
        .route("/v1/auth/session", get(auth::session))
        .route("/v1/auth/logout", post(auth::logout))
        .route("/v1/keys", get(keys::list).post(keys::make))
        .route("/v1/keys/{id}", delete(keys::revoke))
}

fn gate_routes<P: Platform>() -> Router<Arc<Edge<P>>> {
    Router::new().route("/v1/gate", get(gate::show))
}

/// Spaces, and what must be known to make one.
pub fn spaces<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let routes = Router::new()
        .route("/v1/apps", get(apps::list))
        .route("/v1/names/{name}", get(names::show))
        .route("/v1/spaces", get(show::list).post(create::create))
        .route("/v1/spaces/{id}", get(show::show).delete(wish::delete))
        .route("/v1/spaces/{id}/restart", post(wish::restart))
        .route("/v1/spaces/{id}/update", post(wish::update))
        .route("/v1/spaces/{id}/credentials", get(credentials::redirect))
        .route("/v1/spaces/{id}/events", get(events::list))
        .route("/v1/spaces/{id}/ledger", get(wallet::of_space))
        .route("/v1/spaces/{id}/logs", get(logs::redirect))
        .route("/v1/spaces/{id}/payments", post(top_up::top_up))
        .route("/v1/spaces/{id}/domains", get(domains::list).post(domains::add))
        .route("/v1/spaces/{id}/domains/{domain}", get(domains::show).delete(domains::remove))
        .route("/internal/cron/domains", post(domains::look_for_all))
        .route("/internal/tls/ask", get(tls::ask))
        .route("/internal/traefik", get(traefik::show))
        .route("/readyz", get(ready::readyz));
    finish(routes.merge(money::routes()), edge)
}

/// What things cost, what was paid and what is left of it.
pub fn billing<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let routes = Router::new()
        .route("/v1/pricing", get(pricing::show))
        .route("/v1/wallet", get(wallet::show))
        .route("/v1/wallet/contact", get(contact::show).put(contact::set).delete(contact::remove))
        .route("/webhooks/facilitator", post(resolve::hinted))
        .route("/internal/cron/payments", post(resolve::all))
        .route("/internal/cron/billing", post(billing::run));
    finish(routes.merge(payment_routes()), edge)
}

/// What became of payments: what a middleware answers itself that takes them.
pub fn payments<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    finish(payment_routes(), edge)
}

/// Whether a path is for [`payments()`].
#[must_use]
pub fn is_payments(path: &str) -> bool {
    path.starts_with("/v1/payments/")
}

fn payment_routes<P: Platform>() -> Router<Arc<Edge<P>>> {
    Router::new().route("/v1/payments/{id}", get(payments::show))
}

/// The link to the workers, and the operator's hosts.
pub fn fleet<P: Platform>(edge: &Arc<Edge<P>>) -> Router {
    let routes = Router::new()
        .route("/fleet/v1/hello", put(changes::hello))
        .route("/fleet/v1/changes", get(changes::changes))
        .route("/fleet/v1/observations", post(observations::take))
        .route("/fleet/v1/readings", post(readings::take))
        .route("/fleet/v1/inventory", put(readings::take_inventory))
        .route("/fleet/v1/deliveries/lease", post(deliveries::lease))
        .route("/fleet/v1/deliveries/results", post(deliveries::note))
        .route("/metrics", get(metrics::show))
        .route("/v1/admin/audit", get(audit::show))
        .route("/v1/admin/events", get(operator::events))
        .route("/v1/admin/spaces", get(operator::spaces))
        .route("/v1/admin/spaces/{id}/suspend", post(operator::suspend))
        .route("/v1/admin/spaces/{id}/resume", post(operator::resume))
        .route("/v1/admin/spaces/{id}/teardown", post(operator::tear_down))
        .route("/v1/admin/spaces/{id}/grants", post(operator::grant))
        .route("/v1/admin/hosts/{name}/drain", post(operator::drain).delete(operator::undrain))
        .route("/v1/admin/hosts", get(hosts::list).post(hosts::add))
        .route("/v1/admin/spaces/{id}/update", post(wish::update_by_operator));
    finish(routes, edge)
}

/// The page, liveness, and the answer to every path that leads nowhere.
pub fn web<P: Platform>(site: &Site, platform: &Arc<P>) -> Router {
    let routes = Router::new().route("/", get(web::page)).route("/healthz", get(web::healthz));
    around(closed(routes), site, platform)
}

fn finish<P: Platform>(routes: Router<Arc<Edge<P>>>, edge: &Arc<Edge<P>>) -> Router {
    let routes =
        closed(routes).layer(middleware::from_fn_with_state(Arc::clone(edge), counted::<P>));
    around(routes, &edge.config.site, &edge.platform).with_state(Arc::clone(edge))
}
