//! The gate, as a Spin middleware. Wires the layer to Spin and does nothing else.

use std::task::{Context, Poll};

use axum::body::Body;
use futures::future::BoxFuture;
use gate::GateLayer;
use http_api::SessionGuard;
use spin_sdk::{
    http::{IntoResponse, Request, Response, next},
    http_service,
    wasip3::http::types::ErrorCode,
};
use tower_layer::Layer as _;
use tower_service::Service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let edge = match spin_ports::edge().await {
        Ok(edge) => edge,
        Err(problem) => return Ok(problem.into_response()),
    };
    GateLayer::new(SessionGuard::new(edge)).layer(Next).call(request).await
}

/// What is behind this middleware.
#[derive(Clone)]
struct Next;

impl Service<Request> for Next {
    type Response = Response<Body>;
    type Error = ErrorCode;
    type Future = BoxFuture<'static, Result<Self::Response, ErrorCode>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ErrorCode>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(async { next(request).await.map(|response| response.map(Body::new)) })
    }
}
