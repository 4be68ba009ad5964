//! `/v1/auth`: sign-in with a wallet (EIP-4361).

use std::sync::Arc;

use alloy_primitives::hex;
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use credentials::{SESSION_LIFETIME, Session, SignInNonce};
use domain::{Timestamp, Wallet};
use evm::is_signed_by_contract;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use siwe::{Checked, Expected, Verified, VerifyError};
use time::OffsetDateTime;

use crate::{
    Config, Edge, Platform,
    body::JsonBody,
    caller::{SESSION_COOKIE, SignedIn, revocation_key},
    error::ApiError,
};

#[derive(Serialize)]
pub(super) struct NonceView {
    nonce: String,
    expires_at: Timestamp,
}

pub(super) async fn nonce<P: Platform>(State(edge): State<Arc<Edge<P>>>) -> Response {
    let nonce = SignInNonce::new(&edge.config.keys, edge.platform.now(), edge.platform.random());
    let view = NonceView { nonce: nonce.as_str().to_owned(), expires_at: nonce.expires_at() };
    no_store(Json(view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyBody {
    message: String,
    signature: String,
}

#[derive(Serialize)]
struct VerifiedView {
    token: String,
    address: Wallet,
    chain_id: u64,
    expires_at: Timestamp,
}

pub(super) async fn verify<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    body: JsonBody<VerifyBody>,
) -> Result<Response, ApiError> {
    let (config, platform) = (&edge.config, &edge.platform);
    let VerifyBody { message, signature } = body.value;
    let now = platform.now();
    let nonce_is_ours = |text: &str| SignInNonce::parse(&config.keys, text, now).is_ok();
    let checked = siwe::check(&message, &expected(config)?, instant(now)?, nonce_is_ours)?;
    let verified = proven(&edge, checked, &signature).await?;
    let fields = verified.message().fields();
    // Last, so that only a message that passed every other check uses its nonce up.
    if !platform.claim(&nonce_key(&fields.nonce)).await? {
        return Err(ApiError::NonceUsed);
    }
    let session =
        Session::begin(verified.address().into(), fields.chain_id, now, platform.random());
    let token = session.to_token(&config.keys);
    let cookie = cookie(&token, SESSION_LIFETIME.as_secs());
    let view = VerifiedView {
        token,
        address: session.wallet,
        chain_id: session.chain_id,
        expires_at: session.expires_at,
    };
    Ok(no_store(([(header::SET_COOKIE, cookie)], Json(view))))
}

/// The message, if its address signed it: with its key, or, on the one chain where contracts are
/// asked, as a contract wallet does. On another chain somebody else may have the same address.
async fn proven<P: Platform>(
    edge: &Edge<P>,
    checked: Checked,
    signature: &str,
) -> Result<Verified, ApiError> {
    let refusal = match checked.signed_by_key(signature) {
        Ok(verified) => return Ok(verified),
        Err(refusal) => VerifyError::from(refusal),
    };
    let fields = checked.message().fields();
    let bytes = signature.strip_prefix("0x").and_then(|it| hex::decode(it).ok());
    let Some(bytes) = bytes else { return Err(refusal.into()) };
    if edge.config.contract_wallet_chain != Some(fields.chain_id) {
        return Err(refusal.into());
    }
    let (chain_id, wallet, hash) = (fields.chain_id, fields.address, *checked.hash());
    let (network, endpoints) = (&*edge.platform, &edge.config.endpoints);
    match is_signed_by_contract(network, endpoints, chain_id, wallet, hash, &bytes).await {
        Ok(true) => Ok(checked.signed_by_contract()),
        Ok(false) => Err(refusal.into()),
        Err(error) => Err(ApiError::ChainUnavailable(Arc::new(error))),
    }
}

#[derive(Serialize)]
struct SessionView {
    address: Wallet,
    chain_id: u64,
    roles: [&'static str; 1],
    expires_at: Timestamp,
}

pub(super) async fn session(caller: SignedIn) -> Response {
    let view = SessionView {
        address: caller.session.wallet,
        chain_id: caller.session.chain_id,
        roles: [if caller.is_admin { "admin" } else { "tenant" }],
        expires_at: caller.session.expires_at,
    };
    no_store(Json(view))
}

pub(super) async fn logout<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: SignedIn,
) -> Result<Response, ApiError> {
    edge.platform.mark(&revocation_key(&caller.session)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0))]).into_response())
}

/// The key under which the use of a nonce is kept. A nonce says itself when it was made.
fn nonce_key(nonce: &str) -> String {
    format!("nonce.{nonce}")
}

fn expected(config: &Config) -> Result<Expected, ApiError> {
    let origin = config.site.origin.parse().map_err(ApiError::internal)?;
    Ok(Expected { domain: config.site.domain.clone(), origin, chain_ids: config.chain_ids.clone() })
}

fn instant(now: Timestamp) -> Result<OffsetDateTime, ApiError> {
    OffsetDateTime::from_unix_timestamp(now.unix_s()).map_err(ApiError::internal)
}

fn cookie(token: &str, max_age_seconds: u64) -> HeaderValue {
    let text = format!(
        "{SESSION_COOKIE}={token}; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age={max_age_seconds}"
    );
    HeaderValue::from_str(&text).expect("a token is visible ASCII")
}

/// A response that no cache may keep.
fn no_store(response: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], response).into_response()
}
