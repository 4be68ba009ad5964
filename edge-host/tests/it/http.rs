//! Requests and answers, as a client and a component see them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use edge_host::Edge;
use http::{Method, StatusCode};

use crate::support::{MANIFEST, Running, options, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_component_answers() {
    let running = Running::start(MANIFEST).await;
    assert_eq!(running.get("/").await.ok(), "hello");
    assert_eq!(running.post("/echo", "abc").await.ok(), "abc");
    assert_eq!(running.get("/var/greeting").await.ok(), "hello there");
    assert_eq!(
        running.get("/var/other").await.refused(),
        "Error::Undefined(\"no variable for \\\"probe\\\".\\\"other\\\"\")"
    );
    assert!(running.get("/var/Other").await.refused().starts_with("Error::InvalidName"));
    assert_eq!(running.get("/env/PROBE").await.ok(), "set");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_many_requests() {
    let running = Running::start(MANIFEST).await;
    let mut most = 0;
    for _ in 0..10 {
        most = most.max(running.get("/reuse").await.ok().parse().unwrap());
    }
    assert!(1 < most, "globals survive while the instance does");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_cannot_say_who_it_is() {
    let running = Running::start(MANIFEST).await;
    let request = http::Request::get(format!("http://{}/headers", running.edge.addr()))
        .header("spin-client-addr", "6.6.6.6:6")
        .header("spin-anything", "x")
        .header("accept", "text/plain");
    let text = send(request.body(String::new()).unwrap()).await.ok();
    let lines: Vec<&str> = text.lines().collect();
    let addrs: Vec<_> = lines.iter().filter(|it| it.starts_with("spin-client-addr")).collect();

    assert_eq!(addrs.len(), 1, "{text}");
    assert!(addrs[0].contains("127.0.0.1:"), "{text}");
    assert!(!text.contains("spin-anything"), "{text}");
    assert!(text.contains("accept: \"text/plain\""), "{text}");
    assert!(text.contains("spin-path-info: \"/headers\""), "{text}");
    assert!(text.contains("spin-matched-route: \"/...\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_component_answers_the_edge_does() {
    let manifest = MANIFEST.replace("/...", "/only/...");
    let running = Running::start(&manifest).await;
    assert_eq!(running.get("/.well-known/spin/health").await.ok(), "OK");
    assert_eq!(running.get("/only/x").await.ok(), "hello");

    let answer = running.get("/other").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((&body["status"], &body["code"]), (&404.into(), &"not-found".into()));
    assert!(answer.headers.contains_key("x-request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_writes_that_succeed_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let mut options = options(&directory, MANIFEST);
    options.on_write = Some(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    let running = Running { edge: Edge::start(options).await.unwrap(), directory };

    for (method, path, want) in [
        (Method::GET, "/", 0),
        (Method::HEAD, "/", 0),
        (Method::OPTIONS, "/", 0),
        (Method::POST, "/env/none", 0),
        (Method::POST, "/", 1),
        (Method::PUT, "/", 2),
        (Method::DELETE, "/", 3),
    ] {
        running.send(method.clone(), path, "").await;
        assert_eq!(count.load(Ordering::SeqCst), want, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_open_requests_end() {
    let running = Running::start(MANIFEST).await;
    let uri = format!("http://{}/sleep/500", running.edge.addr());
    let open = tokio::spawn(send(http::Request::get(uri).body(String::new()).unwrap()));
    // The request is open once a second one is answered that came after it on another connection.
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.get("/").await.ok();

    running.edge.stop(Duration::from_secs(10)).await;
    assert_eq!(open.await.unwrap().ok(), "slept");
}
