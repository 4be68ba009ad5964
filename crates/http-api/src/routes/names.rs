//! `GET /v1/names/{name}`: whether a name can be had.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::SpaceName;
use serde::Serialize;

use crate::{Edge, Platform, error::ApiError};

#[derive(Serialize)]
pub(super) struct NameView {
    name: String,
    available: bool,
    reason: Option<&'static str>,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Path(name): Path<String>,
) -> Result<Json<NameView>, ApiError> {
    let reason = match name.parse::<SpaceName>() {
        Err(_) => Some("invalid"),
        Ok(name) if edge.config.reserved_names.contains(&name) => Some("reserved"),
        Ok(name) if edge.records().await?.name_is_taken(&name).await? => Some("taken"),
        Ok(_) => None,
    };
    Ok(Json(NameView { name, available: reason.is_none(), reason }))
}
