//! What things cost, what was paid and what is left of it, as a Spin component. Wires the routes to
//! Spin and does nothing else.

use http_api::routes;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_ports::serve(request, async || Ok(routes::billing(&spin_ports::edge().await?))).await
}
