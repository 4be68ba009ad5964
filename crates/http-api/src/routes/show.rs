//! `GET /v1/spaces` and `GET /v1/spaces/{id}`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::{Phase, SpaceId};
use serde::Deserialize;

use crate::{
    Edge, Platform,
    caller::Reader,
    error::ApiError,
    page::{PageView, QueryOf, limit},
    view::SpaceView,
};

#[derive(Deserialize)]
pub(super) struct ListQuery {
    phase: Option<Phase>,
    limit: Option<u32>,
    after: Option<SpaceId>,
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let now = edge.platform.now();
    let spaces = edge
        .records()
        .await?
        .spaces_of(&caller.wallet, query.phase, query.after, limit + 1, now)
        .await?;
    let page = PageView::of(spaces, limit, |it| it.id.to_string());
    let items = page.items.iter().map(|it| SpaceView::of(it, &edge.config)).collect();
    Ok(Json(PageView { items, next: page.next }).into_response())
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let records = edge.records().await?;
    let space = records.space_of(&caller.wallet, &id, edge.platform.now()).await?;
    let space = space.ok_or(ApiError::SpaceNotFound)?;
    Ok(Json(SpaceView::of(&space, &edge.config)).into_response())
}
