//! `POST /internal/cron/payments` and `POST /webhooks/facilitator`: finding out what became of payments.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use facilitator::{WebhookError, verify_webhook};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use x402::PaymentEvent;

use crate::{Edge, Platform, body::RawBody, caller::CronCaller, error::ApiError, payment::resolve};

/// How many are looked into by one job.
const BATCH: u32 = 50;
/// How many are looked into for one webhook: whoever sends it does not wait for long.
const HINTED_MAX: u32 = 5;

/// How many of each.
#[derive(Serialize)]
pub(super) struct ResolvedView {
    looked_into: usize,
    settled: usize,
    holds_expired: usize,
}

/// Asks the chains about every payment that nobody is about. Doing so twice, or at once with another,
/// does no harm.
pub(super) async fn all<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _caller: CronCaller,
) -> Result<Json<ResolvedView>, ApiError> {
    let now = edge.platform.now();
    let records = edge.records().await?;
    let holds_expired = records.expire_holds(now).await?;
    let waiting = records.payments_to_look_into(now, BATCH).await?;
    drop(records);
    let mut settled = 0;
    for record in &waiting {
        match resolve(&edge, record, PaymentEvent::Resumed { now }, None).await {
            Ok(outcome) => settled += usize::from(outcome.is_some_and(|it| it.is_settled())),
            // One that can't be looked into keeps no others from it.
            Err(error) => {
                let id = record.payment.id.to_string();
                tracing::error!(payment.id = id, "a payment can't be looked into: {error}");
            }
        }
    }
    Ok(Json(ResolvedView { looked_into: waiting.len(), settled, holds_expired }))
}

/// A facilitator says that something happened. That is reason to ask the chain, and no more.
pub(super) async fn hinted<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, ApiError> {
    let nobody = || ApiError::BadWebhook("no secret is known here".to_owned());
    let secrets = edge.config.webhook_secrets.as_ref().ok_or_else(nobody)?;
    let hint = verify_webhook(&headers, &body, secrets, edge.platform.now());
    let hint = hint.map_err(|error| match error {
        WebhookError::NotJson => ApiError::MalformedWebhook(error.to_string()),
        _ => ApiError::BadWebhook(error.to_string()),
    })?;
    let network = hint.network.unwrap_or_default();
    tracing::info!(event = hint.event, network, "a facilitator says that something happened");
    let (payer, nonce) = (hint.payer.map(Into::into), hint.nonce.map(|it| it.to_string()));
    let records = edge.records().await?;
    let in_doubt = records.payments_in_doubt(payer.as_ref(), nonce.as_deref(), HINTED_MAX).await?;
    drop(records);
    for record in &in_doubt {
        resolve(&edge, record, PaymentEvent::Hinted, hint.transaction).await?;
    }
    Ok(StatusCode::ACCEPTED.into_response())
}
