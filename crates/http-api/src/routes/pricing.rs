//! `GET /v1/pricing`: what things cost and how they can be paid.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::{Money, Wallet};
use serde::Serialize;

use crate::{Edge, Platform, TillConfig};

#[derive(Serialize)]
pub(super) struct PricingView {
    currency: &'static str,
    base_month: Money,
    post: Money,
    storage_gib_month: Money,
    storage_free_gib: u32,
    networks: Vec<String>,
    pay_to: Option<Wallet>,
    /// Who signs our offers and receipts.
    signer: Option<Wallet>,
    enabled: bool,
}

pub(super) async fn show<P: Platform>(State(edge): State<Arc<Edge<P>>>) -> Json<PricingView> {
    let (rates, till) = (&edge.config.rates, edge.config.till.as_ref());
    Json(PricingView {
        currency: "USD",
        base_month: rates.base_month,
        post: rates.post,
        storage_gib_month: rates.storage_gib_month,
        storage_free_gib: rates.storage_free_gib,
        networks: till.map(TillConfig::network_ids).unwrap_or_default(),
        pay_to: till.map(|it| it.pay_to),
        signer: till.map(TillConfig::signer),
        enabled: till.is_some(),
    })
}
