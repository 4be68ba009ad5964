//! Webhooks to a real server.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::net::TcpListener;

use super::{target::Resolver, *};

/// How long anything may take before a test gives up.
const TIME_MAX: Duration = Duration::from_secs(20);

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
            .route("/huge", post(huge))
            .route("/slow", post(async || std::future::pending::<()>().await));
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

/// A name server whose answers change with each question.
#[derive(Default)]
struct Rebinding {
    answers: Vec<Vec<SocketAddr>>,
    n_asked: AtomicUsize,
    never: bool,
}

impl Resolver for Rebinding {
    async fn look_up(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        if self.never {
            std::future::pending::<()>().await;
        }
        let at = self.n_asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[at.min(self.answers.len() - 1)].clone())
    }
}

fn named(server: &Server, may_be_loopback: bool) -> Delivery {
    let address: SocketAddr = server.origin.trim_start_matches("http://").parse().unwrap();
    let target = format!("http://hook.example.org:{}/take", address.port());
    Delivery { target, may_be_loopback, ..server.delivery("/take") }
}

#[tokio::test]
async fn a_name_is_asked_for_once_and_the_connection_goes_where_it_led_then() {
    let server = Server::start().await;
    let here: SocketAddr = server.origin.trim_start_matches("http://").parse().unwrap();
    let elsewhere = SocketAddr::new([127, 0, 0, 2].into(), here.port());
    let resolver = Rebinding { answers: vec![vec![here], vec![elsewhere]], ..Rebinding::default() };
    let posted = webhook::post_within(TIME_MAX, &named(&server, true), &resolver).await;
    assert_eq!(posted, Ok(()));
    assert_eq!(resolver.n_asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.received.lock().unwrap().len(), 1);

    // One address of many is enough to be refused, wherever the others are.
    let public = SocketAddr::new([1, 1, 1, 1].into(), here.port());
    for answer in [vec![here], vec![public, here], vec![here, public]] {
        let resolver = Rebinding { answers: vec![answer], ..Rebinding::default() };
        let posted = webhook::post_within(TIME_MAX, &named(&server, false), &resolver).await;
        assert!(posted.is_err_and(|it| it.is_final));
    }
    assert_eq!(server.received.lock().unwrap().len(), 1, "nothing more came");
}

#[tokio::test]
async fn who_takes_too_long_is_asked_again_later() {
    let server = Server::start().await;
    let late = Err(Problem::again("it does not answer in time"));
    let short = Duration::from_millis(200);
    let slow = server.delivery("/slow");
    assert_eq!(webhook::post_within(short, &slow, &target::SystemResolver).await, late);
    let resolver = Rebinding { never: true, ..Rebinding::default() };
    let named = named(&server, true);
    let posted = webhook::post_within(short, &named, &resolver);
    assert_eq!(tokio::time::timeout(TIME_MAX, posted).await.unwrap(), late, "its name neither");
}
