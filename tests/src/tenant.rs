//! Who has spaces, and who visits them.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client, with_bearer},
    docker::Object,
    poll::eventually,
    signer::Signer,
};

/// The longest a space may take to change, on a machine that does much else.
const CHANGE_TIME_MAX: Duration = Duration::from_secs(90);

/// A wallet that is signed in.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its client of the edge.
    pub edge: Client,
    /// The token of its session.
    pub token: String,
    /// Its address, in EIP-55.
    pub address: String,
}

/// Somebody who looks at spaces.
#[derive(Clone, Debug)]
pub struct Visitor {
    gateway: Client,
}

impl Tenant {
    /// Signs the wallet with `key` in.
    #[must_use]
    pub fn sign_in(edge: &Client, signer: &Signer, key: &str) -> Self {
        let nonce = edge.get("/v1/auth/nonce", None).field("nonce");
        let proof = signer.message(key, edge.origin(), &json!({ "nonce": nonce }));
        let body = json!({ "message": proof.message, "signature": proof.signature });
        let answer = edge.post("/v1/auth/verify", None, &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self { edge: edge.clone(), token: answer.field("token"), address: proof.address }
    }

    /// Whoever has a session or key of a wallet, made elsewhere.
    #[must_use]
    pub fn with_bearer(edge: &Client, bearer: &str, address: &str) -> Self {
        Self { edge: edge.clone(), token: bearer.to_owned(), address: address.to_owned() }
    }

    /// The same tenant at an edge that was started again elsewhere.
    #[must_use]
    pub fn at(&self, edge: &Client) -> Self {
        Self { edge: edge.clone(), ..self.clone() }
    }

    /// GETs `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.edge.get(path, Some(&self.token))
    }

    /// POSTs `body` to `path`.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.edge.post(path, Some(&self.token), body)
    }

    /// GETs `path` with one more header.
    #[must_use]
    pub fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        let request = with_bearer(self.edge.request(Method::GET, path), Some(&self.token));
        self.edge.send(request.header(header.0, header.1), None)
    }

    /// POSTs `body` to `path` with more headers.
    #[must_use]
    pub fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let request = with_bearer(self.edge.request(Method::POST, path), Some(&self.token));
        let request = request.header("content-type", "application/json");
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        self.edge.send(request, Some(body.to_string().into_bytes()))
    }

    /// Makes a space; the answer must be 202. Returns its id.
    #[must_use]
    pub fn create(&self, app: &str, name: &str) -> String {
        let answer = self.post("/v1/spaces", &json!({ "app": app, "name": name }));
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.field("id")
    }

    /// Sends `method` to `path` with an idempotency key.
    ///
    /// # Errors
    /// What was in the way of an answer.
    pub fn try_send(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = with_bearer(self.edge.request(method, path), Some(&self.token));
        request = request.header("idempotency-key", key);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.edge.try_send(request, body.map(|it| it.to_string().into_bytes()))
    }

    /// Deletes a space.
    #[must_use]
    pub fn delete(&self, space: &str) -> Answer {
        self.delete_path(&format!("/v1/spaces/{space}"))
    }

    /// Sends a DELETE to `path`.
    #[must_use]
    pub fn delete_path(&self, path: &str) -> Answer {
        let request = self.edge.request(Method::DELETE, path);
        self.edge.send(with_bearer(request, Some(&self.token)), None)
    }

    /// A space as it is now.
    #[must_use]
    pub fn space(&self, space: &str) -> Value {
        let answer = self.get(&format!("/v1/spaces/{space}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// Waits until a space is in `phase`; it must not fail on the way. Returns it as it is then.
    #[expect(clippy::must_use_candidate, reason = "most callers only wait")]
    pub fn wait_for(&self, space: &str, phase: &str) -> Value {
        let mut last = Value::Null;
        eventually(CHANGE_TIME_MAX, || {
            last = self.space(space);
            assert!(phase == "failed" || last["phase"] != "failed", "{last}");
            if last["phase"] == phase { Ok(()) } else { Err(format!("not {phase}: {last}")) }
        });
        last
    }

    /// Deletes a space and waits until nothing is left of it.
    pub fn delete_and_wait(&self, space: &str) {
        let answer = self.delete(space);
        assert_eq!(answer.status, 202, "{}", answer.text);
        self.wait_for(space, "deleted");
        assert_eq!(Object::labelled(&format!("spaceport.space={space}")), []);
    }
}

impl Visitor {
    /// A visitor of the spaces behind `gateway`.
    #[must_use]
    pub fn of(gateway: &str) -> Self {
        Self { gateway: Client::new(gateway) }
    }

    /// GETs `path` of the space `name`.
    #[must_use]
    pub fn get(&self, name: &str, path: &str) -> Answer {
        self.gateway.send(self.request(Method::GET, name, path), None)
    }

    /// GETs `path` of the space `name`, as a program.
    #[must_use]
    pub fn get_json(&self, name: &str, path: &str) -> Answer {
        let request = self.request(Method::GET, name, path);
        self.gateway.send(request.header("accept", "application/json"), None)
    }

    /// Sends a form to `path` of the space `name`.
    #[must_use]
    pub fn post_form(&self, name: &str, path: &str, form: &str) -> Answer {
        let request = self.request(Method::POST, name, path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.gateway.send(request, Some(form.as_bytes().to_vec()))
    }

    fn request(&self, method: Method, name: &str, path: &str) -> http::request::Builder {
        self.gateway.request(method, path).header("host", format!("{name}.localhost"))
    }
}
