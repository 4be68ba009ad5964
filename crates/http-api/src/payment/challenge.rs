//! From a quote to what a client reads who is to pay.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
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
