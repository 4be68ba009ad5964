//! A client that calls the routers as the manifest lays them out.

use std::sync::Arc;

use axum::{Router, body::Body};
use domain::{Generation, ObservedState};
use evm::Network as _;
use fleet::{AppOffer, Hello, Observation, Observations};
use gate::GateLayer;
use http::{HeaderMap, Method, Request, StatusCode};
use http_api::{Config, Edge, GateGuard, TillLayer, routes};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use crate::{TestPlatform, TestWallet};

/// The operator's key in tests.
pub const ADMIN_KEY: &str = "the operator's key in tests";
/// The cron trigger's key in tests.
pub const CRON_KEY: &str = "the cron trigger's key in all tests";

/// The edge, called without a server.
pub struct Client {
    edge: Arc<Edge<TestPlatform>>,
}

/// What the edge answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; a string if it is not JSON.
    pub body: Value,
}

impl Default for Client {
    fn default() -> Self {
        Self::with(&[])
    }
}

impl Client {
    /// An edge with these variables. It limits nobody and has the gate where the manifest has it,
    /// unless they say otherwise.
    #[must_use]
    pub fn with(variables: &[(&str, &str)]) -> Self {
        Self::on(Arc::new(TestPlatform::default()), variables)
    }

    /// Another edge with these variables in a world that there is already.
    #[must_use]
    pub fn on(platform: Arc<TestPlatform>, variables: &[(&str, &str)]) -> Self {
        let given = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        let config = Config::parse(|name| {
            given(name).or_else(|| match name {
                "session_key" => Some("a session key that is used in tests only".to_owned()),
                "admin_key_sha256" => Some(credentials::sha256_hex(ADMIN_KEY)),
                "cron_key" => Some(CRON_KEY.to_owned()),
                "cors_origins" => Some("https://friend.example".to_owned()),
                "admin_addresses" => Some(TestWallet::new(99).wallet.to_string()),
                "rate_general_per_min" | "rate_provision_per_hour" => Some("0".to_owned()),
                "gate_methods" => Some("POST".to_owned()),
                "gate_refusal_by" => Some("handler".to_owned()),
                _ => None,
            })
        });
        Self { edge: Edge::new(config.unwrap(), platform) }
    }

    /// The world behind the edge.
    #[must_use]
    pub fn platform(&self) -> &Arc<TestPlatform> {
        &self.edge.platform
    }

    /// The edge.
    #[must_use]
    pub fn edge(&self) -> &Arc<Edge<TestPlatform>> {
        &self.edge
    }

    /// The routes of spaces, with nothing in front.
    pub fn handler_without_gate(&self) -> Router {
        routes::spaces(&self.edge)
    }

    /// The router that the manifest has for `path`.
    fn router(&self, path: &str) -> Router {
        let edge = &self.edge;
        match path.split(['/', '?']).nth(1) {
            Some("fleet") => routes::fleet(edge),
            Some("metrics") => routes::fleet(edge),
            Some("webhooks") => routes::billing(edge),
            Some("internal") if path == "/internal/cron/payments" => routes::billing(edge),
            Some("internal") if path == "/internal/cron/billing" => routes::billing(edge),
            Some("internal") if !path.starts_with("/internal/cron/") => routes::spaces(edge),
            Some("internal") if path == "/internal/cron/domains" => routes::spaces(edge),
            Some("internal") => routes::auth(edge),
            Some("readyz") => routes::spaces(edge),
            Some("v1") => match path.split(['/', '?']).nth(2) {
                Some("auth" | "keys" | "gate") => routes::auth(edge),
                Some("admin") => routes::fleet(edge),
                Some("wallet" | "payments" | "pricing") => routes::billing(edge),
                _ => routes::spaces(edge),
            },
            _ => routes::web(&edge.config.site, &edge.platform),
        }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let path = request.uri().path().to_owned();
        let router = self.router(&path);
        let gate = GateLayer::new(GateGuard::new(Arc::clone(&self.edge)));
        let till = TillLayer::new(Arc::clone(&self.edge));
        let response = if path == "/v1/spaces" {
            gate.layer(till.layer(router)).oneshot(request).await
        } else if path.ends_with("/payments") {
            till.layer(router).oneshot(request).await
        } else {
            router.oneshot(request).await
        };
        let Ok(response) = response;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::String(text));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request with a bearer token and a JSON body, each if there is one.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// GETs `path`.
    pub async fn get(&self, path: &str, bearer: Option<&str>) -> Answer {
        self.call(Method::GET, path, bearer, None).await
    }

    /// POSTs `body` to `path`.
    pub async fn post(&self, path: &str, bearer: Option<&str>, body: Value) -> Answer {
        self.call(Method::POST, path, bearer, Some(body)).await
    }

    /// A fresh nonce.
    pub async fn nonce(&self) -> String {
        self.get("/v1/auth/nonce", None).await.text("nonce")
    }

    /// Signs `wallet` in; returns the token of its session.
    pub async fn sign_in(&self, wallet: &TestWallet) -> String {
        let nonce = self.nonce().await;
        let domain = &self.edge.config.site.domain;
        let message = wallet.message(domain, &nonce, self.platform().now()).to_string();
        let body = json!({ "message": message, "signature": wallet.sign(&message) });
        let answer = self.post("/v1/auth/verify", None, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("token")
    }

    /// Adds a host that offers the app `hello` at 32 MiB; returns its key.
    pub async fn add_host(&self, name: &str, memory_mib: u64) -> String {
        self.add_host_offering(name, memory_mib, 32).await
    }

    /// Adds a host that offers the app `hello` at `app_mib`; returns its key.
    pub async fn add_host_offering(&self, name: &str, memory_mib: u64, app_mib: u32) -> String {
        let added = self.post("/v1/admin/hosts", Some(ADMIN_KEY), json!({ "name": name })).await;
        assert_eq!(added.status, 201, "{}", added.body);
        let key = added.text("key");
        self.hello(&key, memory_mib, app_mib).await;
        key
    }

    /// Lets the worker with this key say that it is there, and that it offers `hello` at `app_mib`.
    pub async fn hello(&self, key: &str, memory_mib: u64, app_mib: u32) {
        self.hello_with(key, memory_mib, Self::offer(app_mib)).await;
    }

    /// The app `hello` at `app_mib`, in its first release.
    #[must_use]
    pub fn offer(app_mib: u32) -> AppOffer {
        AppOffer {
            id: "hello".to_owned(),
            title: "Hello".to_owned(),
            description: "Says hello.".to_owned(),
            release: "one".to_owned(),
            version: "1.0".to_owned(),
            memory_mib: app_mib,
            cpus_milli: 500,
            disk_mib: 16,
            settings_schema: json!(settings_schema()),
        }
    }

    /// Lets the worker with this key say that it is there, and that it offers `app`.
    pub async fn hello_with(&self, key: &str, memory_mib: u64, app: AppOffer) {
        let hello = Hello {
            version: "0.1.0".to_owned(),
            gateway_url: "http://127.0.0.1:8080".to_owned(),
            memory_mib,
            apps: vec![app],
        };
        let answer = self.call(Method::PUT, "/fleet/v1/hello", Some(key), Some(json!(hello))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Lets the worker with this key say that the space `id` is in this state.
    pub async fn see(&self, key: &str, id: &str, generation: u64, state: ObservedState) {
        let observation = Observation {
            space: id.parse().unwrap(),
            generation: Generation(generation),
            state,
            release: None,
            reason: None,
            steps: Vec::new(),
        };
        let body = json!(Observations { items: vec![observation] });
        let answer = self.post("/fleet/v1/observations", Some(key), body).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// Makes an API key with this scope; returns it.
    pub async fn make_key(&self, session: &str, scope: &str) -> String {
        let body = json!({ "name": "bot", "scopes": [scope] });
        let answer = self.post("/v1/keys", Some(session), body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.text("key")
    }

    /// Makes the space `name`, which must succeed; returns its id.
    pub async fn create(&self, bearer: &str, name: &str) -> String {
        let body = json!({ "name": name, "app": "hello" });
        let answer = self.post("/v1/spaces", Some(bearer), body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.text("id")
    }
}

/// One setting: a greeting of at most 20 characters.
fn settings_schema() -> settings::Schema {
    let greeting = settings::Declaration {
        kind: settings::Type::String,
        title: None,
        description: None,
        default: None,
        max_length: Some(20),
        allowed: None,
        minimum: None,
        maximum: None,
        required: false,
    };
    settings::Schema::new([("greeting".to_owned(), greeting)].into()).unwrap()
}

impl Answer {
    /// The text in `field` of the body.
    #[must_use]
    pub fn text(&self, field: &str) -> String {
        let found = self.body[field].as_str();
        found.unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }

    /// The status and the code of a problem; checks that it is one in every respect.
    #[must_use]
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        assert_eq!(self.body["status"], self.status.as_u16());
        let mut fields: Vec<_> = self.body.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["code", "detail", "status", "title", "type"]);
        if self.status == 401 {
            assert_eq!(self.headers["www-authenticate"], "Bearer");
        }
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }
}
