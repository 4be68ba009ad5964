//! What a request carries inwards of its payment, and what its answer carries outwards.

use axum::body::Body;
use credentials::{Passport, RECEIPT_HEADER};
use domain::{Money, PaymentId, Wallet};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header, request::Parts};
use http_body_util::{BodyExt as _, Limited};
use k256::ecdsa::SigningKey;
use records::{NewPayment, PaymentRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x402::{Network, Payment, PaymentState, Receipt, Settled, Version, refused_header};

use crate::{Edge, Platform};

/// The header that tells a handler what was paid: JSON. From outside it means nothing.
const PAYMENT_HEADER: HeaderName = HeaderName::from_static("spaceport-payment");

/// Largest problem that is told where the money is, in bytes. Ours are far smaller.
const PROBLEM_BYTES_MAX: usize = 64 * 1024;

/// What a receipt says of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    /// With what it is paid.
    payment: PaymentId,
    time: Time,
}

/// The how manieth time a request goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Time {
    /// The first: it comes from outside, with a payment that was settled before.
    First,
    /// The second: it was counted when it came.
    Second,
}

/// What handlers are told that open no receipts.
#[derive(Serialize)]
struct PaidView<'a> {
    id: PaymentId,
    version: u8,
    network: String,
    asset: Wallet,
    payer: Wallet,
    amount: Money,
    transaction: Option<&'a str>,
}

/// Takes away what only this middleware may say.
pub(super) fn strip(headers: &mut HeaderMap) {
    headers.remove(RECEIPT_HEADER);
    headers.remove(PAYMENT_HEADER);
}

/// Says inwards that the request is paid with `record`.
pub(super) fn put<P: Platform>(
    edge: &Edge<P>,
    parts: &mut Parts,
    record: &PaymentRecord,
    time: Time,
) {
    let NewPayment { id, version, chain_id, asset, payer, amount, .. } = record.payment;
    let (path, now) = (parts.uri.path(), edge.platform.now());
    let stamp = Some(Stamp { payment: id, time });
    let receipt = Passport::issue(payer, stamp, &parts.method, path, now);
    let network = format!("eip155:{chain_id}");
    let transaction = record.transaction.as_deref();
    let view = PaidView { id, version, network, asset, payer, amount, transaction };
    let view = serde_json::to_string(&view).expect("a view is plain data");
    let value = |text: String| HeaderValue::try_from(text).expect("the text is visible ASCII");
    parts.headers.insert(RECEIPT_HEADER, value(receipt.to_token(&edge.config.keys)));
    parts.headers.insert(PAYMENT_HEADER, value(view));
}

/// The payment that a request was let in with, by the till's own word.
pub(crate) fn payment_of<P: Platform>(edge: &Edge<P>, request: &Parts) -> Option<PaymentId> {
    stamp_of(edge, request).map(|it| it.payment)
}

/// Whether a request goes in again because it is paid now, so that it was counted already.
pub(crate) fn goes_in_again<P: Platform>(edge: &Edge<P>, request: &Parts) -> bool {
    stamp_of(edge, request).is_some_and(|it| it.time == Time::Second)
}

fn stamp_of<P: Platform>(edge: &Edge<P>, request: &Parts) -> Option<Stamp> {
    let token = request.headers.get(RECEIPT_HEADER)?.to_str().ok()?;
    let (keys, now) = (&edge.config.keys, edge.platform.now());
    let (method, path) = (&request.method, request.uri.path());
    let receipt = Passport::<Stamp>::from_token(keys, token, method, path, now).ok()?;
    receipt.stamp
}

/// Says outwards that the payment was settled, with a signed receipt.
pub(super) fn put_settled<P: Platform>(
    edge: &Edge<P>,
    key: &SigningKey,
    headers: &mut HeaderMap,
    version: Version,
    record: &PaymentRecord,
    url: &str,
) {
    let network = Network::of_chain(record.payment.chain_id);
    let (Some(network), Some(transaction)) = (network, record.transaction.as_deref()) else {
        return;
    };
    let settled = Settled { version, network, payer: record.payment.payer.address(), transaction };
    let receipt = Receipt::sign(&settled, url, key, edge.platform.now());
    put_outwards(headers, version, settled.to_header(Some(&receipt)));
}

/// Says outwards that the payment was not taken.
pub(super) fn put_refusal(
    headers: &mut HeaderMap,
    version: Version,
    payment: &Payment,
    reason: &str,
) {
    let value = refused_header(version, payment.network(), payment.payer(), reason);
    put_outwards(headers, version, value);
}

fn put_outwards(headers: &mut HeaderMap, version: Version, value: String) {
    let value = HeaderValue::try_from(value).expect("base64 is visible ASCII");
    headers.insert(version.response_header(), value);
    // Shared caches must not give what one has paid for to others.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
}

/// Adds to a problem what became of the payment that came with the request: it is not lost.
pub(super) async fn say_what_became_of_it(
    record: &PaymentRecord,
    response: Response<Body>,
) -> Response<Body> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_problem = content_type.is_some_and(|it| it.as_bytes() == b"application/problem+json");
    if !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = Limited::new(body, PROBLEM_BYTES_MAX).collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    let Ok(Value::Object(mut problem)) = serde_json::from_slice(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    let payment = &record.payment;
    if let Some(Value::String(detail)) = problem.get_mut("detail") {
        let (amount, account) = (payment.amount, &payment.account);
        *detail = match record.state {
            PaymentState::Settled => format!("{detail}; {amount} USD were credited to {account}"),
            _ => format!("{detail}; it is not known yet what became of the payment"),
        };
    }
    let paid = json!({ "id": payment.id, "state": record.state_name(), "amount": payment.amount,
        "account": payment.account, "transaction": record.transaction });
    problem.insert("payment".to_owned(), paid);
    let body = Value::Object(problem).to_string();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(parts, Body::from(body))
}
