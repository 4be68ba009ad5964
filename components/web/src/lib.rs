//! the page, liveness, and every path that leads nowhere, as a Spin component. Wires the routes to Spin and does nothing else.

use std::sync::Arc;

use http_api::routes;
use spin_ports::Spin;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let make = async || Ok(routes::web(&spin_ports::site().await?, &Arc::new(Spin)));
    spin_ports::serve(request, make).await
}
