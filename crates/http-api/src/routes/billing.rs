//! `POST /internal/cron/billing`: charging, closing months, and minding those whose money runs out.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{Edge, Platform, caller::CronCaller, error::ApiError};

/// How much of each is done by one job. The next one goes on.
const BATCH: u32 = 500;

/// How many of each.
#[derive(Serialize)]
pub(super) struct BilledView {
    charged: usize,
    invoices: usize,
    steps: usize,
}

/// Does what is due. Running it twice, or at once with another, does no harm; after a silence it
/// catches up.
pub(super) async fn run<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _caller: CronCaller,
) -> Result<Json<BilledView>, ApiError> {
    let (records, now) = (edge.records().await?, edge.platform.now());
    records.note_price(&edge.config.rates_in_force(), now).await?;
    let charged = records.accrue_due(now, BATCH).await?;
    let invoices = records.close_months(now, BATCH).await?;
    let steps = records.mind_money(&edge.config.dunning, now).await?;
    Ok(Json(BilledView { charged, invoices, steps }))
}
