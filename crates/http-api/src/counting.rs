//! Counting requests: how often a wallet, or an address without one, may call.

use std::{net::Ipv6Addr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, request::Parts};
use limits::{Allowance, Counters, Standing, Subject, Taken, policy_header, standing_header, take};

use crate::{
    Edge, Platform,
    caller::{Caller, authenticate, has_admin_key},
    client_address::client_address,
    error::ApiError,
    payment::goes_in_again,
    platform::KeyValueError,
};

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The name of the limit.
const GENERAL: &str = "general";

/// Where a caller stands with what else is limited, on its way from the route to the headers.
#[derive(Clone, Copy)]
pub(crate) struct AlsoLimited(pub(crate) Standing);

/// Lets a request through if its caller may call now, and says how much is left.
pub(crate) async fn counted<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    request: Request,
    next: Next,
) -> Response {
    let general = edge.config.general.filter(|_| request.uri().path().starts_with("/v1/"));
    let (mut parts, body) = request.into_parts();
    let (standing, mut response) = match general {
        None => (None, next.run(Request::from_parts(parts, body)).await),
        Some(allowance) => match count(&edge, &mut parts, allowance).await {
            Ok(standing) => (standing, next.run(Request::from_parts(parts, body)).await),
            Err(error) => match &error {
                ApiError::RateLimited(standing) => (Some(*standing), error.into_response()),
                _ => (None, error.into_response()),
            },
        },
    };
    let also = response.extensions_mut().remove::<AlsoLimited>().map(|it| it.0);
    let standings: Vec<Standing> = standing.into_iter().chain(also).collect();
    if !standings.is_empty() {
        let value = |text: String| HeaderValue::try_from(text).expect("the text is visible ASCII");
        let headers = response.headers_mut();
        headers.insert(RATE_LIMIT_POLICY, value(policy_header(&standings)));
        headers.insert(RATE_LIMIT, value(standing_header(&standings)));
    }
    response
}

/// What a client polls that was told 202. The way to the credentials is not: each look is an event.
fn is_poll(parts: &Parts) -> bool {
    let path = parts.uri.path();
    parts.method.is_safe()
        && path.starts_with("/v1/spaces/")
        && !path.trim_end_matches('/').ends_with("/credentials")
}

/// Counts this request. Nothing is counted for the operator, nor what others poll who are known, nor
/// a request that comes in again because it is paid.
async fn count<P: Platform>(
    edge: &Edge<P>,
    parts: &mut Parts,
    allowance: Allowance,
) -> Result<Option<Standing>, ApiError> {
    if has_admin_key(&edge.config, &parts.headers) {
        return Ok(None);
    }
    let caller = authenticate(edge, &parts.method, &parts.headers).await;
    let subject = match &caller {
        _ if goes_in_again(edge, parts) => None,
        Ok(caller) if caller.is_admin() || is_poll(parts) => None,
        Ok(caller) => Some(Subject::from(caller.wallet)),
        Err(error @ (ApiError::StoreUnavailable(_) | ApiError::Internal(_))) => {
            return Err(error.clone());
        }
        // Whoever has no address that we know shares one with all others.
        Err(_) => Some(Subject::from(
            client_address(&parts.headers, &edge.config.proxies)
                .unwrap_or(Ipv6Addr::UNSPECIFIED.into()),
        )),
    };
    parts.extensions.insert::<Result<Caller, ApiError>>(caller);
    let Some(subject) = subject else { return Ok(None) };
    let store = Store(&*edge.platform);
    let standing = |level| Standing { name: GENERAL, allowance, level };
    match take(&store, GENERAL, allowance, &subject, edge.platform.now()).await? {
        Taken::Granted(level) => Ok(Some(standing(level))),
        Taken::Limited(level) => Err(ApiError::RateLimited(standing(level))),
    }
}

/// Whether `caller` will be told that it called too often, so that nothing is to be done for it.
pub(crate) async fn is_spent<P: Platform>(
    edge: &Edge<P>,
    caller: &Caller,
) -> Result<bool, ApiError> {
    let Some(allowance) = edge.config.general.filter(|_| !caller.is_admin()) else {
        return Ok(false);
    };
    let (store, subject) = (Store(&*edge.platform), Subject::from(caller.wallet));
    Ok(limits::is_spent(&store, GENERAL, allowance, &subject, edge.platform.now()).await?)
}

struct Store<'a, P>(&'a P);

impl<P: Platform> Counters for Store<'_, P> {
    type Error = KeyValueError;

    async fn claim(&self, key: &str) -> Result<bool, KeyValueError> {
        self.0.claim(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        self.0.exists(key).await
    }
}
