//! `GET /v1/spaces/{id}/usage`: what a space used, in windows.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use billing::{KIB_OF_GIB, Month};
use domain::Timestamp;
use records::{UsageRecord, UsageWindow};
use serde::{Deserialize, Serialize};

use super::{line::decimal, space_of};
use crate::{
    Edge, Platform,
    caller::Reader,
    error::ApiError,
    page::{PageView, QueryOf},
};

/// Most windows of one answer: a month of hours, and a little.
const WINDOWS_MAX: i64 = 800;

#[derive(Deserialize)]
pub(super) struct UsageQuery {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    window: Option<WindowName>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WindowName {
    Hour,
    Day,
    Month,
}

/// A window as clients see it. Decimals are cut off after the places they have.
#[derive(Serialize)]
pub(super) struct UsageView {
    from: Timestamp,
    to: Timestamp,
    /// For how much of the window the worker told.
    measured_seconds: u64,
    running_seconds: u64,
    hibernated_seconds: u64,
    cpu_seconds: String,
    memory_gib_hours: String,
    storage_gib_avg: String,
    network_rx_bytes: u64,
    network_tx_bytes: u64,
    disk_read_bytes: u64,
    disk_write_bytes: u64,
    posts: u64,
}

impl From<UsageRecord> for UsageView {
    fn from(it: UsageRecord) -> Self {
        Self {
            from: it.from,
            to: it.to,
            measured_seconds: it.seconds,
            running_seconds: it.running_seconds,
            hibernated_seconds: it.hibernated_seconds,
            cpu_seconds: decimal(it.cpu_ms.into(), 1000, 3),
            memory_gib_hours: decimal(it.memory_mib_seconds.into(), 1024 * 3600, 6),
            storage_gib_avg: decimal(
                it.storage_kib_s.into(),
                u128::from(it.seconds.max(1)) * u128::from(KIB_OF_GIB),
                6,
            ),
            network_rx_bytes: it.network_rx_bytes,
            network_tx_bytes: it.network_tx_bytes,
            disk_read_bytes: it.disk_read_bytes,
            disk_write_bytes: it.disk_write_bytes,
            posts: it.posts,
        }
    }
}

/// Windows of which nothing is known are left out.
pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<UsageQuery>,
) -> Result<Json<PageView<UsageView>>, ApiError> {
    let records = edge.records().await?;
    let space = space_of(&edge, &records, &caller, &id).await?;
    let (from_s, to_s, window) = range(&query, Month::of(edge.platform.now()))?;
    let usage = records.usage(&space.id, from_s, to_s, window).await?;
    Ok(Json(PageView::whole(usage.into_iter().map(UsageView::from).collect())))
}

/// Whole windows around what was asked for; this month if nothing was.
fn range(query: &UsageQuery, month: Month) -> Result<(i64, i64, UsageWindow), ApiError> {
    let (window, len_s) = match query.window.unwrap_or(WindowName::Day) {
        WindowName::Hour => (UsageWindow::Hour, 3600),
        WindowName::Day => (UsageWindow::Day, 86_400),
        WindowName::Month => (UsageWindow::Month, 28 * 86_400),
    };
    let from_s = query.from.map_or(month.start_s(), |it| window.around(it.unix_s()).0);
    let to_s = query.to.map_or(month.end_s(), |it| window.around(it.unix_s() - 1).1);
    if to_s <= from_s {
        return Err(ApiError::InvalidQuery("from is before to".to_owned()));
    }
    if WINDOWS_MAX < (to_s - from_s) / len_s {
        return Err(ApiError::InvalidQuery(format!("at most {WINDOWS_MAX} windows at once")));
    }
    Ok((from_s, to_s, window))
}
