//! The gate, as a Spin middleware. Wires the layer and the route to Spin and does nothing else.

use gate::GateLayer;
use http_api::{GateGuard, routes};
use spin_ports::Next;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};
use tower_layer::Layer as _;
use tower_service::Service as _;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    if routes::is_gate(request.uri().path()) {
        return Ok(spin_ports::serve(request, async || {
            Ok(routes::gate(&spin_ports::edge().await?))
        })
        .await);
    }
    match spin_ports::edge().await {
        Ok(edge) => GateLayer::new(GateGuard::new(edge)).layer(Next).call(request).await,
        Err(problem) => Ok(problem.into_response()),
    }
}
