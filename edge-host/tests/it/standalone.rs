//! `session.wasm` and `gate.wasm` in front of somebody else's handler, by the manifests of their
//! READMEs to the letter.

use std::{fs, path::Path, time::SystemTime};

use edge_host::Edge;
use http::{Method, StatusCode};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use siwe::{Fields, Message};
use time::OffsetDateTime;

use crate::support::{Answer, Running, options, send};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A site behind the middlewares of a README, with the probe as the handler.
struct Site(Running);

/// A wallet with a session.
struct Visitor {
    address: String,
    token: String,
}

impl Site {
    async fn start(readme: &str, variables: &[(&str, String)]) -> Self {
        let text = fs::read_to_string(Path::new(REPOSITORY).join(readme)).unwrap();
        let manifest = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        assert!(manifest.lines().count() <= 11, "ten lines, and none for show");
        let directory = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let mut manifest = manifest
            .replace("app.wasm", "{probes}/probe.wasm")
            .replace("http://127.0.0.1:3000", &format!("http://{here}"));
        for name in ["session.wasm", "gate.wasm"] {
            manifest = manifest.replace(name, &format!("{REPOSITORY}/dist/{name}"));
        }
        let mut options = options(&directory, &manifest);
        options.listener = listener;
        options.variables.insert("session_key".to_owned(), "k".repeat(32));
        for (name, value) in variables {
            options.variables.insert((*name).to_owned(), value.clone());
        }
        let edge = Edge::start(options).await.unwrap_or_else(|it| panic!("{it:?}"));
        Self(Running { edge, directory })
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let uri = format!("http://{}{path}", self.0.edge.addr());
        let mut request = http::Request::builder().method(Method::GET).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request.body(String::new()).unwrap()).await
    }

    /// What the handler is told of a caller.
    async fn told(&self, visitor: &Visitor) -> Answer {
        let bearer = format!("Bearer {}", visitor.token);
        let forged = "0x0000000000000000000000000000000000000001";
        self.get("/headers", &[("authorization", &bearer), ("spaceport-wallet", forged)]).await
    }

    async fn sign_in(&self, key: &SigningKey) -> Visitor {
        let domain = self.0.edge.addr().to_string();
        let nonce: Value = serde_json::from_str(&self.0.get("/v1/auth/nonce").await.ok()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the edge reads the real clock")]
        let now = OffsetDateTime::from(SystemTime::now());
        let address = evm::address_of(key.verifying_key());
        let message = Message::new(Fields {
            scheme: None,
            domain: domain.clone(),
            address,
            statement: None,
            uri: format!("http://{domain}"),
            chain_id: 1,
            nonce: nonce["nonce"].as_str().unwrap().to_owned(),
            issued_at: now,
            expiration_time: None,
            not_before: None,
            request_id: None,
            resources: Vec::new(),
        });
        let message = message.unwrap().to_string();
        let body = json!({ "message": message, "signature": siwe::sign(&message, key) });
        let request = http::Request::post(format!("http://{domain}/v1/auth/verify"))
            .header("content-type", "application/json");
        let answer = send(request.body(body.to_string()).unwrap()).await.ok();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Visitor { address: text("address"), token: text("token") }
    }
}

fn wallet(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

#[track_caller]
fn refused(answer: &Answer, status: StatusCode, code: &str) {
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    assert_eq!((answer.status, &problem["code"]), (status, &json!(code)), "{answer:?}");
}

/// What the handler was told under `name`, each time.
fn told<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|it| it.split_once(": "));
    lines.filter(|(it, _)| *it == name).map(|(_, value)| value.trim_matches('"')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_is_put_in_front_of_any_handler() {
    let site = Site::start("components/session/README.md", &[]).await;
    refused(&site.get("/headers", &[]).await, StatusCode::UNAUTHORIZED, "unauthenticated");
    let forged = [("spaceport-wallet", "0x0000000000000000000000000000000000000001")];
    refused(&site.get("/headers", &forged).await, StatusCode::UNAUTHORIZED, "unauthenticated");

    let visitor = site.sign_in(&wallet(1)).await;
    let text = site.told(&visitor).await.ok();
    assert_eq!(told(&text, "spaceport-wallet"), [visitor.address.as_str()], "{text}");

    let bearer = format!("Bearer {}", visitor.token);
    let request = http::Request::post(format!("http://{}/v1/keys", site.0.edge.addr()))
        .header("content-type", "application/json")
        .header("authorization", &bearer);
    let body = json!({ "name": "bot", "scopes": ["spaces:read"] }).to_string();
    let made = send(request.body(body).unwrap()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let made: Value = serde_json::from_str(&made.text).unwrap();
    let key = format!("Bearer {}", made["key"].as_str().unwrap());
    let text = site.get("/headers", &[("authorization", &key)]).await.ok();
    assert_eq!(told(&text, "spaceport-wallet"), [visitor.address.as_str()], "{text}");

    // The key is for reading.
    let request = http::Request::post(format!("http://{}/echo", site.0.edge.addr()));
    let written = send(request.header("authorization", &key).body("x".to_owned()).unwrap()).await;
    refused(&written, StatusCode::FORBIDDEN, "insufficient-scope");
    let request = http::Request::post(format!("http://{}/echo", site.0.edge.addr()));
    let request = request.header("authorization", &bearer).body("x".to_owned());
    assert_eq!(send(request.unwrap()).await.ok(), "x");

    let request = http::Request::post(format!("http://{}/v1/auth/logout", site.0.edge.addr()))
        .header("authorization", &bearer);
    let left = send(request.body(String::new()).unwrap()).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT, "{left:?}");
    refused(&site.told(&visitor).await, StatusCode::UNAUTHORIZED, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_is_put_in_front_of_any_handler() {
    let member = evm::address_of(wallet(1).verifying_key()).to_string();
    let listed = json!({ "kind": "allowlist", "label": "Members", "addresses": [member] });
    let token = json!({
        "kind": "erc20", "chain_id": 1, "required": "1",
        "contract": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    });
    // Nobody listens there.
    let rpc_urls = json!({ "1": ["http://127.0.0.1:1"] }).to_string();
    let policy = |mode: &str, rules: Value| json!({ "mode": mode, "rules": rules }).to_string();
    let variables = |policy: String| [("gate_policy", policy), ("rpc_urls", rpc_urls.clone())];

    let site =
        Site::start("components/gate/README.md", &variables(policy("all", json!([listed])))).await;
    refused(&site.get("/headers", &[]).await, StatusCode::UNAUTHORIZED, "unauthenticated");
    let (member, stranger) = (site.sign_in(&wallet(1)).await, site.sign_in(&wallet(2)).await);
    let text = site.told(&member).await.ok();
    assert_eq!(told(&text, "spaceport-wallet"), [member.address.as_str()], "{text}");
    let closed = site.told(&stranger).await;
    refused(&closed, StatusCode::FORBIDDEN, "gate-closed");
    assert!(closed.text.contains("Your address is not on the list."), "{closed:?}");
    let bearer = format!("Bearer {}", stranger.token);
    let shown = site.get("/v1/gate", &[("authorization", &bearer)]).await.ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown["allowed"], &shown["rules"][0]["label"]),
        (&json!(false), &json!("Members"))
    );

    let either = variables(policy("any", json!([listed, token])));
    let site = Site::start("components/gate/README.md", &either).await;
    let (member, stranger) = (site.sign_in(&wallet(1)).await, site.sign_in(&wallet(2)).await);
    assert_eq!(site.told(&member).await.status, StatusCode::OK);
    let undecided = site.told(&stranger).await;
    refused(&undecided, StatusCode::SERVICE_UNAVAILABLE, "gate-unavailable");
    assert!(undecided.headers.contains_key("retry-after"));

    let wrong = Site::start("components/gate/README.md", &variables("{}".to_owned())).await;
    refused(&wrong.get("/headers", &[]).await, StatusCode::INTERNAL_SERVER_ERROR, "internal");
}
