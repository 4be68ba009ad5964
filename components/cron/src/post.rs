//! One authenticated POST without a body, over WASI 0.2 HTTP.

use wasi::http::{
    outgoing_handler,
    types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, Scheme},
};

/// Why a POST was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// The origin is not one.
    #[error("public_url is not an http origin")]
    BadOrigin,
    /// The key can't be sent in a header.
    #[error("cron_key is not visible ASCII")]
    BadKey,
    /// The edge was not reached.
    #[error("not sent: {0}")]
    NotSent(ErrorCode),
    /// The edge did not do it.
    #[error("answered {0}")]
    Refused(u16),
}

/// Posts to `path` at `origin` and waits for the answer.
///
/// # Errors
/// [`PostError`] unless the answer says that it was done.
pub(crate) fn post(origin: &str, path: &str, key: &str) -> Result<(), PostError> {
    let (scheme, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (Scheme::Http, authority),
        Some(("https", authority)) => (Scheme::Https, authority),
        _ => return Err(PostError::BadOrigin),
    };
    let headers = Fields::new();
    let authorization = format!("Bearer {key}").into_bytes();
    headers.append("authorization", &authorization).map_err(|_| PostError::BadKey)?;
    let request = OutgoingRequest::new(headers);
    request.set_method(&Method::Post).expect("POST is a method");
    request.set_path_with_query(Some(path)).expect("the path is one of ours");
    request.set_scheme(Some(&scheme)).expect("http and https are schemes");
    request
        .set_authority(Some(authority.trim_end_matches('/')))
        .map_err(|()| PostError::BadOrigin)?;
    let body = request.body().expect("the body is taken once");
    OutgoingBody::finish(body, None).map_err(PostError::NotSent)?;

    let answer = outgoing_handler::handle(request, None).map_err(PostError::NotSent)?;
    answer.subscribe().block();
    let response = answer
        .get()
        .expect("it was waited for")
        .expect("it is taken once")
        .map_err(PostError::NotSent)?;
    match response.status() {
        200..=299 => Ok(()),
        status => Err(PostError::Refused(status)),
    }
}
