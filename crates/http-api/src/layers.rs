//! What holds for every route: request ids, cross-origin rules, problems for what is not there.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use domain::RequestId;
use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    Platform, Site,
    error::{ApiError, Cause},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// `routes` with the answers to what is not there.
pub(crate) fn closed<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
}

/// `routes` with what every answer has: the request's id, and who may read it.
pub(crate) fn around<S: Clone + Send + Sync + 'static, P: Platform>(
    routes: Router<S>,
    site: &Site,
    platform: &Arc<P>,
) -> Router<S> {
    routes
        .layer(cors(site))
        .layer(middleware::from_fn_with_state(Arc::clone(platform), with_request_id))
}

/// Gives the response the request's id, or a new one where the client sent none that is sane.
async fn with_request_id<P: Platform>(
    State(platform): State<Arc<P>>,
    mut request: Request,
    next: Next,
) -> Response {
    let sent = request.headers().get(&REQUEST_ID).and_then(|it| it.to_str().ok());
    let id =
        sent.and_then(|it| it.parse().ok()).unwrap_or_else(|| RequestId::new(platform.random()));
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await.into_response();
    // Logged once, here, where the id is known that the client can tell us.
    if let Some(Cause(chain)) = response.extensions_mut().remove() {
        let (status, id) = (response.status().as_u16(), id.as_str());
        tracing::error!(request.id = id, status, error.chain = chain, "request failed");
    }
    let value = HeaderValue::from_str(id.as_str()).expect("an id is visible ASCII");
    response.headers_mut().insert(REQUEST_ID, value);
    response
}

fn cors(site: &Site) -> CorsLayer {
    let own = HeaderValue::from_str(&site.origin).expect("an origin is visible ASCII");
    let origins = site.cors_origins.iter().cloned().chain([own]);
    let names = |names: &[&'static str]| -> Vec<HeaderName> {
        names.iter().copied().map(HeaderName::from_static).collect()
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(names(&[
            "payment-signature",
            "x-payment",
            "authorization",
            "content-type",
            "idempotency-key",
            "gate-attestation",
            // The official x402 clients send it, for nothing.
            "access-control-expose-headers",
        ]))
        .expose_headers(names(&[
            "payment-required",
            "payment-response",
            "x-payment-response",
            "location",
            "retry-after",
            "x-request-id",
            "ratelimit",
            "ratelimit-policy",
        ]))
        .max_age(Duration::from_hours(1))
        .vary([header::ORIGIN])
}
