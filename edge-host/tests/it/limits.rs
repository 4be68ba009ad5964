//! A component that goes wrong takes its own request with it, and no more.

use http::StatusCode;

use crate::support::{MANIFEST, Running};

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_a_generic_answer_and_the_edge_goes_on() {
    let running = Running::start(MANIFEST).await;
    for (path, want) in [
        ("/trap", StatusCode::INTERNAL_SERVER_ERROR),
        ("/hog", StatusCode::INTERNAL_SERVER_ERROR),
        ("/busy", StatusCode::GATEWAY_TIMEOUT),
    ] {
        let answer = running.get(path).await;
        assert_eq!(answer.status, want, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        assert!(!answer.text.contains("asked"), "{path} tells why: {}", answer.text);
        assert_eq!(running.get("/").await.ok(), "hello", "after {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_while_one_computes() {
    let running = Running::start(MANIFEST).await;
    let busy = running.get("/busy");
    let others = async {
        for _ in 0..20 {
            assert_eq!(running.get("/").await.ok(), "hello");
        }
    };
    tokio::pin!(busy);
    tokio::select! {
        answer = &mut busy => panic!("the others took longer: {answer:?}"),
        () = others => (),
    }
    assert_eq!(busy.await.status, StatusCode::GATEWAY_TIMEOUT);
}

/// More ticks than it may compute go by, and it does nothing in all of them.
#[tokio::test(flavor = "multi_thread")]
async fn who_wakes_up_often_does_not_compute() {
    let running = Running::start(MANIFEST).await;
    assert_eq!(running.get("/naps/600").await.ok(), "rested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_a_largest_size() {
    let running = Running::start(MANIFEST).await;
    let largest = "a".repeat(1024 * 1024);
    assert_eq!(running.post("/echo", &largest).await.ok().len(), largest.len());
    let answer = running.post("/echo", &format!("{largest}a")).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_has_an_end_too() {
    let running = Running::start(MANIFEST).await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let error = running.post("/sql", endless).await.refused();
    assert!(error.contains("interrupted"), "{error}");
    assert_eq!(running.post("/sql", "SELECT 1").await.ok(), "1\nValue::Integer(1)");
}
