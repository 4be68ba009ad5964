//! Webhooks to a real server.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::net::TcpListener;

use super::*;

/// A tenant's server, and what it got.
struct Server {
    origin: String,
    received: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    n_elsewhere: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (received, n_elsewhere) =
            (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicUsize>::default());
        let (kept, counted) = (Arc::clone(&received), Arc::clone(&n_elsewhere));
        let elsewhere = format!("{origin}/elsewhere");
        let take = async move |headers: HeaderMap, body: String| {
            kept.lock().unwrap().push((headers, body));
            StatusCode::NO_CONTENT
        };
        let redirect = async move || -> Response {
            (StatusCode::FOUND, [(header::LOCATION, elsewhere)]).into_response()
        };
        let count = async move || {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        let huge = async || {
            let chunk = || Ok::<_, std::io::Error>("x".repeat(9999));
            Body::from_stream(stream::repeat_with(chunk))
        };
        let router = Router::new()
            .route("/take", post(take))
            .route("/no", post(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("/gone", post(async || StatusCode::GONE))
            .route("/redirect", post(redirect))
            .route("/elsewhere", post(count.clone()).get(count))
            .route("/huge", post(huge));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, received, n_elsewhere }
    }

    fn delivery(&self, path: &str) -> Delivery {
        Delivery {
            id: "ntc-1".to_owned(),
            channel: Channel::Webhook,
            target: format!("{}{path}", self.origin),
            subject: String::new(),
            body: "{\"type\":\"space.suspended\"}".to_owned(),
            headers: vec![("webhook-id".to_owned(), "ntc-1".to_owned())],
            may_be_loopback: true,
        }
    }
}

#[tokio::test]
async fn a_notice_is_posted_as_it_is() {
    let server = Server::start().await;
    let delivery = server.delivery("/take");
    let results = deliver_all(std::slice::from_ref(&delivery), None).await;
    assert_eq!(results, [Delivered { id: "ntc-1".to_owned(), problem: None, is_final: false }]);
    let received = server.received.lock().unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].1, delivery.body);
    assert_eq!(received[0].0["webhook-id"], "ntc-1");
}

#[tokio::test]
async fn what_is_not_taken_is_told_with_the_reason() {
    let server = Server::start().await;
    #[rustfmt::skip]
    let rows = [
        ("/no",       "it answers 500",                   false),
        ("/nowhere",  "it answers 404",                   false),
        ("/gone",     "it answers 410: it wants no more", true),
        ("/redirect", "it answers 302",                   false),
    ];
    for (path, want, is_final) in rows {
        let result = deliver(&server.delivery(path), None).await;
        assert_eq!(result, Err(Problem { text: want.to_owned(), is_final }), "{path}");
    }
    assert_eq!(server.n_elsewhere.load(Ordering::SeqCst), 0, "nobody is sent elsewhere");
    assert_eq!(deliver(&server.delivery("/huge"), None).await, Ok(()), "it is not read");

    let inside = Delivery { may_be_loopback: false, ..server.delivery("/take") };
    let refused = deliver(&inside, None).await.unwrap_err();
    assert!(refused.is_final, "{refused:?}");
    assert!(server.received.lock().unwrap().is_empty());
    for target in ["ftp://1.1.1.1/", "nonsense", "http://"] {
        let delivery = Delivery { target: target.to_owned(), ..server.delivery("/take") };
        assert!(deliver(&delivery, None).await.is_err_and(|it| it.is_final), "{target}");
    }
    let email = Delivery { channel: Channel::Email, ..server.delivery("/take") };
    assert!(deliver(&email, None).await.is_err());
}
