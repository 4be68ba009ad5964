//! What stands in front of a handler: a session or key, and the gate.

use std::{future::Future, sync::Arc};

use axum::{Router, body::Body};
use bytes::Bytes;
use credentials::{Passport, Scope};
use gate::{Admission as Way, Guard};
use http::{HeaderValue, Request, Response, request::Parts};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

use crate::{
    admission::{Admission, Purpose, admission},
    caller::{Caller, authenticate},
    config::RefusalBy,
    counting::is_spent,
    edge::Edge,
    error::ApiError,
    layers::around,
    platform::Platform,
};

/// What the gate said about the caller of one request, as it stands in the passport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GateStamp {
    /// There is no gate.
    Off,
    /// The operator passes every gate.
    Operator,
    /// The caller had no request left, so nothing was found out. It may have one again by the time
    /// the handler looks, and then it is to come again.
    NotAsked,
    /// This.
    Checked(Admission),
}

/// Lets who signed in or has a key pass, with a passport that says who it is.
pub struct SessionGuard<P>(Arc<Edge<P>>);

/// Lets wallets pass that the policy lets in, with a passport that says what the gate said.
pub struct GateGuard<P>(Arc<Edge<P>>);

impl<P: Platform> SessionGuard<P> {
    /// A guard over `edge`.
    pub const fn new(edge: Arc<Edge<P>>) -> Self {
        Self(edge)
    }
}

impl<P: Platform> GateGuard<P> {
    /// A guard over `edge`.
    pub const fn new(edge: Arc<Edge<P>>) -> Self {
        Self(edge)
    }

    async fn decide(&self, request: &Parts) -> Result<Way, ApiError> {
        let edge = &self.0;
        let caller = known(edge, request).await?;
        // The handler counts first. For whom it will refuse for that, no chain is asked.
        if edge.config.gate.refusal_by == RefusalBy::Handler && is_spent(edge, &caller).await? {
            return Ok(edge.way(&caller, Some(GateStamp::NotAsked), request));
        }
        let stamp = self.stamp(&caller, request).await?;
        if edge.config.gate.refusal_by == RefusalBy::Middleware
            && let GateStamp::Checked(admission) = &stamp
        {
            admission.clone().require()?;
        }
        Ok(edge.way(&caller, Some(stamp), request))
    }

    async fn stamp(&self, caller: &Caller, request: &Parts) -> Result<GateStamp, ApiError> {
        let Some(policy) = &self.0.config.gate.policy else { return Ok(GateStamp::Off) };
        if caller.is_admin() {
            return Ok(GateStamp::Operator);
        }
        let admission =
            admission(&self.0, policy, caller.wallet, &request.headers, Purpose::Decide).await?;
        Ok(GateStamp::Checked(admission))
    }
}

impl<P> Clone for SessionGuard<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Clone for GateGuard<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Platform> Guard for SessionGuard<P> {
    async fn admit(&self, request: &Parts) -> Result<Way, Response<Bytes>> {
        match known(&self.0, request).await {
            Ok(caller) => Ok(self.0.way(&caller, None, request)),
            Err(error) => Err(self.0.refuse(request, error).await),
        }
    }
}

impl<P: Platform> Guard for GateGuard<P> {
    async fn admit(&self, request: &Parts) -> Result<Way, Response<Bytes>> {
        let (edge, config) = (&self.0, &self.0.config.gate);
        if !config.is_for(&request.method) {
            return Ok(Way::Unguarded);
        }
        match self.decide(request).await {
            Ok(way) => Ok(way),
            // The handler finds no passport, and says no in its own order.
            Err(error) if config.refusal_by == RefusalBy::Handler && error.is_of_caller() => {
                Ok(Way::Unguarded)
            }
            Err(error) => Err(edge.refuse(request, error).await),
        }
    }
}

/// Who is calling, if a session or a key with the scope for this method says so.
async fn known<P: Platform>(edge: &Edge<P>, request: &Parts) -> Result<Caller, ApiError> {
    let caller = authenticate(edge, &request.method, &request.headers).await?;
    caller.require(if request.method.is_safe() { Scope::SpacesRead } else { Scope::SpacesWrite })
}

impl<P: Platform> Edge<P> {
    fn way(&self, caller: &Caller, gate: Option<GateStamp>, request: &Parts) -> Way {
        let (method, path) = (&request.method, request.uri.path());
        let passport = Passport::issue(caller.wallet, gate, method, path, self.platform.now());
        let value = |text: String| HeaderValue::try_from(text).expect("the text is visible ASCII");
        // A handler that only reads who is calling must not be told of one that did not pass.
        let is_told = self.config.gate.refusal_by == RefusalBy::Middleware;
        Way::Known {
            wallet: is_told.then(|| value(caller.wallet.to_string())),
            passport: value(passport.to_token(&self.config.keys)),
        }
    }

    /// The answer to a request that may not pass, with what every answer of ours has.
    pub(crate) fn refuse(
        &self,
        request: &Parts,
        error: ApiError,
    ) -> impl Future<Output = Response<Bytes>> + Send + use<P> {
        let answer = move || std::future::ready(error.clone());
        let routes = around(Router::new().fallback(answer), &self.config.site, &self.platform);
        let mut same = Request::new(Body::empty());
        *same.headers_mut() = request.headers.clone();
        async {
            let Ok(response) = routes.oneshot(same).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes);
            Response::from_parts(parts, body.expect("a problem is in memory"))
        }
    }
}
