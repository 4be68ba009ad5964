//! `GET /v1/spaces/{id}/logs`: shows the way to the logs.
//!
//! Logs are the tenant's, so the edge never has them: it answers with a ticket for the gateway of
//! the space's host, which serves them.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::Phase;
use fleet::{Ticket, TicketKind};
use http::{HeaderValue, header};
use serde::Deserialize;

use crate::{Edge, Platform, caller::Reader, error::ApiError, page::QueryOf};

/// How long a ticket can be used.
const TICKET_LIFETIME: Duration = Duration::from_mins(1);
/// Lines of each service if the caller does not say.
const TAIL_DEFAULT: u32 = 100;

#[derive(Deserialize)]
pub(super) struct LogsQuery {
    service: Option<String>,
    tail: Option<u32>,
    #[serde(default)]
    follow: bool,
}

pub(super) async fn redirect<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<LogsQuery>,
) -> Result<Response, ApiError> {
    let tail = query.tail.unwrap_or(TAIL_DEFAULT);
    if Ticket::TAIL_MAX < tail {
        let problem = format!("tail is at most {}", Ticket::TAIL_MAX);
        return Err(ApiError::InvalidQuery(problem));
    }
    let now = edge.platform.now();
    let space = edge.records().await?.space_of(&caller.wallet, &id, now).await?;
    let space = space.ok_or(ApiError::SpaceNotFound)?;
    if !space.is_owned_by(&caller.wallet) {
        return Err(ApiError::OwnerOnly);
    }
    let gateway = match (&space.gateway_url, space.phase) {
        (_, Phase::Deleting | Phase::Deleted) | (None, _) => return Err(ApiError::SpaceNotFound),
        (Some(gateway), _) => gateway.trim_end_matches('/'),
    };
    let ticket = Ticket {
        space: space.id,
        kind: TicketKind::Logs,
        service: query.service,
        tail,
        follow: query.follow,
        until: now.plus(TICKET_LIFETIME),
    };
    let ticket = ticket.sign(&edge.config.keys.ticket_key(&space.host));
    let mut response =
        Redirect::temporary(&format!("{gateway}/_spaceport/v1/logs?ticket={ticket}"))
            .into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
