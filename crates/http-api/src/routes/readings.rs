//! `POST /fleet/v1/readings` and `PUT /fleet/v1/inventory`: what workers measured, and what they have.

use std::sync::Arc;

use axum::{Json, extract::State};
use fleet::{Inventory, Readings, ReadingsAnswer};
use http::StatusCode;

use crate::{Edge, Platform, body::JsonBody, caller::HostCaller, error::ApiError};

/// Most readings of one request.
const READINGS_MAX: usize = 200;

/// Most spaces of one part of an inventory.
const ITEMS_MAX: usize = 300;

/// A reading that was taken before is taken again, and counts once.
pub(super) async fn take<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: HostCaller,
    body: JsonBody<Readings>,
) -> Result<Json<ReadingsAnswer>, ApiError> {
    let items = body.value.items;
    at_most(READINGS_MAX, items.len(), "readings")?;
    let (records, now) = (edge.records().await?, edge.platform.now());
    // Those of a new installation come before the first job does.
    records.note_price(&edge.config.rates_in_force(), now).await?;
    let refused = records.take_readings(&caller.host, &items, now).await?;
    if !refused.is_empty() {
        tracing::warn!(host = caller.host, n_refused = refused.len(), "readings that can't be");
    }
    Ok(Json(ReadingsAnswer { refused }))
}

pub(super) async fn take_inventory<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: HostCaller,
    body: JsonBody<Inventory>,
) -> Result<StatusCode, ApiError> {
    at_most(ITEMS_MAX, body.value.items.len(), "spaces")?;
    let (records, now) = (edge.records().await?, edge.platform.now());
    records.take_inventory(&caller.host, &body.value, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn at_most(max: usize, n: usize, what: &str) -> Result<(), ApiError> {
    if max < n {
        return Err(ApiError::InvalidBody(format!("at most {max} {what} at once")));
    }
    Ok(())
}
