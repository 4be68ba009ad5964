//! Answering in the place of the handler.

use axum::body::Body;
use http::{HeaderMap, HeaderName, Response, header};

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
