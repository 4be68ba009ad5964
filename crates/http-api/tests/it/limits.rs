//! How often anybody may call, and how many spaces a wallet may make.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;
use testkit::{ADMIN_KEY, Answer, Client, TestWallet};

const GENERAL: (&str, &str) = ("rate_general_per_min", "10");
const PROVISION: (&str, &str) = ("rate_provision_per_hour", "2");

async fn from(client: &Client, address: &str, forwarded: Option<&str>) -> Answer {
    let mut request = Request::get("/v1/names/garden").header("spin-client-addr", address);
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    client.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn ten_requests_and_then_one_every_six_seconds() {
    let client = Client::with(&[GENERAL]);
    let token = client.sign_in(&TestWallet::new(1)).await;
    let other = client.sign_in(&TestWallet::new(2)).await;
    let ask = async |bearer| client.get("/v1/auth/session", Some(bearer)).await;
    for left in (0..10).rev() {
        let answer = ask(&token).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["ratelimit-policy"], "\"general\";q=10;w=60");
        let standing = answer.headers["ratelimit"].to_str().unwrap();
        assert!(standing.starts_with(&format!("\"general\";r={left};t=")), "{standing}");
    }
    let limited = ask(&token).await;
    assert_eq!(limited.problem(), (429, "rate-limited"));
    let wait_s: u64 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait_s), "{wait_s}");
    assert_eq!(ask(&other).await.status, 200, "others have their own");
    client.platform().advance(Duration::from_secs(wait_s));
    assert_eq!(ask(&token).await.status, 200);
    assert_eq!(ask(&token).await.status, 429);
    client.platform().advance(Duration::from_mins(1));
    for _ in 0..10 {
        assert_eq!(ask(&token).await.status, 200);
    }
}

#[tokio::test]
async fn many_edges_over_one_store_count_together() {
    let client = Client::with(&[GENERAL]);
    let edges: Vec<Client> =
        (0..5).map(|_| Client::on(Arc::clone(client.platform()), &[GENERAL])).collect();
    let token = client.sign_in(&TestWallet::new(1)).await;
    let asked = (0..20).map(|n| edges[n % 5].get("/v1/auth/session", Some(&token)));
    let answers = futures::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 10);
}

#[tokio::test]
async fn who_has_no_session_is_counted_by_address() {
    let client = Client::with(&[GENERAL, ("trusted_proxies", "10.0.0.0/8")]);
    for _ in 0..10 {
        assert_eq!(from(&client, "192.0.2.1:1", None).await.status, 200);
    }
    #[rustfmt::skip]
    let rows = [
        ("192.0.2.1:2",  None,                       429),
        ("192.0.2.1:2",  Some("192.0.2.7"),          429),
        ("10.0.0.1:2",   Some("192.0.2.1"),          429),
        ("10.0.0.1:2",   Some("6.6.6.6, 192.0.2.1"), 429),
        ("192.0.2.2:2",  None,                       200),
        ("10.0.0.1:2",   Some("192.0.2.3"),          200),
    ];
    for (address, forwarded, want) in rows {
        let answer = from(&client, address, forwarded).await;
        assert_eq!(answer.status, want, "{address} {forwarded:?}");
    }
}

#[tokio::test]
async fn what_is_polled_and_the_operator_are_not_counted() {
    let client = Client::with(&[GENERAL]);
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    let space = client.create(&token, "garden").await;
    let operator = client.sign_in(&TestWallet::new(99)).await;
    for _ in 0..30 {
        let path = format!("/v1/spaces/{space}");
        assert_eq!(client.get(&path, Some(&token)).await.status, 200);
        assert_eq!(client.get("/readyz", None).await.status, 200);
        assert_eq!(client.get("/healthz", None).await.status, 200);
        assert_eq!(client.get("/v1/admin/hosts", Some(ADMIN_KEY)).await.status, 200);
        assert_eq!(client.get("/v1/spaces", Some(&operator)).await.status, 200);
    }
}

#[tokio::test]
async fn two_spaces_an_hour_and_only_those_that_were_made_count() {
    let client = Client::with(&[PROVISION]);
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    let other = client.sign_in(&TestWallet::new(2)).await;
    let create = async |bearer, name: &str| {
        client.post("/v1/spaces", Some(bearer), json!({ "name": name, "app": "hello" })).await
    };
    let made = create(&token, "garden").await;
    assert_eq!(made.status, 202);
    assert_eq!(made.headers["ratelimit-policy"], "\"provision\";q=2;w=3600");
    assert_eq!(made.headers["ratelimit"], "\"provision\";r=1;t=1800");
    assert_eq!(create(&token, "x").await.problem(), (400, "invalid-name"));
    assert_eq!(create(&token, "garden").await.problem(), (409, "name-taken"));
    assert_eq!(create(&token, "meadow").await.status, 202);
    let limited = create(&token, "orchard").await;
    assert_eq!(limited.problem(), (429, "rate-limited"));
    assert_eq!(limited.headers["retry-after"], "1800");
    assert_eq!(limited.headers["ratelimit"], "\"provision\";r=0;t=1800");
    let early = create(&token, "x").await;
    assert_eq!(early.problem(), (429, "rate-limited"), "before the body is looked at");
    assert_eq!(create(&other, "orchard").await.status, 202);
    // Giving one back gains nothing.
    client.call(Method::DELETE, "/v1/spaces/garden", Some(&token), None).await;
    assert_eq!(create(&token, "forest").await.problem(), (429, "rate-limited"));
    client.platform().advance(Duration::from_mins(30));
    // The first host was not heard of since.
    client.add_host("host-2", 1024).await;
    assert_eq!(create(&token, "forest").await.status, 202);
    assert_eq!(create(&token, "desert").await.problem(), (429, "rate-limited"));
    let operator = client.sign_in(&TestWallet::new(99)).await;
    for name in ["one", "two", "three"] {
        assert_eq!(create(&operator, name).await.status, 202);
    }
}

#[tokio::test]
async fn the_same_request_again_makes_no_second_space() {
    let client = Client::with(&[PROVISION]);
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    let create = async |name: &str, key: &str| {
        let request = Request::post("/v1/spaces")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        let body = json!({ "name": name, "app": "hello" }).to_string();
        client.send(request.body(Body::from(body)).unwrap()).await
    };
    for _ in 0..5 {
        assert_eq!(create("garden", "first").await.status, 202);
    }
    for _ in 0..3 {
        assert_eq!(create("meadow", "second").await.status, 202);
    }
    assert_eq!(create("orchard", "third").await.problem(), (429, "rate-limited"));
    assert_eq!(create("garden", "first").await.status, 202);
}

#[tokio::test]
async fn the_janitor_forgets_what_was_counted() {
    let client = Client::with(&[GENERAL]);
    for n in 1..=5 {
        assert_eq!(from(&client, &format!("192.0.2.{n}:1"), None).await.status, 200);
    }
    let sweep = async || {
        let answer = client
            .call(Method::POST, "/internal/cron/janitor", Some(testkit::CRON_KEY), None)
            .await;
        answer.body["n_forgotten"].as_u64().unwrap()
    };
    assert_eq!(sweep().await, 0);
    client.platform().advance(Duration::from_mins(7));
    assert_eq!(sweep().await, 5);
}
