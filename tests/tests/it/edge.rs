//! What the tests of bad requests share.

use std::{sync::Barrier, thread};

use e2e::{Answer, Client, Installation, Signer, Tenant};
use http::Method;
use serde_json::{Value, json};

/// An edge and one wallet that is signed in.
pub(crate) struct Edge {
    pub(crate) installation: Installation,
    pub(crate) signer: Signer,
    pub(crate) tenant: Tenant,
}

impl Edge {
    pub(crate) fn start() -> Self {
        Self::of(Installation::default())
    }

    /// The edge of an installation that is not up yet.
    pub(crate) fn of(mut installation: Installation) -> Self {
        installation.up();
        let signer = Signer::start();
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        Self { installation, signer, tenant }
    }

    pub(crate) fn client(&self) -> Client {
        self.installation.edge()
    }

    /// A wallet that nobody has seen before, signed in.
    pub(crate) fn stranger(&self) -> Tenant {
        Tenant::sign_in(&self.client(), &self.signer, &self.signer.fresh().key)
    }

    /// Sends a body as it is.
    pub(crate) fn raw(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Answer {
        let client = self.client();
        let request = client
            .request(method, path)
            .header("authorization", format!("Bearer {}", self.tenant.token))
            .header("content-type", content_type);
        client.send(request, Some(body))
    }

    /// A message of the first wallet for this edge, with `fields` over the usual ones.
    pub(crate) fn proof(&self, fields: &Value) -> Value {
        let site = self.client().origin().to_owned();
        let proof = self.signer.message(e2e::ANVIL_KEY, &site, fields);
        json!({ "message": proof.message, "signature": proof.signature })
    }

    pub(crate) fn nonce(&self) -> String {
        self.client().get("/v1/auth/nonce", None).field("nonce")
    }

    pub(crate) fn verify(&self, body: &Value) -> Answer {
        self.client().post("/v1/auth/verify", None, body)
    }

    /// Checks that the tenant has no space and that nothing was made on Docker.
    pub(crate) fn nothing_changed(&self) {
        Self::has_no_space(&self.tenant);
        assert_eq!(self.installation.objects(), []);
    }

    /// Checks that a wallet has no space.
    pub(crate) fn has_no_space(tenant: &Tenant) {
        assert_eq!(tenant.get("/v1/spaces").json["items"], json!([]));
    }
}

/// An installation that is not up, with a gate for its wallets.
pub(crate) fn gated(policy: &Value, rpc_urls: &Value) -> Installation {
    Installation::default()
        .with_variable("crdt_gate_enabled", "true")
        .with_variable("gate_policy", &policy.to_string())
        .with_variable("rpc_urls", &rpc_urls.to_string())
}

/// What asks for a `hello` space.
pub(crate) fn hello(name: &str) -> Value {
    json!({ "app": "hello", "name": name })
}

/// A problem as the contract names it.
pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Runs `work` on `n` threads that begin together.
pub(crate) fn at_once<T: Send>(n: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(n);
    thread::scope(|scope| {
        let run = |index| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(index)
            })
        };
        let threads: Vec<_> = (0..n).map(run).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    })
}
