//! Who is calling.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use credentials::{Secret, Session, sha256_hex};
use domain::Wallet;
use http::{HeaderMap, Method, header, request::Parts};

use crate::{config::Config, edge::Edge, error::ApiError, platform::Platform};

/// The cookie that carries a session. The prefix makes browsers keep it to our own host.
pub(crate) const SESSION_COOKIE: &str = "__Host-session";

/// A wallet that signed in.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) session: Session,
    pub(crate) is_admin: bool,
}

/// The operator: by the admin key or by a session of an admin's wallet.
pub(crate) struct Operator;

/// The worker of a host.
pub(crate) struct HostCaller {
    pub(crate) host: String,
}

/// The cron trigger.
pub(crate) struct CronCaller;

impl Caller {
    pub(crate) const fn wallet(&self) -> &Wallet {
        &self.session.wallet
    }
}

/// The wallet that a request comes from.
///
/// # Errors
/// [`ApiError::Unauthenticated`] without a session that holds, [`ApiError::CrossSiteRequest`] if
/// another site's page may have made the browser send it.
pub(crate) async fn authenticate<P: Platform>(
    edge: &Edge<P>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    let token = if let Some(bearer) = bearer(headers)? {
        bearer
    } else if let Some(cookie) = cookie(headers) {
        if !method.is_safe() && !is_from_our_pages(&edge.config, headers) {
            return Err(ApiError::CrossSiteRequest);
        }
        cookie
    } else {
        return Err(ApiError::Unauthenticated("the request has no session"));
    };
    let session = Session::from_token(&edge.config.keys, token, edge.platform.now())
        .map_err(|_| ApiError::Unauthenticated("the session is not valid or has expired"))?;
    if edge.platform.is_marked(&revocation_key(&session)).await? {
        return Err(ApiError::Unauthenticated("the session was ended"));
    }
    let is_admin = edge.config.admins.contains(&session.wallet);
    Ok(Caller { session, is_admin })
}

/// The key under which the end of a session is kept; it says itself until when it matters.
pub(crate) fn revocation_key(session: &Session) -> String {
    format!("revoked.{}.{}", session.expires_at.unix_s(), session.id)
}

/// The bearer token of a request, if it has one.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(ApiError::Unauthenticated("the header Authorization has no bearer token")),
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    cookies
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='))
        .find_map(|(name, value)| (name == SESSION_COOKIE).then_some(value))
}

fn is_from_our_pages(config: &Config, headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|it| it.as_bytes() == config.site.origin.as_bytes())
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        authenticate(edge, &parts.method, &parts.headers).await
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        let admin_key = edge.config.admin_key_sha256.as_deref();
        if let (Some(bearer), Some(hash)) = (bearer(&parts.headers)?, admin_key)
            && Secret::matches(bearer, hash)
        {
            return Ok(Self);
        }
        let caller = authenticate(edge, &parts.method, &parts.headers).await?;
        if caller.is_admin { Ok(Self) } else { Err(ApiError::Forbidden) }
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for HostCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        let key = bearer(&parts.headers)?
            .ok_or(ApiError::Unauthenticated("the request has no host key"))?;
        let records = edge.records().await?;
        let host = records.host_of_key(&sha256_hex(key)).await?;
        host.map(|host| Self { host }).ok_or(ApiError::Unauthenticated("no host has this key"))
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for CronCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        let key = bearer(&parts.headers)?;
        match (key, edge.config.cron_key.as_deref()) {
            (Some(key), Some(expected)) if Secret::matches(key, &sha256_hex(expected)) => Ok(Self),
            _ => Err(ApiError::Unauthenticated("the request has no cron key")),
        }
    }
}
