//! The till as a [`tower_layer::Layer`].
//!
//! A request that costs something goes in twice. The first time the handler looks at everything
//! that could be wrong with it and answers with a [`Quote`], so nobody pays for a request that would
//! fail anyway. Then the payment is taken, and the second time the handler does the work.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use tower::{Service, ServiceExt as _};
use tower_layer::Layer;
use x402::Payment;

use super::{
    challenge::{challenge, terms},
    in_place::in_place_of,
    quote::{Opened, opened},
    receipt,
    visit::Visit,
};
use crate::{Edge, Platform, body::collect};

/// Puts a till in front of a service.
pub struct TillLayer<P>(Arc<Edge<P>>);

impl<P: Platform> TillLayer<P> {
    /// A layer of tills over `edge`.
    pub const fn new(edge: Arc<Edge<P>>) -> Self {
        Self(edge)
    }
}

impl<P, S> Layer<S> for TillLayer<P> {
    type Service = Till<P, S>;

    fn layer(&self, inner: S) -> Till<P, S> {
        Till { edge: Arc::clone(&self.0), inner }
    }
}

/// A service behind a till.
pub struct Till<P, S> {
    edge: Arc<Edge<P>>,
    inner: S,
}

impl<P, S: Clone> Clone for Till<P, S> {
    fn clone(&self) -> Self {
        Self { edge: Arc::clone(&self.edge), inner: self.inner.clone() }
    }
}

impl<P: Platform, S> Service<Request<Body>> for Till<P, S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
    S::Error: Send,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone takes the place of the service that was polled ready.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        Box::pin(serve(Arc::clone(&self.edge), inner, request))
    }
}

async fn serve<P, S>(
    edge: Arc<Edge<P>>,
    inner: S,
    mut request: Request<Body>,
) -> Result<Response<Body>, S::Error>
where
    P: Platform,
    S: Service<Request<Body>, Response = Response<Body>> + Clone,
{
    // What comes from outside under these names means nothing.
    receipt::strip(request.headers_mut());
    let Some(till) = &edge.config.till else { return inner.oneshot(request).await };
    let Some(decoded) = Payment::from_headers(request.headers()) else {
        let url = edge.config.site.url_of(request.uri());
        return Ok(match opened(inner.oneshot(request).await?).await {
            Opened::Other(response) => response,
            Opened::Quote(quote, headers) => {
                let terms = terms(till, &quote, url);
                in_place_of(headers, challenge(&edge, till, &terms, None))
            }
        });
    };
    let (parts, body) = request.into_parts();
    match collect(body).await {
        Ok(body) => Visit { edge: &edge, till, inner, parts, body, decoded }.serve().await,
        Err(error) => Ok(edge.refuse(&parts, error).await.map(Body::from)),
    }
}
