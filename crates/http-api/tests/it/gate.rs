//! Who passes the gate, and what the others are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use evm::{Reply, SendError};
use gate::Statement;
use http::{Method, Request};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestWallet};

const TOKEN: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const RPC: (&str, &str) = ("rpc_urls", r#"{"31337":["http://127.0.0.1:1","http://127.0.0.1:2"]}"#);
const ON: (&str, &str) = ("crdt_gate_enabled", "true");

type Node = Box<dyn FnMut(&str, &str) -> Result<Reply, SendError> + Send>;

fn erc20(mode: &str, others: &Value) -> String {
    let token = json!({
        "kind": "erc20", "label": "100 CRDT", "chain_id": 31337, "contract": TOKEN,
        "required": "100", "decimals": 2,
    });
    let rules: Vec<_> = [token].into_iter().chain(others.as_array().unwrap().clone()).collect();
    json!({ "mode": mode, "rules": rules }).to_string()
}

/// A node of chain 31337 at which every wallet holds `balance`.
fn node(balance: u64) -> impl FnMut(&str, &str) -> Result<Reply, SendError> + Send + 'static {
    move |_, body| {
        let requests: Vec<Value> = serde_json::from_str(body).unwrap();
        let answer = |request: &Value| {
            let result = match request["method"].as_str() {
                Some("eth_chainId") => "0x7a69".to_owned(),
                _ => format!("0x{balance:064x}"),
            };
            json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })
        };
        let answers: Vec<_> = requests.iter().map(answer).collect();
        Ok(Reply { status: 200, body: json!(answers).to_string().into_bytes() })
    }
}

async fn gated(policy: &str) -> Client {
    let client = Client::with(&[ON, RPC, ("gate_policy", policy)]);
    client.add_host("host-1", 1024).await;
    client
}

async fn create(client: &Client, bearer: &str, name: &str) -> Answer {
    client.post("/v1/spaces", Some(bearer), json!({ "name": name, "app": "hello" })).await
}

#[tokio::test]
async fn a_gate_that_is_off_is_open_to_everybody() {
    let client = Client::default();
    let answer = client.get("/v1/gate", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["enabled"], false);
    assert_eq!(answer.body["allowed"], true);
    assert_eq!(answer.body["rules"], json!([]));
}

#[tokio::test]
async fn who_holds_too_little_is_told_so_and_passes_soon_after_having_more() {
    let client = gated(&erc20("all", &json!([]))).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    assert_eq!(client.get("/v1/gate", None).await.problem(), (401, "unauthenticated"));

    client.platform().set_node(node(1250));
    let closed = client.get("/v1/gate", Some(&token)).await;
    let rule = json!({
        "label": "100 CRDT", "kind": "erc20", "chain_id": 31337, "contract": TOKEN,
        "required": "100", "held": "12.5", "passed": false, "detail": "You hold 12.5 and need 100.",
    });
    let want = json!({
        "enabled": true, "allowed": false, "mode": "all", "rules": [rule],
        "checked_at": "2026-11-18T11:06:40Z", "cached": false,
    });
    assert_eq!(closed.body, want);
    assert_eq!(closed.headers["age"], "0");

    let refused = create(&client, &token, "garden").await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (403, &json!("gate-closed")));
    assert_eq!(refused.body["rules"], json!([rule]));
    assert_eq!(refused.body["cached"], true);

    client.platform().set_node(node(10_000));
    client.platform().advance(Duration::from_secs(4));
    let still = client.get("/v1/gate", Some(&token)).await;
    assert_eq!((&still.body["allowed"], &still.body["cached"]), (&json!(false), &json!(true)));
    assert_eq!(still.headers["age"], "4");
    client.platform().advance(Duration::from_secs(1));
    assert_eq!(create(&client, &token, "garden").await.status, 202);

    // A pass is kept for longer, and says so.
    client.platform().set_node(node(0));
    client.platform().advance(Duration::from_secs(6));
    let kept = client.get("/v1/gate", Some(&token)).await;
    assert_eq!((&kept.body["allowed"], &kept.body["cached"]), (&json!(true), &json!(true)));
    client.platform().advance(Duration::from_secs(30));
    let over = client.get("/v1/gate", Some(&token)).await;
    assert_eq!((&over.body["allowed"], &over.body["cached"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn a_chain_that_does_not_answer_lets_nobody_in() {
    let client = gated(&erc20("all", &json!([]))).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    let html = |_: &str, _: &str| Ok(Reply { status: 200, body: b"<html>".to_vec() });
    let reverts = |_: &str, body: &str| {
        let requests: Vec<Value> = serde_json::from_str(body).unwrap();
        let answer = |it: &Value| match it["method"].as_str() {
            Some("eth_chainId") => json!({ "jsonrpc": "2.0", "id": it["id"], "result": "0x7a69" }),
            _ => json!({ "jsonrpc": "2.0", "id": it["id"], "result": "0x" }),
        };
        let answers: Vec<_> = requests.iter().map(answer).collect();
        Ok(Reply { status: 200, body: json!(answers).to_string().into_bytes() })
    };
    let nodes: [Node; 4] = [
        Box::new(|_, _| Err(SendError::TimedOut)),
        Box::new(|_, _| Err(SendError::TooLarge)),
        Box::new(html),
        // No contract of this kind is there.
        Box::new(reverts),
    ];
    for node in nodes {
        client.platform().set_node(node);
        for answer in
            [client.get("/v1/gate", Some(&token)).await, create(&client, &token, "garden").await]
        {
            assert_eq!(answer.problem(), (503, "gate-unavailable"));
            assert_eq!(answer.headers["retry-after"], "5");
        }
        client.platform().advance(Duration::from_mins(1));
    }
    assert_eq!(client.get("/v1/names/garden", None).await.body["available"], true);
    client.platform().is_broken.store(true, Ordering::SeqCst);
    let broken = create(&client, &token, "garden").await;
    assert_eq!(broken.problem(), (503, "store-unavailable"));
}

#[tokio::test]
async fn what_is_wrong_with_the_body_comes_first() {
    let client = gated(&erc20("all", &json!([]))).await;
    client.platform().set_node(node(0));
    let token = client.sign_in(&TestWallet::new(1)).await;
    let post = async |body: Value| client.post("/v1/spaces", Some(&token), body).await;
    let operator = client.sign_in(&TestWallet::new(99)).await;
    client.create(&operator, "taken").await;
    #[rustfmt::skip]
    let rows = [
        (json!({ "name": "taken", "app": "hello" }),                              409, "name-taken"),
        (json!({ "name": "x", "app": "hello" }),                                  400, "invalid-name"),
        (json!({ "name": "www", "app": "hello" }),                                400, "invalid-name"),
        (json!({ "name": "garden", "app": "other" }),                             404, "app-not-found"),
        (json!({ "name": "garden", "app": "hello", "settings": { "x": 1 } }),     400, "invalid-settings"),
    ];
    for (body, status, code) in rows {
        assert_eq!(post(body).await.problem(), (status, code));
    }
    assert_eq!(post(json!({ "name": "garden", "app": "hello" })).await.body["code"], "gate-closed");
}

#[tokio::test]
async fn a_repetition_gets_its_first_answer_whatever_the_gate_says_now() {
    let client = gated(&erc20("all", &json!([]))).await;
    client.platform().set_node(node(10_000));
    let token = client.sign_in(&TestWallet::new(1)).await;
    let create = async || {
        let request = Request::post("/v1/spaces")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", "one");
        let body = json!({ "name": "garden", "app": "hello" }).to_string();
        client.send(request.body(Body::from(body)).unwrap()).await
    };
    let first = create().await;
    assert_eq!(first.status, 202);
    client.platform().set_node(node(0));
    client.platform().advance(Duration::from_mins(1));
    assert_eq!(client.get("/v1/gate", Some(&token)).await.body["allowed"], false);
    assert_eq!(create().await.body, first.body);
}

#[tokio::test]
async fn the_operator_passes_also_when_no_chain_answers() {
    let client = gated(&erc20("all", &json!([]))).await;
    let operator = client.sign_in(&TestWallet::new(99)).await;
    assert_eq!(create(&client, &operator, "garden").await.status, 202);
    assert_eq!(client.get("/v1/gate", Some(&operator)).await.body["allowed"], true);
}

/// For whom the handler refuses anyway, and again within a second, no node is asked.
#[tokio::test]
async fn nodes_are_not_asked_for_nothing() {
    let policy = erc20("all", &json!([]));
    let client = Client::with(&[ON, RPC, ("gate_policy", &policy), ("rate_general_per_min", "10")]);
    let n_asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_asked);
    client.platform().set_node(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Err(SendError::TimedOut)
    });
    let token = client.sign_in(&TestWallet::new(1)).await;
    for _ in 0..10 {
        let answer = create(&client, &token, "garden").await;
        assert_ne!(answer.status, 429);
    }
    assert_eq!(n_asked.load(Ordering::SeqCst), 2, "each of two nodes, once");
    client.platform().advance(Duration::from_secs(1));
    let limited = create(&client, &token, "garden").await;
    assert_eq!(limited.problem(), (429, "rate-limited"));
    assert_eq!(n_asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_certain_rule_is_enough_where_any_will_do() {
    let list =
        json!([{ "kind": "allowlist", "addresses": [TestWallet::new(1).wallet.to_string()] }]);
    let client = gated(&erc20("any", &list)).await;
    let listed = client.sign_in(&TestWallet::new(1)).await;
    let other = client.sign_in(&TestWallet::new(2)).await;
    let open = client.get("/v1/gate", Some(&listed)).await;
    assert_eq!(open.body["allowed"], true, "no chain was needed: {}", open.body);
    let unknown = (&open.body["rules"][0]["held"], &open.body["rules"][0]["passed"]);
    assert_eq!(unknown, (&Value::Null, &json!(false)));
    assert_eq!(create(&client, &listed, "garden").await.status, 202);
    assert_eq!(create(&client, &other, "meadow").await.problem(), (503, "gate-unavailable"));

    client.platform().set_node(node(50));
    client.platform().advance(Duration::from_mins(1));
    let open = client.get("/v1/gate", Some(&listed)).await;
    assert_eq!(open.body["rules"][0]["held"], "0.5", "what is not needed is explained, too");
}

#[tokio::test]
async fn a_statement_of_an_issuer_opens_the_gate_to_its_subject() {
    let issuer = SigningKey::from_slice(&[7; 32]).unwrap();
    let issuer_wallet = evm::address_of(issuer.verifying_key()).into();
    let rule = json!({
        "kind": "attestation", "issuer": domain::Wallet::to_string(&issuer_wallet),
        "ledger": "crdt-main", "required": "100",
    });
    let client = gated(&json!({ "rules": [rule] }).to_string()).await;
    let wallet = TestWallet::new(1);
    let token = client.sign_in(&wallet).await;
    let statement = |subject, amount: u64| {
        let ledger = "crdt-main".to_owned().try_into().unwrap();
        let amount = alloy_primitives::U256::from(amount);
        Statement::sign(subject, ledger, amount, 1_795_000_060, &issuer).to_header()
    };
    let ask = async |header: &str| {
        let request = Request::builder()
            .method(Method::GET)
            .uri("/v1/gate")
            .header("authorization", format!("Bearer {token}"))
            .header("gate-attestation", header);
        client.send(request.body(Body::empty()).unwrap()).await
    };
    let good = statement(wallet.wallet, 100);
    #[rustfmt::skip]
    let rows = [
        (good.clone(),                                                            true),
        (format!("{}, {good}", statement(wallet.wallet, 1)),                      true),
        (statement(wallet.wallet, 99),                                            false),
        (statement(TestWallet::new(2).wallet, 100),                               false),
    ];
    for (header, want) in rows {
        let answer = ask(&header).await;
        assert_eq!(answer.body["allowed"], want, "{}", answer.body);
    }
    assert_eq!(ask("nonsense").await.problem(), (400, "malformed-attestation"));
    client.platform().advance(Duration::from_mins(1));
    assert_eq!(ask(&good).await.body["allowed"], false, "it has expired");
}
