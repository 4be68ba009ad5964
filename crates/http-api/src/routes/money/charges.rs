//! `GET /v1/spaces/{id}/charges`: what the running month comes to so far.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use billing::Month;
use domain::{Money, Timestamp};
use serde::Serialize;

use super::{line::LineView, space_of};
use crate::{Edge, Platform, caller::Reader, error::ApiError};

#[derive(Serialize)]
pub(super) struct ChargesView {
    month: String,
    lines: Vec<LineView>,
    /// What the lines add up to.
    total: Money,
    /// What was used, in this month and before, and the balance does not cover.
    owed: Money,
    /// Whether it costs nothing: it is the operator's.
    is_free: bool,
    /// Until when the base is counted. Posts and storage are counted until the worker last told.
    as_of: Timestamp,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Json<ChargesView>, ApiError> {
    let records = edge.records().await?;
    let space = space_of(&edge, &records, &caller, &id).await?;
    let month = Month::of(edge.platform.now());
    let lines = records.lines(&space.id, month).await?;
    let amounts = lines.iter().map(|it| it.amount);
    Ok(Json(ChargesView {
        month: month.to_string(),
        total: sum(amounts),
        lines: lines.iter().map(LineView::from).collect(),
        owed: space.owed(),
        is_free: space.standing.is_free,
        as_of: space.standing.accrued_at,
    }))
}

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    amounts.fold(Money::ZERO, |sum, it| sum.checked_add(it).unwrap_or(Money::MAX))
}
