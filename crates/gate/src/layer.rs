//! The gate as a [`tower_layer::Layer`].

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use credentials::PASSPORT_HEADER;
use http::{HeaderName, HeaderValue, Request, Response, request::Parts};
use tower_layer::Layer;
use tower_service::Service;

/// The header that tells a handler who is calling: an address. From outside it means nothing.
pub const WALLET_HEADER: HeaderName = HeaderName::from_static("spaceport-wallet");

/// Decides on a request.
pub trait Guard: Clone + Send + Sync + 'static {
    /// Whether the request may go on, and what is told inwards of its caller.
    ///
    /// # Errors
    /// The answer to a request that may not.
    fn admit(
        &self,
        request: &Parts,
    ) -> impl Future<Output = Result<Admission, Response<Bytes>>> + Send;
}

/// How a request goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The guard has nothing to say about it.
    Unguarded,
    /// The caller is known.
    Known {
        /// The caller's address, for handlers that only want to know who passed.
        wallet: Option<HeaderValue>,
        /// All that was established, sealed, for handlers of ours.
        passport: HeaderValue,
    },
}

/// Puts a [`Gate`] in front of a service.
#[derive(Clone, Debug)]
pub struct GateLayer<G> {
    guard: G,
}

impl<G> GateLayer<G> {
    /// A layer of gates that ask `guard`.
    pub const fn new(guard: G) -> Self {
        Self { guard }
    }
}

impl<G: Clone, S> Layer<S> for GateLayer<G> {
    type Service = Gate<G, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Gate { guard: self.guard.clone(), inner }
    }
}

/// A service behind a guard.
#[derive(Clone, Debug)]
pub struct Gate<G, S> {
    guard: G,
    inner: S,
}

impl<G, S, B, R> Service<Request<B>> for Gate<G, S>
where
    G: Guard,
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let guard = self.guard.clone();
        // The clone takes the place of the service that was polled ready.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            // What comes from outside under these names means nothing.
            parts.headers.remove(PASSPORT_HEADER);
            parts.headers.remove(WALLET_HEADER);
            match guard.admit(&parts).await {
                Ok(Admission::Unguarded) => {}
                Ok(Admission::Known { wallet, passport }) => {
                    if let Some(wallet) = wallet {
                        parts.headers.insert(WALLET_HEADER, wallet);
                    }
                    parts.headers.insert(PASSPORT_HEADER, passport);
                }
                Err(refusal) => return Ok(refusal.map(R::from)),
            }
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}
