//! `DELETE /v1/spaces/{id}`, `POST /v1/spaces/{id}/restart` and `…/update`: an owner, or the
//! operator, wants something else.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use domain::RequestId;
use http::{HeaderMap, Method, Uri};
use records::{By, Database, IdempotencyKey, Records, SpaceRecord, Wish, WishError};
use settings::Schema;

use crate::{
    Edge, Platform,
    caller::{Caller, Operator, Writer},
    error::ApiError,
    idempotency,
    view::accepted,
};

/// What is asked for, before it is known of what it is asked.
#[derive(Clone, Copy)]
enum Asked {
    Delete,
    Restart,
    Update,
}

pub(super) async fn delete<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    of_owner(&edge, (&caller, &request_id), &id, Asked::Delete, (&method, &uri, &headers)).await
}

pub(super) async fn restart<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    of_owner(&edge, (&caller, &request_id), &id, Asked::Restart, (&method, &uri, &headers)).await
}

/// To the release that the space's host offers now. Nothing changes where that is wanted already.
pub(super) async fn update<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    of_owner(&edge, (&caller, &request_id), &id, Asked::Update, (&method, &uri, &headers)).await
}

/// The same on the operator's word.
pub(super) async fn update_by_operator<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let records = edge.records().await?;
    let space = records.living_space(&id).await?.ok_or(ApiError::SpaceNotFound)?;
    let by = By { actor: "operator", request_id: Some(request_id.as_str()) };
    want(&edge, &records, &space, Asked::Update, &by, None).await
}

async fn of_owner<P: Platform>(
    edge: &Edge<P>,
    (caller, request_id): (&Caller, &RequestId),
    id: &str,
    asked: Asked,
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
    let by = By { actor: &wallet.to_string(), request_id: Some(request_id.as_str()) };
    want(edge, &records, &space, asked, &by, key.as_ref()).await
}

async fn want<P: Platform, D: Database>(
    edge: &Edge<P>,
    records: &Records<D>,
    space: &SpaceRecord,
    asked: Asked,
    by: &By<'_>,
    key: Option<&IdempotencyKey>,
) -> Result<Response, ApiError> {
    let now = edge.platform.now();
    let wish = match asked {
        Asked::Delete => Wish::Delete,
        Asked::Restart => Wish::Restart,
        Asked::Update => update_of(records, space).await?,
    };
    let answer = |it: &_| accepted(it, &edge.config);
    match records.want(&space.id, wish, by, now, key, answer).await {
        Ok(answer) => Ok(idempotency::respond(answer)),
        Err(WishError::Illegal(_)) => Err(ApiError::SpaceDeleting),
        Err(WishError::Suspended) => Err(ApiError::Suspended),
        Err(WishError::OfferChanged | WishError::NoCapacity) => Err(ApiError::NoCapacity),
        Err(WishError::KeyReused(_)) => Err(ApiError::IdempotencyKeyReused),
        Err(WishError::Database(error)) => Err(error.into()),
    }
}

/// The wish for what the host of `space` offers, if the space's settings do for it. Those that it no
/// longer has do not matter.
async fn update_of<D: Database>(
    records: &Records<D>,
    space: &SpaceRecord,
) -> Result<Wish, ApiError> {
    let offer = records.offer(&space.host, &space.app).await?;
    let offer = offer.ok_or_else(|| ApiError::AppNotFound(space.app.clone()))?;
    let schema: Schema = serde_json::from_value(offer.settings_schema.clone())
        .map_err(|_| ApiError::internal("a host offers an app with a schema that is none"))?;
    let mut settings = space.settings.clone();
    if let Some(settings) = settings.as_object_mut() {
        settings.retain(|key, _| schema.settings().contains_key(key));
    }
    schema.validate(&settings)?;
    Ok(Wish::Update(offer))
}
