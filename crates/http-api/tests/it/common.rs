//! What holds for every route.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;
use std::sync::atomic::Ordering;
use testkit::{Client, TestWallet};

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let client = Client::default();
    #[rustfmt::skip]
    let rows = [
        (Method::GET,    "/nowhere",                 404, "not-found"),
        (Method::GET,    "/v1/spaces/a/b/c",         404, "not-found"),
        (Method::GET,    "/fleet/v1/nowhere",        404, "not-found"),
        (Method::POST,   "/healthz",                 405, "method-not-allowed"),
        (Method::PUT,    "/v1/auth/verify",          405, "method-not-allowed"),
        (Method::POST,   "/v1/spaces/garden",        405, "method-not-allowed"),
        (Method::DELETE, "/v1/apps",                 405, "method-not-allowed"),
        (Method::POST,   "/v1/names/garden",         405, "method-not-allowed"),
        (Method::GET,    "/fleet/v1/observations",   405, "method-not-allowed"),
        (Method::DELETE, "/v1/admin/hosts",          405, "method-not-allowed"),
    ];
    for (method, path, status, code) in rows {
        let answer = client.call(method.clone(), path, None, None).await;
        assert_eq!(answer.problem(), (status, code), "{method} {path}");
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_must_be_small_json_of_the_right_shape() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(70_000));
    #[rustfmt::skip]
    let rows = [
        ("application/json",                "{",                                      400, "malformed-json"),
        ("application/json",                "",                                       400, "malformed-json"),
        ("application/json",                "{\"name\":\"garden\",\"app\":\"hello\"} x", 400, "malformed-json"),
        ("application/json",                "[]",                                     400, "invalid-body"),
        ("application/json",                " [\"garden\",\"hello\",null,null]",      400, "invalid-body"),
        ("application/json",                "{}",                                     400, "invalid-body"),
        ("application/json",                "{\"name\":5,\"app\":\"hello\"}",         400, "invalid-body"),
        ("application/json",                "{\"name\":\"garden\",\"app\":null}",     400, "invalid-body"),
        ("application/json",                "{\"name\":\"garden\",\"app\":\"hello\",\"colour\":1}", 400, "unknown-field"),
        ("application/json; charset=utf-8", "{\"name\":\"garden\",\"colour\":1}",     400, "unknown-field"),
        ("application/json",                &large,                                   413, "body-too-large"),
        ("text/plain",                      "{}",                                     415, "unsupported-media-type"),
    ];
    for (content_type, body, status, code) in rows {
        let request = Request::post("/v1/spaces")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = client.send(request).await;
        let body = &body[..body.len().min(40)];
        assert_eq!(answer.problem(), (status, code), "{body}");
    }
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let client = Client::default();
    for (sent, is_echoed) in [("my-request-1", true), ("no spaces allowed", false), ("x", false)] {
        let request = Request::get("/healthz").header("x-request-id", sent);
        let answer = client.send(request.body(Body::empty()).unwrap()).await;
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(id == sent, is_echoed, "{sent}");
        assert!(8 <= id.len());
    }
    assert!(client.get("/nowhere", None).await.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn only_known_origins_may_read_our_answers() {
    let client = Client::default();
    let rows = [
        ("https://friend.example", true),
        ("http://127.0.0.1:3000", true),
        ("https://stranger.example", false),
    ];
    for (origin, is_allowed) in rows {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri("/v1/spaces")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key");
        let answer = client.send(request.body(Body::empty()).unwrap()).await;
        let allowed = answer.headers.get("access-control-allow-origin");
        assert_eq!(allowed.is_some_and(|it| it == origin), is_allowed, "{origin}");
    }
    let request = Request::get("/healthz").header("origin", "https://friend.example");
    let answer = client.send(request.body(Body::empty()).unwrap()).await;
    let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
    for name in ["payment-required", "payment-response", "location", "retry-after", "x-request-id"]
    {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
}

#[tokio::test]
async fn a_broken_store_is_said_and_nothing_more() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    assert_eq!(client.get("/readyz", None).await.status, 200);
    client.platform().is_broken.store(true, Ordering::SeqCst);
    assert_eq!(client.get("/healthz", None).await.status, 200);
    for (path, bearer) in [("/readyz", None), ("/v1/spaces", Some(&*token)), ("/v1/apps", None)] {
        let answer = client.get(path, bearer).await;
        assert_eq!(answer.problem(), (503, "store-unavailable"), "{path}");
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(!answer.body.to_string().contains("broken by the test"));
    }
    let body = json!({ "name": "garden", "app": "hello" });
    let answer = client.post("/v1/spaces", Some(&token), body).await;
    assert_eq!(answer.problem(), (503, "store-unavailable"));
}

#[tokio::test]
async fn the_page_says_how_to_begin() {
    let client = Client::default();
    let answer = client.get("/", None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer.headers.contains_key("content-security-policy"));
}
