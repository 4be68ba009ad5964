//! `GET /v1/payments/{id}`: what became of a payment.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::PaymentId;

use crate::{Edge, Platform, error::ApiError, money_view::PaymentView};

/// Whoever knows the id has seen the payment, and all of it is on the chain once it is settled.
pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Path(id): Path<String>,
) -> Result<Json<PaymentView>, ApiError> {
    let id = id.parse::<PaymentId>().map_err(|_| ApiError::PaymentNotFound)?;
    let record = edge.records().await?.payment(&id).await?;
    Ok(Json(record.ok_or(ApiError::PaymentNotFound)?.into()))
}
