//! Somebody who pays for a space, on a chain in memory.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use evm::Network as _;
use http::Request;
use serde_json::{Value, json};
use testkit::{
    ADMIN_KEY, Answer, CRON_KEY, Client, TestPlatform, TestWallet,
    payments::{PAID, TestChain, TestPayment, decode, encode},
};

/// Somebody who wants a space that costs something.
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) chain: TestChain,
    pub(crate) buyer: TestWallet,
    pub(crate) token: String,
    pub(crate) host_key: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        let platform = Arc::new(TestPlatform::default());
        let chain = TestChain::start(&platform);
        let variables = [variables, &PAID].concat();
        let client = Client::on(platform, &variables);
        let host_key = client.add_host("host-1", 4096).await;
        let buyer = TestWallet::new(1);
        let token = client.sign_in(&buyer).await;
        Self { client, chain, buyer, token, host_key }
    }

    /// Lets so many seconds pass, in which the host is there.
    pub(crate) async fn wait(&self, seconds: u64) {
        self.client.platform().advance(Duration::from_secs(seconds));
        self.client.hello(&self.host_key, 4096, 32).await;
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.client.platform().now().unix_s()
    }

    /// Asks for the space `name`, with a payment header.
    pub(crate) async fn ask(&self, name: &str, header: Option<(&str, &str)>) -> Answer {
        self.send("/v1/spaces", &space(name), header).await
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        body: &Value,
        header: Option<(&str, &str)>,
    ) -> Answer {
        let mut request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        self.client.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// What is asked for a space.
    pub(crate) async fn challenge(&self) -> Value {
        self.challenge_for("garden").await
    }

    pub(crate) async fn challenge_for(&self, name: &str) -> Value {
        let answer = self.ask(name, None).await;
        assert_eq!(answer.status, 402, "{}", answer.body);
        decode(&answer.headers["payment-required"])
    }

    /// A payment for a space, in a header of V2.
    pub(crate) async fn payment(&self, nonce: u8) -> String {
        let challenge = self.challenge().await;
        let payment = TestPayment::asked_by(&challenge, nonce, self.now_s());
        encode(&payment.v2(&self.buyer, &challenge))
    }

    pub(crate) async fn pay(&self, name: &str, payment: &str) -> Answer {
        self.ask(name, Some(("payment-signature", payment))).await
    }

    pub(crate) async fn wallet(&self) -> Value {
        self.client.get("/v1/wallet", Some(&self.token)).await.body
    }

    /// What became of the payment that a 503 names.
    pub(crate) async fn state_of(&self, pending: &Answer) -> String {
        let path = format!("/v1/payments/{}", pending.text("payment"));
        self.client.get(&path, None).await.text("state")
    }

    pub(crate) async fn run_job(&self) -> Value {
        let path = "/internal/cron/payments";
        let answer = self.client.post(path, Some(CRON_KEY), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Checks that the books balance and that what they say came in is what came in.
    pub(crate) async fn check_books(&self) {
        let audit = self.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
        assert_eq!(audit["books"]["balance"], true, "{audit}");
        let database = self.client.platform().open();
        let rows = records::Database::execute(
            &database,
            "SELECT coalesce(sum(debits), 0) FROM accounts WHERE account GLOB 'payments:*'",
            vec![],
        );
        let credited = rows.await.unwrap()[0].unsigned(0);
        assert_eq!(credited, self.chain.paid().0, "credited, and paid on the chain");
    }
}

pub(crate) fn space(name: &str) -> Value {
    json!({ "name": name, "app": "hello" })
}
