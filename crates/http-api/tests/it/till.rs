//! The till in front of somebody else's handler, which says what a request costs and no more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use evm::Network as _;
use http::{HeaderMap, Request, StatusCode};
use http_api::TillLayer;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use testkit::{
    ADMIN_KEY, Client, TestPlatform, TestWallet,
    payments::{Fate, PAID, TestChain, TestPayment, decode, encode},
};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

/// What the handler does when it is paid.
#[derive(Default)]
struct Works {
    n_paid: AtomicUsize,
    /// The statuses of its next answers; 201 after them.
    fails: std::sync::Mutex<Vec<u16>>,
}

async fn weather(State(works): State<Arc<Works>>, headers: HeaderMap, body: String) -> Response {
    let Some(paid) = headers.get("spaceport-payment") else {
        if body == "wrong" {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
        let quote = json!({ "price": "0.01", "description": "The weather of tomorrow" });
        let kind = [("content-type", "application/vnd.spaceport.quote+json")];
        return (StatusCode::PAYMENT_REQUIRED, kind, quote.to_string()).into_response();
    };
    let n = works.n_paid.fetch_add(1, Ordering::SeqCst);
    let fails = works.fails.lock().unwrap().pop();
    if let Some(status) = fails {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let paid: Value = serde_json::from_slice(paid.as_bytes()).unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let answer = json!({ "n": n, "payer": paid["payer"], "amount": paid["amount"], "body": body });
    let more = [("x-weather", "rain".to_owned()), ("x-key", key)];
    (StatusCode::CREATED, more, axum::Json(answer)).into_response()
}

struct Site {
    client: Client,
    chain: TestChain,
    works: Arc<Works>,
    buyer: TestWallet,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Site {
    fn start() -> Self {
        let platform = Arc::new(TestPlatform::default());
        let chain = TestChain::start(&platform);
        let client = Client::on(platform, &PAID);
        Self { client, chain, works: Arc::default(), buyer: TestWallet::new(1) }
    }

    async fn send(&self, body: &str, payment: Option<&str>) -> Answer {
        let handler =
            Router::new().route("/weather", post(weather)).with_state(Arc::clone(&self.works));
        let till = TillLayer::new(Arc::clone(self.client.edge())).layer(handler);
        let mut request = Request::post("/weather").header("spaceport-payment", "{}");
        if let Some(payment) = payment {
            request = request.header("payment-signature", payment);
        }
        let Ok(response) = till.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn payment(&self, nonce: u8) -> String {
        let asked = self.send("oslo", None).await;
        assert_eq!(asked.status, 402, "{}", asked.body);
        let challenge = decode(&asked.headers["payment-required"]);
        assert_eq!(challenge["accepts"][0]["amount"], "10000");
        let now_s = self.client.platform().now().unix_s();
        encode(&TestPayment::asked_by(&challenge, nonce, now_s).v2(&self.buyer, &challenge))
    }

    fn n_paid(&self) -> usize {
        self.works.n_paid.load(Ordering::SeqCst)
    }

    async fn check_books(&self) {
        let audit = self.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
        assert_eq!(audit["books"]["balance"], true, "{audit}");
    }
}

#[tokio::test]
async fn the_handler_works_once_for_one_payment() {
    let site = Site::start();
    let payment = site.payment(7).await;
    let sent = (0..20).map(|_| site.send("oslo", Some(&payment)));
    let answers = futures::future::join_all(sent).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
        assert_eq!(answer.headers["x-weather"], "rain");
        assert_eq!(decode(&answer.headers["payment-response"])["success"], true);
        assert_eq!(answer.headers["cache-control"], "private");
    }
    let told: Value = serde_json::from_str(&answers[0].body).unwrap();
    assert_eq!((&told["amount"], &told["body"]), (&json!("0.01"), &json!("oslo")));
    assert_eq!(told["payer"], site.buyer.wallet.to_string());
    assert_eq!((site.n_paid(), site.chain.n_asked(), site.chain.paid()), (1, 1, (10_000, 1)));
    // For another request it is used up.
    let other = site.send("bergen", Some(&payment)).await;
    assert_eq!(other.status, 402);
    let error = &decode(&other.headers["payment-required"])["error"];
    assert_eq!(error, "invalid_exact_evm_nonce_already_used");
    site.check_books().await;
}

#[tokio::test]
async fn a_payment_is_kept_until_the_handler_has_worked() {
    let site = Site::start();
    let payment = site.payment(7).await;
    *site.works.fails.lock().unwrap() = vec![404, 500];
    for status in [500, 404, 201, 201] {
        let answer = site.send("oslo", Some(&payment)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(decode(&answer.headers["payment-response"])["success"], true);
        site.check_books().await;
    }
    assert_eq!((site.n_paid(), site.chain.paid().1), (3, 1));
}

#[tokio::test]
async fn nobody_pays_for_what_would_fail_or_could_not_be_settled() {
    let site = Site::start();
    let payment = site.payment(7).await;
    assert_eq!(site.send("wrong", Some(&payment)).await.status, 422);
    assert_eq!(site.send("oslo", Some("%%%")).await.status, 400);
    assert_eq!(site.send(&"x".repeat(70_000), Some(&payment)).await.status, 413);
    site.chain.next([Fate::Drops, Fate::NotSent]);
    assert_eq!(site.send("oslo", Some(&payment)).await.status, 503);
    site.client.platform().advance(Duration::from_secs(3));
    assert_eq!(site.send("oslo", Some(&payment)).await.status, 503);
    assert_eq!((site.n_paid(), site.chain.paid()), (0, (0, 0)));
    site.client.platform().advance(Duration::from_secs(3));
    assert_eq!(site.send("oslo", Some(&payment)).await.status, 201);
    assert_eq!((site.n_paid(), site.chain.paid().1), (1, 1));
    site.check_books().await;
}

/// A wallet that is known here may spend its balance elsewhere. Then it has paid for nothing.
#[tokio::test]
async fn money_that_is_gone_pays_for_nothing() {
    let site = Site::start();
    let payment = site.payment(7).await;
    *site.works.fails.lock().unwrap() = vec![500];
    assert_eq!(site.send("oslo", Some(&payment)).await.status, 500);
    let token = site.client.sign_in(&site.buyer).await;
    let other = site.client.sign_in(&TestWallet::new(99)).await;
    site.client.add_host("host-1", 1024).await;
    site.client.create(&other, "garden").await;
    let body = json!({ "amount": "0.01" });
    let moved = site.client.post("/v1/spaces/garden/payments", Some(&token), body).await;
    assert_eq!(moved.status, 201, "{}", moved.body);
    assert_eq!(site.send("oslo", Some(&payment)).await.status, 402);
    assert_eq!(site.n_paid(), 1);
    site.check_books().await;
}
