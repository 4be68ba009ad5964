//! `GET /_spaceport/v1/logs?ticket=…`: the logs of the space that the ticket is for.

use fleet::Ticket;
use futures::TryStreamExt as _;
use http::{HeaderValue, header};
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::{Body, GatewayOptions, Response};

/// The logs that the ticket is for, as they come.
pub(super) fn stream(ticket: Ticket, options: &GatewayOptions) -> Response {
    let Ticket { space, service, tail, follow, .. } = ticket;
    let logs = options.logs.logs(&space, service.as_deref(), tail, follow);
    let logs = logs.map_ok(Frame::data).map_err(move |error| {
        tracing::warn!(space.id = %space, %error, "logs break off");
        error.into()
    });
    let mut response = http::Response::new(Body::new(StreamBody::new(logs)));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}
