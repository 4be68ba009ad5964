//! `/fleet/v1/deliveries`: notices, handed out to workers, who deliver them.

use std::sync::Arc;

use axum::{Json, extract::State};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::Timestamp;
use fleet::{Channel, Deliveries, Delivery, DeliveryResults, LeaseDeliveries};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::StatusCode;
use records::{LeasedDelivery, Webhook};
use serde_json::json;
use sha2::Sha256;

use crate::{Config, Edge, Platform, body::JsonBody, caller::HostCaller, error::ApiError, notice};

/// Most results of one request.
const RESULTS_MAX: usize = 20;

pub(super) async fn lease<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: HostCaller,
    body: JsonBody<LeaseDeliveries>,
) -> Result<Json<Deliveries>, ApiError> {
    let now = edge.platform.now();
    let leased = edge.records().await?.lease_deliveries(&body.value.channels, now).await?;
    let items = leased.into_iter().filter_map(|it| delivery(it, &edge.config, now)).collect();
    Ok(Json(Deliveries { items }))
}

pub(super) async fn note<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _: HostCaller,
    body: JsonBody<DeliveryResults>,
) -> Result<StatusCode, ApiError> {
    let items = body.value.items;
    if RESULTS_MAX < items.len() {
        return Err(ApiError::InvalidBody(format!("at most {RESULTS_MAX} results at once")));
    }
    let (records, now) = (edge.records().await?, edge.platform.now());
    for item in &items {
        records.note_delivered(item, now).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What is sent, and where to.
fn delivery(leased: LeasedDelivery, config: &Config, now: Timestamp) -> Option<Delivery> {
    let LeasedDelivery { id, channel, contact, space, name, event } = leased;
    let may_be_loopback = config.site.is_loopback();
    let pay_url = format!("{}/v1/spaces/{space}/payments", config.site.origin);
    let url = config.space_url(&name, None);
    match channel {
        Channel::Webhook => {
            let Webhook { url: target, secret } = contact.webhook?;
            let body = json!({
                "type": format!("space.{}", event.kind),
                "timestamp": event.at,
                "data": {
                    "space": { "id": space, "name": name, "url": url },
                    "event": { "seq": event.seq, "kind": event.kind, "detail": event.detail },
                    "pay_url": pay_url,
                },
            });
            let body = body.to_string();
            let headers = signed(&id, &secret, &body, now)?;
            let subject = String::new();
            Some(Delivery { id, channel, target, subject, body, headers, may_be_loopback })
        }
        Channel::Email => {
            let target = contact.email?;
            let notice::Mail { subject, body } = notice::mail(&name, &event, &pay_url);
            let headers = Vec::new();
            Some(Delivery { id, channel, target, subject, body, headers, may_be_loopback })
        }
    }
}

/// The headers of a message. Source: Standard Webhooks 1.0.0, "Signature scheme".
fn signed(id: &str, secret: &str, body: &str, now: Timestamp) -> Option<Vec<(String, String)>> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let timestamp = now.unix_s().to_string();
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    hmac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(hmac.finalize().into_bytes()));
    let header = |name: &str, value: String| (name.to_owned(), value);
    Some(vec![
        header("content-type", "application/json".to_owned()),
        header("webhook-id", id.to_owned()),
        header("webhook-timestamp", timestamp),
        header("webhook-signature", signature),
    ])
}
