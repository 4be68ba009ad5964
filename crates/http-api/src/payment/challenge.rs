//! From a quote to what a client reads who is to pay.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use x402::{PAYMENT_REQUIRED, Resource, Terms};

use super::quote::Quote;
use crate::{Edge, Platform, config::TillConfig};

/// What is asked for the resource at `url`.
pub(super) fn terms(till: &TillConfig, quote: &Quote, url: String) -> Terms {
    Terms {
        pay_to: till.pay_to.address(),
        networks: till.networks.clone(),
        amount: quote.asked(),
        honoured: quote.honoured.clone(),
        resource: Resource {
            url,
            description: quote.description.clone(),
            mime_type: "application/json".to_owned(),
            service_name: None,
            tags: Vec::new(),
        },
        bazaar: quote.bazaar.clone(),
    }
}

/// The one 402 that both versions understand.
pub(super) fn challenge<P: Platform>(
    edge: &Edge<P>,
    till: &TillConfig,
    terms: &Terms,
    error: Option<&str>,
) -> Response<Body> {
    let challenge = terms.challenge(error, Some(&till.key), edge.platform.now());
    let mut response = Response::new(Body::from(challenge.body));
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    let value = HeaderValue::try_from(challenge.header).expect("base64 is visible ASCII");
    headers.insert(PAYMENT_REQUIRED, value);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What is of the handler's answer and not of ours in its place.
const OF_THE_BODY: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CACHE_CONTROL,
    header::ETAG,
    header::TRANSFER_ENCODING,
];

/// `response` in the place of the handler's, with what that had for every answer: the request's id,
/// who may read it, what is left of limits.
pub(super) fn in_place_of(headers: HeaderMap, mut response: Response<Body>) -> Response<Body> {
    let mut merged = headers;
    for name in OF_THE_BODY {
        merged.remove(name);
    }
    for (name, value) in response.headers() {
        merged.insert(name, value.clone());
    }
    *response.headers_mut() = merged;
    response
}
