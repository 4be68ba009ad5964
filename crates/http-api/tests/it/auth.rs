//! Sign-in, sessions, and the janitor.

use std::time::Duration;

use axum::body::Body;
use domain::Timestamp;
use evm::Network as _;
use http::{Method, Request};
use serde_json::json;
use siwe::{Fields, Message};
use testkit::{Answer, CRON_KEY, Client, TestWallet};
use time::OffsetDateTime;

const DOMAIN: &str = "127.0.0.1:3000";

async fn verify(client: &Client, wallet: &TestWallet, text: &str) -> Answer {
    let body = json!({ "message": text, "signature": wallet.sign(text) });
    client.post("/v1/auth/verify", None, body).await
}

#[tokio::test]
async fn a_wallet_signs_in_and_out() {
    let client = Client::default();
    let wallet = TestWallet::new(1);
    let nonce = client.get("/v1/auth/nonce", None).await;
    assert_eq!(nonce.headers["cache-control"], "no-store");
    let now = client.platform().now();
    let expires_at: Timestamp = serde_json::from_value(nonce.body["expires_at"].clone()).unwrap();
    assert_eq!(expires_at, now.plus(Duration::from_mins(10)));

    let text = wallet.message(DOMAIN, &nonce.text("nonce"), now).to_string();
    let answer = verify(&client, &wallet, &text).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let address = wallet.wallet.to_string();
    assert_eq!(answer.text("address"), address);
    assert_eq!(answer.body["chain_id"], 1);
    let token = answer.text("token");
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!("__Host-session={token}; ")), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }

    let session = client.get("/v1/auth/session", Some(&token)).await;
    assert_eq!(session.status, 200);
    assert_eq!(session.text("address"), address);
    assert_eq!(session.body["roles"], json!(["tenant"]));

    let out = client.call(Method::POST, "/v1/auth/logout", Some(&token), None).await;
    assert_eq!(out.status, 204);
    let after = client.get("/v1/auth/session", Some(&token)).await;
    assert_eq!(after.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn an_operators_wallet_is_an_admin() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(99)).await;
    let session = client.get("/v1/auth/session", Some(&token)).await;
    assert_eq!(session.body["roles"], json!(["admin"]));
}

#[tokio::test]
async fn each_wrong_message_is_named() {
    type Alter = fn(&mut Fields, OffsetDateTime);
    let client = Client::default();
    let wallet = TestWallet::new(1);
    #[rustfmt::skip]
    let rows: [(&str, Alter, u16, &str); 8] = [
        ("domain",     |it, _| it.domain = "evil.example".to_owned(),                          401, "wrong-domain"),
        ("uri",        |it, _| it.uri = "http://evil.example".to_owned(),                      401, "wrong-domain"),
        ("scheme",     |it, _| it.scheme = Some("https".to_owned()),                           401, "wrong-domain"),
        ("nonce",      |it, _| it.nonce = "a".repeat(64),                                      401, "nonce-unknown"),
        ("issued at",  |it, now| it.issued_at = now + time::Duration::minutes(2),              401, "message-not-yet-valid"),
        ("expiration", |it, now| it.expiration_time = Some(now),                               401, "message-expired"),
        ("not before", |it, now| it.not_before = Some(now + time::Duration::seconds(1)),       401, "message-not-yet-valid"),
        ("address",    |it, _| it.address = TestWallet::new(2).wallet.address(),               401, "bad-signature"),
    ];
    for (what, alter, status, code) in rows {
        let nonce = client.nonce().await;
        let now = client.platform().now();
        let mut fields = wallet.fields(DOMAIN, &nonce, now);
        alter(&mut fields, OffsetDateTime::from_unix_timestamp(now.unix_s()).unwrap());
        let text = Message::new(fields).unwrap().to_string();
        let answer = verify(&client, &wallet, &text).await;
        assert_eq!(answer.problem(), (status, code), "{what}");
        // It did not use the nonce up.
        let good = wallet.message(DOMAIN, &nonce, now).to_string();
        assert_eq!(verify(&client, &wallet, &good).await.status, 200, "{what}");
    }
    let answer = verify(&client, &wallet, "sign me in").await;
    assert_eq!(answer.problem(), (400, "malformed-message"));
    let text = wallet.message(DOMAIN, &client.nonce().await, client.platform().now()).to_string();
    for signature in ["", "0x", "0x1234", "nonsense"] {
        let body = json!({ "message": text, "signature": signature });
        let answer = client.post("/v1/auth/verify", None, body).await;
        assert_eq!(answer.problem(), (401, "bad-signature"), "{signature}");
    }
}

#[tokio::test]
async fn a_nonce_is_used_once_and_not_late() {
    let client = Client::default();
    let wallet = TestWallet::new(1);
    let nonce = client.nonce().await;
    let now = client.platform().now();
    let text = wallet.message(DOMAIN, &nonce, now).to_string();
    assert_eq!(verify(&client, &wallet, &text).await.status, 200);
    assert_eq!(verify(&client, &wallet, &text).await.problem(), (401, "nonce-used"));

    let nonce = client.nonce().await;
    client.platform().advance(Duration::from_mins(10));
    let text = wallet.message(DOMAIN, &nonce, client.platform().now()).to_string();
    assert_eq!(verify(&client, &wallet, &text).await.problem(), (401, "nonce-unknown"));
}

#[tokio::test]
async fn only_our_own_living_sessions_open_anything() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    let foreign = Client::default();
    let altered = format!("{}x", &token[..token.len() - 1]);
    for bearer in ["", "nonsense", "sp_abc", &altered] {
        let answer = client.get("/v1/auth/session", Some(bearer)).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{bearer}");
    }
    assert_eq!(client.get("/v1/auth/session", None).await.problem(), (401, "unauthenticated"));
    // Another edge with the same key takes it: edges are stateless.
    assert_eq!(foreign.get("/v1/auth/session", Some(&token)).await.status, 200);
    let basic = Request::get("/v1/auth/session").header("authorization", "Basic abc");
    let answer = client.send(basic.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), (401, "unauthenticated"));
    client.platform().advance(Duration::from_hours(12));
    let late = client.get("/v1/auth/session", Some(&token)).await;
    assert_eq!(late.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_cookie_works_from_our_own_pages_only() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    let with_cookie = |method: Method, path: &str, origin: Option<&str>| {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", format!("theme=dark; __Host-session={token}"));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.body(Body::empty()).unwrap()
    };
    let read = client.send(with_cookie(Method::GET, "/v1/auth/session", None)).await;
    assert_eq!(read.status, 200);
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let out = client.send(with_cookie(Method::POST, "/v1/auth/logout", origin)).await;
        assert_eq!(out.problem(), (403, "cross-site-request"), "{origin:?}");
        let make = client.send(with_cookie(Method::POST, "/v1/spaces", origin)).await;
        assert_eq!(make.problem(), (403, "cross-site-request"), "{origin:?}");
    }
    let own = Some("http://127.0.0.1:3000");
    let out = client.send(with_cookie(Method::POST, "/v1/auth/logout", own)).await;
    assert_eq!(out.status, 204);
}

#[tokio::test]
async fn the_janitor_forgets_what_no_longer_matters() {
    let client = Client::default();
    let wallet = TestWallet::new(1);
    let token = client.sign_in(&wallet).await;
    client.call(Method::POST, "/v1/auth/logout", Some(&token), None).await;
    let sweep = "/internal/cron/janitor";
    for bearer in [None, Some("wrong"), Some(&*token)] {
        let answer = client.call(Method::POST, sweep, bearer, None).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"));
    }
    let n_forgotten = async || {
        let answer = client.call(Method::POST, sweep, Some(CRON_KEY), None).await;
        answer.body["n_forgotten"].as_u64().unwrap()
    };
    assert_eq!(n_forgotten().await, 0);
    client.platform().advance(Duration::from_mins(14));
    assert_eq!(n_forgotten().await, 0, "a clock may be behind");
    client.platform().advance(Duration::from_mins(2));
    assert_eq!(n_forgotten().await, 1, "the nonce");
    client.platform().advance(Duration::from_hours(12));
    assert_eq!(n_forgotten().await, 1, "the ended session");
    assert_eq!(n_forgotten().await, 0);
}
