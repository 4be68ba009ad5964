//! `session.wasm`, `gate.wasm` and `x402.wasm` in front of somebody else's handler, by the manifests of
//! their READMEs to the letter.

use std::{fs, net::SocketAddr, path::Path, time::SystemTime};

use edge_host::Edge;
use http::{Method, StatusCode};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use siwe::{Fields, Message};
use testkit::{
    TestWallet,
    payments::{PAY_TO, TestPayment, decode, encode},
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use x402::{Payment, Version};

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
        Self::before("probe", readme, variables).await
    }

    /// A site whose handler is the probe of this name.
    async fn before(handler: &str, readme: &str, variables: &[(&str, String)]) -> Self {
        let text = fs::read_to_string(Path::new(REPOSITORY).join(readme)).unwrap();
        let manifest = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        assert!(manifest.lines().count() <= 11, "ten lines, and none for show");
        let directory = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let mut manifest = manifest
            .replace("app.wasm", &format!("{{probes}}/{handler}.wasm"))
            .replace("http://127.0.0.1:3000", &format!("http://{here}"));
        for name in ["session.wasm", "gate.wasm", "x402.wasm"] {
            manifest = manifest.replace(name, &format!("{REPOSITORY}/dist/{name}"));
        }
        let mut options = options(&directory, &manifest);
        options.listener = listener;
        options.variables.insert("session_key".to_owned(), "k".repeat(32));
        for (name, value) in variables {
            if *name == "facilitator" {
                // Ours is not on the public internet.
                let text = fs::read_to_string(&options.manifest).unwrap();
                fs::write(&options.manifest, text.replace("https://*:443", value)).unwrap();
            }
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

/// A facilitator that settles everything, and tells what it was asked.
async fn facilitator() -> (SocketAddr, mpsc::UnboundedReceiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (asked, questions) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = asked.send(read_json(&mut stream).await);
            let transaction = format!("0x{}", "5e".repeat(32));
            let body =
                json!({ "success": true, "network": "eip155:84532", "transaction": transaction });
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len(),
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (addr, questions)
}

/// The body of a request, which is one JSON object.
async fn read_json(stream: &mut TcpStream) -> Value {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "the request ends early");
        text.extend_from_slice(&buffer[..length]);
        let whole = String::from_utf8_lossy(&text);
        let Some(start) = whole.find("\r\n\r\n") else { continue };
        // In one piece or in chunks.
        let Some((first, last)) = whole[start..].find('{').zip(whole.rfind('}')) else { continue };
        if let Ok(body) = serde_json::from_str(&whole[start + first..=last]) {
            return body;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_is_put_in_front_of_any_handler() {
    let (addr, mut questions) = facilitator().await;
    let variables = [
        ("pay_to", PAY_TO.to_owned()),
        ("networks", "eip155:84532".to_owned()),
        ("facilitator", format!("http://{addr}")),
    ];
    let site = Site::before("probe-paid", "components/x402/README.md", &variables).await;
    #[expect(clippy::disallowed_methods, reason = "the edge reads the real clock")]
    let now_s = OffsetDateTime::from(SystemTime::now()).unix_timestamp();

    let forged = [("spaceport-payment", "{}"), ("spaceport-receipt", "v4.local.anything")];
    let asked = site.get("/weather", &forged).await;
    assert_eq!(asked.status, StatusCode::PAYMENT_REQUIRED, "{asked:?}");
    assert_eq!(asked.headers["cache-control"], "no-store");
    let challenge = decode(&asked.headers["payment-required"]);
    let url = format!("http://{}/weather", site.0.edge.addr());
    assert_eq!(
        (&challenge["x402Version"], &challenge["resource"]["url"]),
        (&json!(2), &json!(url)),
    );
    let accepted = &challenge["accepts"][0];
    assert_eq!((&accepted["amount"], &accepted["payTo"]), (&json!("10000"), &json!(PAY_TO)));
    let v1: Value = serde_json::from_str(&asked.text).unwrap();
    assert_eq!(
        (&v1["x402Version"], &v1["accepts"][0]["maxAmountRequired"]),
        (&json!(1), &json!("10000"))
    );

    let buyer = TestWallet::new(7);
    let payment = |nonce| TestPayment::asked_by(&challenge, nonce, now_s);
    let rows = [
        ("x-payment", "x-payment-response", encode(&payment(1).v1(&buyer))),
        ("payment-signature", "payment-response", encode(&payment(2).v2(&buyer, &challenge))),
    ];
    for (name, answered_in, value) in &rows {
        let paid = site.get("/weather", &[(name, value)]).await;
        assert_eq!((paid.status, &*paid.text), (StatusCode::OK, r#"{"ok":true}"#), "{paid:?}");
        let settled = decode(&paid.headers[*answered_in]);
        assert_eq!(settled["success"], true, "{settled}");
        assert_eq!(settled["payer"], buyer.wallet.to_string());
        let question = questions.try_recv().unwrap();
        assert_eq!(question["paymentRequirements"]["payTo"], PAY_TO);

        // The same answer, and the handler and the facilitator know nothing of it.
        for _ in 0..2 {
            let again = site.get("/weather", &[(name, value)]).await;
            assert_eq!((again.status, &again.text), (paid.status, &paid.text), "{again:?}");
            assert_eq!(again.headers["x-served-at"], paid.headers["x-served-at"]);
        }
        // For something else it is used up.
        let other = site.get("/tide", &[(name, value)]).await;
        assert_eq!(other.status, StatusCode::PAYMENT_REQUIRED, "{other:?}");
        let error: Value = serde_json::from_str(&other.text).unwrap();
        assert_eq!(error["error"], "invalid_exact_evm_nonce_already_used");
        assert!(questions.try_recv().is_err(), "it was asked again");
    }
    let malformed = site.get("/weather", &[("payment-signature", "%%%")]).await;
    refused(&malformed, StatusCode::BAD_REQUEST, "malformed-payment");

    let id = Payment::from_header(Version::V2, rows[1].2.as_bytes()).unwrap().id();
    let shown = site.get(&format!("/v1/payments/{id}"), &[]).await.ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["state"], &shown["amount"]), (&json!("settled"), &json!("0.01")), "{shown}");
    assert_eq!(shown["payer"], buyer.wallet.to_string());
    let unknown = site.get("/v1/payments/pay_00000000000000000000000000000000", &[]).await;
    refused(&unknown, StatusCode::NOT_FOUND, "payment-not-found");
}
