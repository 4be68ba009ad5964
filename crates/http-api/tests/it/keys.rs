//! Keys that a wallet makes, and what can be done with them.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use testkit::{Client, TestWallet};

async fn make(client: &Client, session: &str, scopes: &Value) -> (String, String) {
    let body = json!({ "name": "bot", "scopes": scopes });
    let answer = client.post("/v1/keys", Some(session), body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.headers["cache-control"], "no-store");
    (answer.text("id"), answer.text("key"))
}

#[tokio::test]
async fn a_key_does_what_it_was_made_for() {
    let client = Client::default();
    client.add_host("host-1", 1024).await;
    let session = client.sign_in(&TestWallet::new(1)).await;
    let (_, reads) = make(&client, &session, &json!(["spaces:read"])).await;
    let (_, writes) = make(&client, &session, &json!(["spaces:write"])).await;
    let (_, both) = make(&client, &session, &json!(["spaces:read", "spaces:write"])).await;
    let space = json!({ "name": "garden", "app": "hello" });

    let refused = client.post("/v1/spaces", Some(&reads), space.clone()).await;
    assert_eq!(refused.problem(), (403, "insufficient-scope"));
    assert_eq!(client.post("/v1/spaces", Some(&writes), space).await.status, 202);
    let refused = client.get("/v1/spaces/garden", Some(&writes)).await;
    assert_eq!(refused.problem(), (403, "insufficient-scope"));
    for key in [&reads, &both] {
        assert_eq!(client.get("/v1/spaces/garden", Some(key)).await.body["name"], "garden");
        assert_eq!(client.get("/v1/gate", Some(key)).await.status, 200);
    }
    let deleted = client.call(Method::DELETE, "/v1/spaces/garden", Some(&both), None).await;
    assert_eq!(deleted.status, 202);
}

#[tokio::test]
async fn a_key_makes_no_keys_and_is_no_operator() {
    let client = Client::default();
    let session = client.sign_in(&TestWallet::new(99)).await;
    let (id, key) = make(&client, &session, &json!(["spaces:read", "spaces:write"])).await;
    let one = format!("/v1/keys/{id}");
    let body = json!({ "name": "x", "scopes": ["spaces:read"] });
    #[rustfmt::skip]
    let rows = [
        (Method::POST,   "/v1/keys",         Some(body),  "session-required"),
        (Method::GET,    "/v1/keys",         None,        "session-required"),
        (Method::DELETE, one.as_str(),       None,        "session-required"),
        (Method::GET,    "/v1/auth/session", None,        "session-required"),
        (Method::POST,   "/v1/auth/logout",  None,        "session-required"),
        (Method::GET,    "/v1/admin/hosts",  None,        "forbidden"),
    ];
    for (method, path, body, code) in rows {
        let answer = client.call(method.clone(), path, Some(&key), body).await;
        assert_eq!(answer.problem(), (403, code), "{method} {path}");
    }
}

#[tokio::test]
async fn keys_are_listed_without_their_secret_and_end() {
    let client = Client::default();
    let session = client.sign_in(&TestWallet::new(1)).await;
    let other = client.sign_in(&TestWallet::new(2)).await;
    let (id, key) = make(&client, &session, &json!(["spaces:read"])).await;
    assert_eq!(client.get("/v1/spaces", Some(&key)).await.status, 200);
    let listed = client.get("/v1/keys", Some(&session)).await;
    let want = json!([{
        "id": id, "name": "bot", "scopes": ["spaces:read"], "created_at": "2026-11-18T11:06:40Z",
        "expires_at": null, "last_used_at": "2026-11-18T11:06:40Z",
    }]);
    assert_eq!(listed.body["items"], want);
    assert_eq!(client.get("/v1/keys", Some(&other)).await.body["items"], json!([]));

    let one = format!("/v1/keys/{id}");
    let revoke = async |bearer| client.call(Method::DELETE, &one, Some(bearer), None).await;
    assert_eq!(revoke(&other).await.problem(), (404, "key-not-found"));
    assert_eq!(revoke(&session).await.status, 204);
    assert_eq!(revoke(&session).await.problem(), (404, "key-not-found"));
    assert_eq!(client.get("/v1/spaces", Some(&key)).await.problem(), (401, "unauthenticated"));
    let body =
        json!({ "name": "a", "scopes": ["spaces:read"], "expires_at": "2026-11-18T11:07:40Z" });
    let short = client.post("/v1/keys", Some(&session), body).await.text("key");
    assert_eq!(client.get("/v1/spaces", Some(&short)).await.status, 200);
    client.platform().advance(Duration::from_mins(1));
    assert_eq!(client.get("/v1/spaces", Some(&short)).await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn only_keys_that_can_be_meant_are_made() {
    let client = Client::default();
    let session = client.sign_in(&TestWallet::new(1)).await;
    #[rustfmt::skip]
    let rows = [
        (json!({ "name": "", "scopes": ["spaces:read"] }),                   "invalid-key"),
        (json!({ "name": "a\nb", "scopes": ["spaces:read"] }),               "invalid-key"),
        (json!({ "name": "é".repeat(65), "scopes": ["spaces:read"] }),       "invalid-key"),
        (json!({ "name": "a", "scopes": [] }),                               "invalid-body"),
        (json!({ "name": "a", "scopes": ["spaces:own"] }),                   "invalid-body"),
        (json!({ "name": "a", "scopes": ["spaces:read"], "expires_at": "2026-11-18T11:06:40Z" }), "invalid-key"),
        (json!({ "name": "a", "scopes": ["spaces:read"], "x": 1 }),          "unknown-field"),
    ];
    for (body, code) in rows {
        let answer = client.post("/v1/keys", Some(&session), body.clone()).await;
        assert_eq!(answer.problem(), (400, code), "{body}");
    }
    for _ in 0..50 {
        make(&client, &session, &json!(["spaces:read"])).await;
    }
    let body = json!({ "name": "one more", "scopes": ["spaces:read"] });
    let answer = client.post("/v1/keys", Some(&session), body).await;
    assert_eq!(answer.problem(), (409, "too-many-keys"));
}

#[tokio::test]
async fn a_key_needs_no_origin_and_a_wrong_one_opens_nothing() {
    let client = Client::default();
    let session = client.sign_in(&TestWallet::new(1)).await;
    let (_, key) = make(&client, &session, &json!(["spaces:read"])).await;
    let unknown = credentials::ApiKey::new([9; 32]);
    let typo = format!("{}{}", &key[..51], if key.ends_with('0') { "1" } else { "0" });
    for bearer in [unknown.reveal(), &typo, &key[..51], "sp_", "sp_0000"] {
        let answer = client.get("/v1/spaces", Some(bearer)).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{bearer}");
    }
    let as_cookie = Request::get("/v1/spaces").header("cookie", format!("__Host-session={key}"));
    let answer = client.send(as_cookie.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), (401, "unauthenticated"));
}
