//! What the gateway answers itself, on any host: `/_spaceport/v1/…?ticket=…`, to who comes with a
//! ticket of the edge.

use fleet::{Ticket, TicketError, TicketKind};
use http::{HeaderValue, Method, Request, StatusCode, header};
use problem::Problem;

use super::{GatewayOptions, Response, credentials, notice::whole, tenant_logs};

/// Everything below it is the gateway's own, on every host.
pub(super) const PREFIX: &str = "/_spaceport/";

/// Answers a request for a path below [`PREFIX`].
pub(super) async fn answer<B: Sync>(request: &Request<B>, options: &GatewayOptions) -> Response {
    let mut response = match respond(request, options).await {
        Ok(response) => response,
        Err(problem) => problem.into_response().map(whole),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page of the edge reads it with the ticket it was given. There is nothing here that a browser
    // would add of its own, so that any page may.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn respond<B: Sync>(
    request: &Request<B>,
    options: &GatewayOptions,
) -> Result<Response, Problem> {
    let kind = match request.uri().path() {
        "/_spaceport/v1/logs" => TicketKind::Logs,
        "/_spaceport/v1/credentials" => TicketKind::Credentials,
        _ => {
            let detail = "The gateway has nothing at this path.";
            return Err(Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail));
        }
    };
    if request.method() != Method::GET {
        let (code, title) = ("method-not-allowed", "Method not allowed");
        let detail = "This can be read with GET only.";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, code, title, detail);
        return Err(problem.with_header(header::ALLOW, HeaderValue::from_static("GET")));
    }
    let text = ticket_text(request);
    let key = *options.ticket_key.borrow();
    let ticket = Ticket::verify(text, &key, (options.now)());
    // A ticket for something else is as good as none.
    let ticket =
        ticket.and_then(|it| if it.kind == kind { Ok(it) } else { Err(TicketError::Foreign) });
    let ticket = ticket.map_err(refused)?;
    match kind {
        TicketKind::Logs => Ok(tenant_logs::stream(ticket, options)),
        TicketKind::Credentials => credentials::hand_out(&ticket, text, options).await,
    }
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
    let detail = "Ask the edge again, and follow its answer at once.";
    Problem::new(StatusCode::FORBIDDEN, code, "Ticket not accepted", detail)
}
