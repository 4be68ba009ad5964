//! `/v1/spaces` and the catalogue, as a Spin component. Wires the routes to Spin and does nothing else.

use http_api::routes;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_ports::serve(request, async || Ok(routes::spaces(&spin_ports::edge().await?))).await
}
