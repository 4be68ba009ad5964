//! `GET /_spaceport/v1/logs?ticket=…`, on any host: the logs of the space that the ticket is for.

use fleet::{Ticket, TicketError, TicketKind};
use futures::TryStreamExt as _;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use problem::Problem;

use super::{Body, GatewayOptions, Response, notice::whole};

/// Everything below it is the gateway's own, on every host.
pub(super) const OWN_PREFIX: &str = "/_spaceport/";

/// Answers a request for a path below [`OWN_PREFIX`].
pub(super) fn answer<B>(request: &Request<B>, options: &GatewayOptions) -> Response {
    let mut response = match stream(request, options) {
        Ok(response) => response,
        Err(problem) => problem.into_response().map(whole),
    };
    // A page of the edge reads it with the ticket it was given. There is nothing here that a browser
    // would add of its own, so that any page may.
    let allow_any = (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.headers_mut().extend([allow_any]);
    response
}

fn stream<B>(request: &Request<B>, options: &GatewayOptions) -> Result<Response, Problem> {
    if request.uri().path() != "/_spaceport/v1/logs" {
        let detail = "The gateway has nothing at this path.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail));
    }
    if request.method() != Method::GET {
        let (code, title) = ("method-not-allowed", "Method not allowed");
        let detail = "Logs can be read with GET only.";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, code, title, detail);
        return Err(problem.with_header(header::ALLOW, HeaderValue::from_static("GET")));
    }
    let key = *options.ticket_key.borrow();
    let ticket = Ticket::verify(ticket_text(request), &key, (options.now)());
    let Ticket { space, kind: TicketKind::Logs, service, tail, follow, .. } =
        ticket.map_err(refused)?;

    let logs = options.logs.logs(&space, service.as_deref(), tail, follow);
    let logs = logs.map_ok(Frame::data).map_err(move |error| {
        tracing::warn!(space.id = %space, %error, "logs break off");
        error.into()
    });
    let mut response = http::Response::new(Body::new(StreamBody::new(logs)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The ticket in the query. Its alphabet needs no escaping, so one that is escaped is none of ours.
fn ticket_text<B>(request: &Request<B>) -> &str {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').find_map(|it| it.strip_prefix("ticket=")).unwrap_or_default()
}

fn refused(error: TicketError) -> Problem {
    let code = match error {
        TicketError::Foreign => "bad-ticket",
        TicketError::Expired => "ticket-expired",
    };
    let detail = "Ask the edge for the logs again, and follow its answer at once.";
    Problem::new(StatusCode::FORBIDDEN, code, "Ticket not accepted", detail)
}
