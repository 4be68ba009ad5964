//! `/v1/admin/spaces`, `/v1/admin/events` and draining hosts: what only the operator does.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::{Money, Phase, RequestId, SpaceId, Wallet, ulid};
use http::{HeaderMap, Method, StatusCode, Uri};
use ledger::Account;
use records::{Answer, By, Entry, TopUpError, Wish, WishError};
use serde::{Deserialize, Serialize};

use crate::{
    Edge, Platform,
    body::JsonBody,
    caller::Operator,
    error::ApiError,
    idempotency,
    money_view::EntryView,
    page::{PageView, QueryOf, limit},
    view::{EventView, SpaceView, accepted},
};

/// Longest reason, in characters.
const REASON_LEN_MAX: usize = 500;

/// Who all operators are, in events and to idempotency keys.
const OPERATOR: &str = "operator";

#[derive(Deserialize)]
pub(super) struct SpacesQuery {
    phase: Option<Phase>,
    owner: Option<Wallet>,
    after: Option<SpaceId>,
    limit: Option<u32>,
}

pub(super) async fn spaces<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    QueryOf(query): QueryOf<SpacesQuery>,
) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let records = edge.records().await?;
    let (phase, owner) = (query.phase, query.owner.as_ref());
    let spaces = records.all_spaces(phase, owner, query.after, limit + 1).await?;
    let page = PageView::of(spaces, limit, |it| it.id.to_string());
    let items: Vec<_> = page.items.iter().map(|it| SpaceView::of(it, &edge.config)).collect();
    Ok(Json(PageView { items, next: page.next }).into_response())
}

#[derive(Deserialize)]
pub(super) struct EventsQuery {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// An event of any space.
#[derive(Serialize)]
pub(super) struct AnyEventView {
    space: SpaceId,
    #[serde(flatten)]
    event: EventView,
}

pub(super) async fn events<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    QueryOf(query): QueryOf<EventsQuery>,
) -> Result<Json<PageView<AnyEventView>>, ApiError> {
    let limit = limit(query.limit)?;
    let events = edge.records().await?.all_events(query.after, limit + 1).await?;
    let page = PageView::of(events, limit, |it| it.1.seq.to_string());
    let view = |(space, event)| AnyEventView { space, event: EventView::from(event) };
    let items = page.items.into_iter().map(view).collect();
    Ok(Json(PageView { items, next: page.next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    reason: String,
}

pub(super) async fn suspend<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    body: JsonBody<ReasonBody>,
) -> Result<Response, ApiError> {
    want(&edge, &id, Wish::Suspend(reason(&body.value.reason)?), &request_id).await
}

pub(super) async fn resume<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    body: JsonBody<ReasonBody>,
) -> Result<Response, ApiError> {
    want(&edge, &id, Wish::Resume(reason(&body.value.reason)?), &request_id).await
}

pub(super) async fn tear_down<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    body: JsonBody<ReasonBody>,
) -> Result<Response, ApiError> {
    want(&edge, &id, Wish::TearDown(reason(&body.value.reason)?), &request_id).await
}

/// Each of these is as it is wanted when it is wanted again, so that no key is needed.
async fn want<P: Platform>(
    edge: &Edge<P>,
    id: &str,
    wish: Wish,
    request_id: &RequestId,
) -> Result<Response, ApiError> {
    let records = edge.records().await?;
    let space = records.living_space(id).await?.ok_or(ApiError::SpaceNotFound)?;
    let by = By { actor: OPERATOR, request_id: Some(request_id.as_str()) };
    let answer = |it: &_| accepted(it, &edge.config);
    match records.want(&space.id, wish, &by, edge.platform.now(), None, answer).await {
        Ok(answer) => Ok(idempotency::respond(answer)),
        Err(WishError::Database(error)) => Err(error.into()),
        Err(_) => Err(ApiError::SpaceDeleting),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantBody {
    amount: Money,
    reason: String,
}

pub(super) async fn grant<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: JsonBody<GrantBody>,
) -> Result<Response, ApiError> {
    let key = idempotency::key_of(&headers, OPERATOR, &Method::POST, uri.path(), &body.bytes)?;
    let GrantBody { amount, reason: given } = body.value;
    let reason = reason(&given)?;
    if amount.is_zero() {
        return Err(ApiError::InvalidAmount);
    }
    let (records, now) = (edge.records().await?, edge.platform.now());
    let space = records.living_space(&id).await?.ok_or(ApiError::SpaceNotFound)?.id;
    let transfer = format!("grant:{}", ulid(now, edge.platform.random()));
    let account = Account::Space(space.clone());
    let answer = |it: &Entry| Answer {
        status: 201,
        location: None,
        body: serde_json::to_string(&EntryView::of(it.clone(), &account))
            .expect("a view is plain data"),
    };
    let granted = records.grant(&space, amount, &reason, transfer, now, key.as_ref(), answer);
    let answer = granted.await.map_err(|error| match error {
        TopUpError::Gone => ApiError::SpaceNotFound,
        error => error.into(),
    })?;
    records.mind_space(&space, &edge.config.dunning, now).await?;
    Ok(idempotency::respond(answer))
}

pub(super) async fn drain<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Path(name): Path<String>,
    body: JsonBody<ReasonBody>,
) -> Result<StatusCode, ApiError> {
    set_drained(&edge, &name, true, &body.value.reason).await
}

pub(super) async fn undrain<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: Operator,
    Path(name): Path<String>,
    body: JsonBody<ReasonBody>,
) -> Result<StatusCode, ApiError> {
    set_drained(&edge, &name, false, &body.value.reason).await
}

async fn set_drained<P: Platform>(
    edge: &Edge<P>,
    name: &str,
    is_drained: bool,
    given: &str,
) -> Result<StatusCode, ApiError> {
    let (reason, now) = (reason(given)?, edge.platform.now());
    let found = edge.records().await?.drain_host(name, is_drained, &reason, now).await?;
    found.map(|_| StatusCode::NO_CONTENT).ok_or(ApiError::HostNotFound)
}

/// Why, as it is written down.
fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || REASON_LEN_MAX < text.chars().count() {
        return Err(ApiError::InvalidReason("a reason has 1 to 500 characters"));
    }
    if text.contains(char::is_control) {
        return Err(ApiError::InvalidReason("a reason has no control characters"));
    }
    Ok(text.to_owned())
}
