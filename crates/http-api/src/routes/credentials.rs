//! `GET /v1/spaces/{id}/credentials`: shows the way to the first admin's user name and password.
//!
//! They are the tenant's, so the edge never has them: it answers with a ticket for the gateway of the
//! space's host, which hands them out once.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::Phase;
use fleet::{Ticket, TicketKind};
use http::{HeaderValue, header};

use crate::{Edge, Platform, caller::Writer, error::ApiError};

/// How long a ticket can be used.
const TICKET_LIFETIME: Duration = Duration::from_mins(1);

/// Who has the password can change everything in the space, so reading is not enough for it.
pub(super) async fn redirect<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (wallet, now) = (&caller.wallet, edge.platform.now());
    let records = edge.records().await?;
    let space = records.space_of(wallet, &id, now).await?.ok_or(ApiError::SpaceNotFound)?;
    if !space.is_owned_by(wallet) {
        return Err(ApiError::OwnerOnly);
    }
    let gateway = match (&space.gateway_url, space.phase) {
        (_, Phase::Deleting | Phase::Deleted) | (None, _) => return Err(ApiError::SpaceNotFound),
        (Some(gateway), _) => gateway.trim_end_matches('/'),
    };
    records.note_credentials_read(&space.id, &wallet.to_string(), now).await?;
    let ticket = Ticket {
        space: space.id,
        kind: TicketKind::Credentials,
        service: None,
        tail: 0,
        follow: false,
        until: now.plus(TICKET_LIFETIME),
    };
    let ticket = ticket.sign(&edge.config.keys.ticket_key(&space.host));
    let location = format!("{gateway}/_spaceport/v1/credentials?ticket={ticket}");
    let mut response = Redirect::temporary(&location).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
