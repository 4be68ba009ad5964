//! `GET /v1/apps`: what can be had.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::Money;
use fleet::AppOffer;
use serde::Serialize;

use crate::{Edge, Platform, error::ApiError, page::PageView};

#[derive(Serialize)]
pub(super) struct AppView {
    id: String,
    title: String,
    description: String,
    price: PriceView,
    resources: ResourcesView,
    settings_schema: serde_json::Value,
}

/// What a space costs. Nothing, while nobody is paid.
#[derive(Clone, Serialize)]
struct PriceView {
    currency: &'static str,
    base_month: Money,
    /// The rest of this month.
    first_month: Money,
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
    let is_paid = edge.config.till.is_some();
    let now = edge.platform.now();
    let or_nothing = |price: Money| if is_paid { price } else { Money::ZERO };
    let price = PriceView {
        currency: "USD",
        base_month: or_nothing(edge.config.rates.base_month),
        first_month: or_nothing(edge.config.rates.first_month(now).asked),
    };
    let items = apps.into_iter().map(|it| AppView::of(it, price.clone())).collect();
    Ok(Json(PageView::whole(items)))
}

impl AppView {
    fn of(offer: AppOffer, price: PriceView) -> Self {
        Self {
            id: offer.id,
            title: offer.title,
            description: offer.description,
            price,
            resources: ResourcesView {
                memory_mib: offer.memory_mib,
                cpus: f64::from(offer.cpus_milli) / 1000.0,
                disk_mib: offer.disk_mib,
            },
            settings_schema: offer.settings_schema,
        }
    }
}
