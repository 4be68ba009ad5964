//! The way of a request through the gate.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::body::{Body, Bytes};
use credentials::PASSPORT_HEADER;
use gate::{Admission, GateLayer, Guard, WALLET_HEADER};
use http::{HeaderValue, Method, Request, Response, StatusCode, request::Parts};
use serde_json::json;
use testkit::{Client, TestWallet};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

#[derive(Clone)]
struct Fixed(Result<Admission, StatusCode>);

impl Guard for Fixed {
    async fn admit(&self, _request: &Parts) -> Result<Admission, Response<Bytes>> {
        self.0.clone().map_err(|status| {
            let mut refusal = Response::new(Bytes::new());
            *refusal.status_mut() = status;
            refusal
        })
    }
}

/// What the handler behind a gate with this decision was told of the caller, if it was called.
async fn told_behind(
    decision: Result<Admission, StatusCode>,
) -> (u16, Option<[Option<String>; 2]>) {
    let seen = Arc::new(Mutex::new(None));
    let handler = {
        let seen = Arc::clone(&seen);
        service_fn(move |request: Request<Body>| {
            let told = [WALLET_HEADER, PASSPORT_HEADER]
                .map(|name| request.headers().get(name).map(|it| it.to_str().unwrap().to_owned()));
            *seen.lock().unwrap() = Some(told);
            async { Ok::<_, Infallible>(Response::new(Body::empty())) }
        })
    };
    let request = Request::post("/")
        .header(PASSPORT_HEADER, "from outside")
        .header(WALLET_HEADER, "from outside")
        .header(WALLET_HEADER, "twice");
    let gate = GateLayer::new(Fixed(decision)).layer(handler);
    let Ok(response) = gate.oneshot(request.body(Body::empty()).unwrap()).await;
    let seen = seen.lock().unwrap().clone();
    (response.status().as_u16(), seen)
}

#[tokio::test]
async fn what_comes_from_outside_never_arrives() {
    let known = Admission::Known {
        wallet: Some(HeaderValue::from_static("wallet")),
        passport: HeaderValue::from_static("passport"),
    };
    let told = ["wallet", "passport"].map(|it| Some(it.to_owned()));
    #[rustfmt::skip]
    let rows = [
        (Ok(Admission::Unguarded),   (200, Some([None, None]))),
        (Ok(known),                  (200, Some(told))),
        (Err(StatusCode::FORBIDDEN), (403, None)),
    ];
    for (decision, want) in rows {
        assert_eq!(told_behind(decision.clone()).await, want, "{decision:?}");
    }
}

#[tokio::test]
async fn without_the_gate_nothing_is_made() {
    let client = Client::default();
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    let handler = client.handler_without_gate();
    let request = || {
        Request::post("/v1/spaces")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
    };
    let body = || Body::from(json!({ "name": "garden", "app": "hello" }).to_string());
    for request in [request(), request().header(PASSPORT_HEADER, token.as_str())] {
        let Ok(response) = handler.clone().oneshot(request.body(body()).unwrap()).await;
        assert_eq!(response.status(), 500);
    }
    let name = client.get("/v1/names/garden", None).await;
    assert_eq!(name.body["available"], true);
}

/// A gate that was given another policy than the handler, or none, has not decided for it.
#[tokio::test]
async fn a_gate_that_is_configured_otherwise_lets_nothing_be_made() {
    let member = TestWallet::new(1);
    let policy = |label: &str| {
        let rule = json!({
            "kind": "allowlist", "label": label, "addresses": [member.wallet.to_string()],
        });
        json!({ "rules": [rule] }).to_string()
    };
    let (ours, others) = (policy("ours"), policy("others"));
    let on = ("crdt_gate_enabled", "true");
    let handler = Client::with(&[on, ("gate_policy", &ours)]);
    handler.add_host("host-1", 1024).await;
    let token = handler.sign_in(&member).await;
    // A wallet that the gate counts and that has no request left there: as if one came back on the
    // way to the handler.
    let spent = [on, ("gate_policy", &*ours), ("rate_general_per_min", "1")];
    let counting = Client::on(Arc::clone(handler.platform()), &spent);
    assert_eq!(counting.get("/v1/auth/session", Some(&token)).await.status, 200);
    #[rustfmt::skip]
    let rows: [(&[(&str, &str)], u16); 4] = [
        (&spent,                            503),
        (&[],                               500),
        (&[on, ("gate_policy", &others)],   500),
        (&[on, ("gate_policy", &ours)],     202),
    ];
    for (variables, want) in rows {
        let gate = Client::on(Arc::clone(handler.platform()), variables);
        let guard = http_api::GateGuard::new(Arc::clone(gate.edge()));
        let request = Request::post("/v1/spaces")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(json!({ "name": "garden", "app": "hello" }).to_string()));
        let pipeline = GateLayer::new(guard).layer(handler.handler_without_gate());
        let Ok(response) = pipeline.oneshot(request.unwrap()).await;
        assert_eq!(response.status().as_u16(), want, "{variables:?}");
    }
}

#[tokio::test]
async fn sign_in_comes_before_all_else() {
    let client = Client::default();
    let request = Request::post("/v1/spaces").body(Body::from("{")).unwrap();
    assert_eq!(client.send(request).await.problem(), (401, "unauthenticated"));
    // What the gate answers has what every answer has.
    let request = Request::post("/v1/spaces")
        .header("origin", "https://friend.example")
        .header("x-request-id", "my-request-1");
    let refused = client.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.problem(), (401, "unauthenticated"));
    assert_eq!(refused.headers["x-request-id"], "my-request-1");
    assert_eq!(refused.headers["access-control-allow-origin"], "https://friend.example");
    let list = client.call(Method::GET, "/v1/spaces", None, None).await;
    assert_eq!(list.problem(), (401, "unauthenticated"));
}
