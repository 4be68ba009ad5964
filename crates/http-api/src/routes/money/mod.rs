//! What a space used and what that costs.

mod charges;
mod invoices;
mod line;
mod usage;

use std::sync::Arc;

use axum::{Router, routing::get};
use records::{Database, Records, SpaceRecord};

use crate::{Edge, Platform, caller::Caller, error::ApiError};

/// What anybody who may see a space may know of its money.
pub(super) fn routes<P: Platform>() -> Router<Arc<Edge<P>>> {
    Router::new()
        .route("/v1/spaces/{id}/usage", get(usage::list))
        .route("/v1/spaces/{id}/charges", get(charges::show))
        .route("/v1/spaces/{id}/invoices", get(invoices::list))
        .route("/v1/spaces/{id}/invoices/{month}", get(invoices::show))
}

/// The space that a member asks about.
async fn space_of<P: Platform, D: Database>(
    edge: &Edge<P>,
    records: &Records<D>,
    caller: &Caller,
    id: &str,
) -> Result<SpaceRecord, ApiError> {
    let space = records.space_of(&caller.wallet, id, edge.platform.now()).await?;
    space.ok_or(ApiError::SpaceNotFound)
}
