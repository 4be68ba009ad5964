//! The till, as a Spin middleware. Wires the layer and the route to Spin and does nothing else.

use axum::body::Body;
use http_api::{TillLayer, routes};
use spin_ports::Next;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};
use tower_layer::Layer as _;
use tower_service::Service as _;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    if routes::is_payments(request.uri().path()) {
        return Ok(spin_ports::serve(request, async || {
            Ok(routes::payments(&spin_ports::edge().await?))
        })
        .await);
    }
    match spin_ports::edge().await {
        Ok(edge) => TillLayer::new(edge).layer(Next).call(request.map(Body::new)).await,
        Err(problem) => Ok(problem.into_response()),
    }
}
