//! The guard in front of `POST /v1/spaces`.

use std::sync::Arc;

use axum::{Router, body::Body};
use bytes::Bytes;
use credentials::Passport;
use gate::{Admission, Guard};
use http::{HeaderValue, Method, Request, Response, request::Parts};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::{
    caller::authenticate, edge::Edge, error::ApiError, layers::around, platform::Platform,
};

/// Lets a wallet that signed in pass, with a passport that says who it is.
///
/// Only what makes something is guarded; reading a list is not.
pub struct SessionGuard<P>(Arc<Edge<P>>);

impl<P: Platform> SessionGuard<P> {
    /// A guard over `edge`.
    pub const fn new(edge: Arc<Edge<P>>) -> Self {
        Self(edge)
    }

    /// The answer to a request that may not pass, with what every answer of ours has.
    async fn refuse(&self, request: &Parts, error: ApiError) -> Response<Bytes> {
        let edge = &self.0;
        let answer = move || std::future::ready(error.clone());
        let routes = around(Router::new().fallback(answer), &edge.config.site, &edge.platform);
        let mut same = Request::new(Body::empty());
        *same.headers_mut() = request.headers.clone();
        let Ok(response) = routes.oneshot(same).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        Response::from_parts(parts, body.expect("a problem is in memory"))
    }
}

impl<P> Clone for SessionGuard<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Platform> Guard for SessionGuard<P> {
    async fn admit(&self, request: &Parts) -> Result<Admission, Response<Bytes>> {
        if request.method != Method::POST {
            return Ok(Admission::Unguarded);
        }
        let caller = match authenticate(&self.0, &request.method, &request.headers).await {
            Ok(caller) => caller,
            Err(error) => return Err(self.refuse(request, error).await),
        };
        let now = self.0.platform.now();
        let passport = Passport::issue(*caller.wallet(), &request.method, request.uri.path(), now);
        let token = passport.to_token(&self.0.config.keys);
        Ok(Admission::Passport(HeaderValue::try_from(token).expect("a token is visible ASCII")))
    }
}
