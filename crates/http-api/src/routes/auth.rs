//! `/v1/auth`: sign-in with a wallet (EIP-4361).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use credentials::{SESSION_LIFETIME, Session, SignInNonce};
use domain::{Timestamp, Wallet};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use siwe::Expected;
use time::OffsetDateTime;

use crate::{
    Config, Edge, Platform,
    body::JsonBody,
    caller::{Caller, SESSION_COOKIE, revocation_key},
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
    let verified =
        siwe::verify(&message, &signature, &expected(config)?, instant(now)?, nonce_is_ours)?;
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

#[derive(Serialize)]
struct SessionView {
    address: Wallet,
    chain_id: u64,
    roles: [&'static str; 1],
    expires_at: Timestamp,
}

pub(super) async fn session(caller: Caller) -> Response {
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
    caller: Caller,
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
    Ok(Expected { domain: config.site.domain.clone(), origin, chain_ids: Vec::new() })
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
