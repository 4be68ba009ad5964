//! Sign-in in front of any handler, as a Spin middleware. Wires the layer and the routes to Spin and
//! does nothing else.

use gate::GateLayer;
use http_api::{SessionGuard, routes};
use spin_ports::Next;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};
use tower_layer::Layer as _;
use tower_service::Service as _;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    if routes::is_session(request.uri().path()) {
        return Ok(spin_ports::serve(request, async || {
            Ok(routes::session(&spin_ports::edge().await?))
        })
        .await);
    }
    match spin_ports::edge().await {
        Ok(edge) => GateLayer::new(SessionGuard::new(edge)).layer(Next).call(request).await,
        Err(problem) => Ok(problem.into_response()),
    }
}
