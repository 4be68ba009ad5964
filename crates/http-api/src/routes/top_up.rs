//! `POST /v1/spaces/{id}/payments`: anybody pays for a space.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Path, State},
    response::{IntoResponse, Response},
};
use credentials::Scope;
use domain::{Money, SpaceId, Timestamp, ulid};
use http::{Method, request::Parts};
use ledger::Account;
use records::{Answer, Database, Entry, Records, TopUpError};
use serde::Deserialize;

use crate::{
    Edge, Platform,
    body::JsonBody,
    caller::{Caller, has_credential},
    error::ApiError,
    idempotency,
    money_view::EntryView,
    payment::{Quote, bazaar, payment_of},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TopUpBody {
    amount: Money,
}

/// Whoever is signed in, or nobody. What is sent to sign in must be good.
pub(super) struct Anybody(Option<Caller>);

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Anybody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        if !has_credential(&parts.headers) {
            return Ok(Self(None));
        }
        let caller = Caller::from_request_parts(parts, edge).await?;
        caller.require(Scope::SpacesWrite).map(Some).map(Self)
    }
}

pub(super) async fn top_up<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Anybody(caller): Anybody,
    Path(id): Path<String>,
    parts: Parts,
    body: JsonBody<TopUpBody>,
) -> Result<Response, ApiError> {
    if edge.config.till.is_none() {
        return Err(ApiError::PaymentsOff);
    }
    let amount = body.value.amount;
    if amount.is_zero() {
        return Err(ApiError::InvalidAmount);
    }
    let (records, now) = (edge.records().await?, edge.platform.now());
    let space = records.living_space(&id).await?.ok_or(ApiError::SpaceNotFound)?.id;
    let (wallet, path) = (caller.map(|it| it.wallet), parts.uri.path());
    let key = match &wallet {
        Some(wallet) => idempotency::key(&parts.headers, wallet, &Method::POST, path, &body.bytes)?,
        None => None,
    };
    let answer = |it: &Entry| created(it);
    if let Some(payment) = payment_of(&edge, &parts) {
        let account = Account::Space(space.clone());
        let paid = records.topped_up(&account, amount, &payment, now, key.as_ref(), answer);
        if let Some(answer) = paid.await? {
            mind(&edge, &records, &space, now).await;
            return Ok(idempotency::respond(answer));
        }
    }
    if let Some(wallet) = wallet {
        let transfer = format!("top-up:{}", ulid(now, edge.platform.random()));
        let moved = records.top_up(&space, wallet, amount, transfer, now, key.as_ref(), answer);
        match moved.await {
            Ok(answer) => {
                mind(&edge, &records, &space, now).await;
                return Ok(idempotency::respond(answer));
            }
            Err(TopUpError::NotEnough) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(quote(space, amount).into_response())
}

/// What was suspended for want of money runs again at once. Where that fails, the job that looks at all
/// spaces does it within a minute.
async fn mind<P: Platform, D: Database>(
    edge: &Edge<P>,
    records: &Records<D>,
    space: &SpaceId,
    now: Timestamp,
) {
    if let Err(error) = records.mind_space(space, &edge.config.dunning, now).await {
        tracing::error!(space.id = %space, "a paid space can't be looked at: {error}");
    }
}

fn quote(space: SpaceId, amount: Money) -> Quote {
    Quote {
        price: amount,
        missing: None,
        honoured: Vec::new(),
        description: format!("Money for the space {space}"),
        bazaar: Some(bazaar::top_up(amount)),
        account: Some(Account::Space(space)),
    }
}

/// The answer to whoever paid.
fn created(entry: &Entry) -> Answer {
    let view = EntryView::of(entry.clone(), &entry.credit);
    Answer {
        status: 201,
        location: None,
        body: serde_json::to_string(&view).expect("a view is plain data"),
    }
}
