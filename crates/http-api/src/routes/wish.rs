//! `DELETE /v1/spaces/{id}` and `POST /v1/spaces/{id}/restart`: an owner wants something else.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, Method, Uri};
use records::{SpaceRecord, Wish, WishError};

use crate::{
    Edge, Platform,
    caller::{Caller, Writer},
    error::ApiError,
    idempotency,
    view::accepted,
};

pub(super) async fn delete<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let used = |space: &SpaceRecord| edge.config.used(space, edge.platform.now());
    let wish = |space: &SpaceRecord| Wish::Delete { used: used(space) };
    want(&edge, &caller, &id, wish, (&method, &uri, &headers)).await
}

pub(super) async fn restart<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    want(&edge, &caller, &id, |_| Wish::Restart, (&method, &uri, &headers)).await
}

async fn want<P: Platform>(
    edge: &Edge<P>,
    caller: &Caller,
    id: &str,
    wish: impl Fn(&SpaceRecord) -> Wish,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
) -> Result<Response, ApiError> {
    let wallet = &caller.wallet;
    let now = edge.platform.now();
    let key = idempotency::key(headers, wallet, method, uri.path(), b"")?;
    let records = edge.records().await?;
    let space = records.space_of(wallet, id, now).await?.ok_or(ApiError::SpaceNotFound)?;
    if !space.is_owned_by(wallet) {
        return Err(ApiError::OwnerOnly);
    }
    let actor = wallet.to_string();
    let answer = |it: &_| accepted(it, &edge.config);
    match records.want(&space.id, wish(&space), &actor, now, key.as_ref(), answer).await {
        Ok(answer) => Ok(idempotency::respond(answer)),
        Err(WishError::Illegal(_)) => Err(ApiError::SpaceDeleting),
        Err(WishError::Suspended) => Err(ApiError::Suspended),
        Err(WishError::KeyReused(_)) => Err(ApiError::IdempotencyKeyReused),
        Err(WishError::Database(error)) => Err(error.into()),
    }
}
