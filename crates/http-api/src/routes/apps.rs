//! `GET /v1/apps`: what can be had.

use std::sync::Arc;

use axum::{Json, extract::State};
use fleet::AppOffer;
use serde::Serialize;

use crate::{Edge, Platform, error::ApiError, page::PageView};

#[derive(Serialize)]
pub(super) struct AppView {
    id: String,
    title: String,
    description: String,
    resources: ResourcesView,
    settings_schema: serde_json::Value,
}

#[derive(Serialize)]
struct ResourcesView {
    memory_mib: u32,
    cpus: f64,
    disk_mib: u32,
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
) -> Result<Json<PageView<AppView>>, ApiError> {
    let apps = edge.records().await?.apps().await?;
    Ok(Json(PageView::whole(apps.into_iter().map(AppView::from).collect())))
}

impl From<AppOffer> for AppView {
    fn from(offer: AppOffer) -> Self {
        Self {
            id: offer.id,
            title: offer.title,
            description: offer.description,
            resources: ResourcesView {
                memory_mib: offer.memory_mib,
                cpus: f64::from(offer.cpus_milli) / 1000.0,
                disk_mib: offer.disk_mib,
            },
            settings_schema: offer.settings_schema,
        }
    }
}
