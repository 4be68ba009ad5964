//! `GET /readyz`: whether the records can be read, with the schema up to date.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{Edge, Platform, error::ApiError};

pub(super) async fn readyz<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
) -> Result<Json<Value>, ApiError> {
    edge.records().await?.ping().await?;
    Ok(Json(json!({ "status": "ready" })))
}
