//! Who is calling.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use credentials::{ApiKey, Scope, Scopes, Secret, Session, sha256_hex};
use domain::Wallet;
use http::{HeaderMap, Method, header, request::Parts};

use crate::{config::Config, edge::Edge, error::ApiError, platform::Platform};

/// The cookie that carries a session. The prefix makes browsers keep it to our own host.
pub(crate) const SESSION_COOKIE: &str = "__Host-session";

/// How much later a key's use is noted than it happened, at most: a write for each would make
/// reading as dear as writing.
const LAST_USED_STEP_MS: i64 = 60_000;

/// A wallet, and what proves that it is calling.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) wallet: Wallet,
    credential: Credential,
}

#[derive(Clone, Debug)]
enum Credential {
    /// The wallet signed in. Only then it may be the operator's.
    Session { session: Session, is_admin: bool },
    /// The wallet made a key for somebody or something.
    Key(Scopes),
}

impl Caller {
    /// Whether this is the operator, whom no gate and no limit stops.
    pub(crate) const fn is_admin(&self) -> bool {
        matches!(self.credential, Credential::Session { is_admin: true, .. })
    }

    /// # Errors
    /// [`ApiError::InsufficientScope`] for a key that was not made for this.
    pub(crate) fn require(self, scope: Scope) -> Result<Self, ApiError> {
        match &self.credential {
            Credential::Key(scopes) if !scopes.contains(scope) => {
                Err(ApiError::InsufficientScope(scope))
            }
            _ => Ok(self),
        }
    }
}

/// A wallet that may read its spaces and what there is to know for it.
pub(crate) struct Reader(pub(crate) Caller);

/// A wallet that may make and change spaces.
pub(crate) struct Writer(pub(crate) Caller);

/// A wallet that signed in itself.
pub(crate) struct SignedIn {
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

/// The wallet that a request comes from.
///
/// # Errors
/// [`ApiError::Unauthenticated`] without a session or key that holds, [`ApiError::CrossSiteRequest`]
/// if another site's page may have made the browser send it.
pub(crate) async fn authenticate<P: Platform>(
    edge: &Edge<P>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    let token = if let Some(bearer) = bearer(headers)? {
        if ApiKey::is_meant(bearer) {
            return caller_of_key(edge, bearer).await;
        }
        bearer
    } else if let Some(cookie) = cookie(headers) {
        if !method.is_safe() && !is_from_our_pages(&edge.config, headers) {
            return Err(ApiError::CrossSiteRequest);
        }
        cookie
    } else {
        return Err(ApiError::Unauthenticated("the request has no session and no key"));
    };
    let session = Session::from_token(&edge.config.keys, token, edge.platform.now())
        .map_err(|_| ApiError::Unauthenticated("the session is not valid or has expired"))?;
    if edge.platform.exists(&revocation_key(&session)).await? {
        return Err(ApiError::Unauthenticated("the session was ended"));
    }
    let is_admin = edge.config.admins.contains(&session.wallet);
    Ok(Caller { wallet: session.wallet, credential: Credential::Session { session, is_admin } })
}

async fn caller_of_key<P: Platform>(edge: &Edge<P>, text: &str) -> Result<Caller, ApiError> {
    let key = ApiKey::parse(text).map_err(|_| {
        ApiError::Unauthenticated("the key has a typing error: its checksum is wrong")
    })?;
    let records = edge.records().await?;
    let now = edge.platform.now();
    let record = records.key_of_hash(&key.hash(), now).await?;
    let record = record
        .ok_or(ApiError::Unauthenticated("there is no such key, or it was revoked or expired"))?;
    // A key that can't be noted still is one.
    if let Err(error) = records.touch_key(&record, now, LAST_USED_STEP_MS).await {
        tracing::warn!(key.id = record.id.as_str(), error = error.to_string(), "use not noted");
    }
    Ok(Caller { wallet: record.wallet, credential: Credential::Key(record.scopes) })
}

/// Whether a request says who is calling, truly or not.
pub(crate) fn has_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || cookie(headers).is_some()
}

/// Whether a request comes with the operator's own key.
pub(crate) fn has_admin_key(config: &Config, headers: &HeaderMap) -> bool {
    match (bearer(headers), config.admin_key_sha256.as_deref()) {
        (Ok(Some(bearer)), Some(hash)) => Secret::matches(bearer, hash),
        _ => false,
    }
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
        // Who is calling was found out already where requests are counted.
        match parts.extensions.get::<Result<Self, ApiError>>() {
            Some(known) => known.clone(),
            None => authenticate(edge, &parts.method, &parts.headers).await,
        }
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        Caller::from_request_parts(parts, edge).await?.require(Scope::SpacesRead).map(Self)
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        Caller::from_request_parts(parts, edge).await?.require(Scope::SpacesWrite).map(Self)
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, edge).await?.credential {
            Credential::Session { session, is_admin } => Ok(Self { session, is_admin }),
            Credential::Key(_) => Err(ApiError::SessionRequired),
        }
    }
}

impl<P: Platform> FromRequestParts<Arc<Edge<P>>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge<P>>) -> Result<Self, ApiError> {
        if has_admin_key(&edge.config, &parts.headers) {
            return Ok(Self);
        }
        let caller = Caller::from_request_parts(parts, edge).await?;
        if caller.is_admin() { Ok(Self) } else { Err(ApiError::Forbidden) }
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
