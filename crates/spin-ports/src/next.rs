//! What is behind a middleware.

use std::task::{Context, Poll};

use axum::body::Body;
use futures::future::BoxFuture;
use spin_sdk::{
    http::{IntoRequest, Response, next},
    wasip3::http::types::ErrorCode,
};
use tower_service::Service;

/// What is behind this middleware.
#[derive(Clone, Debug)]
pub struct Next;

impl<B: Send + 'static> Service<http::Request<B>> for Next
where
    http::Request<B>: IntoRequest,
{
    type Response = Response<Body>;
    type Error = ErrorCode;
    type Future = BoxFuture<'static, Result<Self::Response, ErrorCode>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ErrorCode>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        Box::pin(async { next(request).await.map(|response| response.map(Body::new)) })
    }
}
