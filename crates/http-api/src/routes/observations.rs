//! `POST /fleet/v1/observations`: what the workers tell the edge.

use std::sync::Arc;

use axum::extract::State;
use fleet::Observations;
use http::StatusCode;
use records::Observed;

use crate::{Edge, Platform, body::JsonBody, caller::HostCaller, error::ApiError};

/// Most observations of one request.
const OBSERVATIONS_MAX: usize = 200;

pub(super) async fn take<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: HostCaller,
    body: JsonBody<Observations>,
) -> Result<StatusCode, ApiError> {
    let items = body.value.items;
    if OBSERVATIONS_MAX < items.len() {
        let problem = format!("at most {OBSERVATIONS_MAX} observations at once");
        return Err(ApiError::InvalidBody(problem));
    }
    let records = edge.records().await?;
    let now = edge.platform.now();
    // Each is a transaction of its own: a repetition finds those that were taken known.
    for observation in &items {
        if records.observe(&caller.host, observation, now).await? == Observed::Stale {
            tracing::debug!(
                space.id = observation.space.as_str(),
                space.generation = observation.generation.0,
                "stale observation"
            );
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
