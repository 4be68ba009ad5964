//! Key-value pairs and records, as a component sees them.

use http::Method;

use crate::support::{MANIFEST, Running, options};

#[tokio::test(flavor = "multi_thread")]
async fn key_value_pairs() {
    let running = Running::start(MANIFEST).await;
    assert_eq!(running.get("/kv/get/a").await.ok(), "none");
    running.send(Method::PUT, "/kv/set/a", "1").await.ok();
    running.send(Method::PUT, "/kv/set/b", "2").await.ok();
    assert_eq!(running.get("/kv/get/a").await.ok(), "1");
    assert_eq!(running.get("/kv/keys").await.ok(), "a,b");
    assert_eq!(running.post("/kv/delete/a", "").await.ok(), "false");
    assert_eq!(running.get("/kv/keys").await.ok(), "b");
    assert_eq!(running.get("/kv/open/other").await.refused(), "Error::AccessDenied");
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_are_atomic_and_an_error_poisons_nothing() {
    let running = Running::start(MANIFEST).await;
    running.send(Method::PUT, "/kv/set/text", "abc").await.ok();
    let error = running.post("/kv/increment/text", "").await.refused();
    assert!(error.contains("not a counter"), "{error}");

    let calls = (0..40).map(|_| running.post("/kv/increment/n", ""));
    let mut seen: Vec<u32> = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(|it| it.ok().parse().unwrap())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn records() {
    let running = Running::start(MANIFEST).await;
    let setup = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE)\n\
                 INSERT INTO t VALUES (7, 'x')";
    assert_eq!(running.post("/sql/count", setup).await.ok(), "7 1");
    let rows = running.post("/sql", "SELECT a, b, NULL FROM t").await.ok();
    assert_eq!(rows, "a|b|NULL\nValue::Integer(7)|Value::Text(\"x\")|Value::Null");

    for (sql, want) in [
        ("INSERT INTO t VALUES (8, 'x')", "UNIQUE"),
        ("SELECT", "incomplete input"),
        ("SELECT * FROM other", "no such table"),
        ("ATTACH '/tmp/x.db' AS x", "not authorized"),
    ] {
        let error = running.post("/sql", sql).await.refused();
        assert!(error.contains("Error::Io") && error.contains(want), "{sql}: {error}");
    }
    assert_eq!(running.get("/sql/open/other").await.refused(), "Error::AccessDenied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_left_open_is_rolled_back() {
    let running = Running::start(MANIFEST).await;
    running.post("/sql", "CREATE TABLE t (a)").await.ok();
    running.post("/sql", "BEGIN IMMEDIATE\nINSERT INTO t VALUES (1)").await.ok();
    running.post("/sql", "BEGIN IMMEDIATE\nINSERT INTO t VALUES (1)\nBROKEN").await.refused();
    running.post("/sql", "INSERT INTO t VALUES (2)").await.ok();
    let rows = running.post("/sql", "SELECT a FROM t").await.ok();
    assert_eq!(rows, "a\nValue::Integer(2)");
}

/// Whether in one instance or in several: a transaction that waits for something of its own must
/// not be kept from it by the others that wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_wait_do_not_stop_each_other() {
    let running = Running::start(MANIFEST).await;
    running.post("/sql", "CREATE TABLE t (a)\nINSERT INTO t VALUES (0)").await.ok();
    let transaction = "BEGIN IMMEDIATE\nUPDATE t SET a = a + 1\nSLEEP\nCOMMIT";
    let calls = (0..8).map(|_| running.post("/sql", transaction));
    for answer in futures::future::join_all(calls).await {
        answer.ok();
    }
    assert_eq!(running.post("/sql", "SELECT a FROM t").await.ok(), "a\nValue::Integer(8)");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_a_restart() {
    let running = Running::start(MANIFEST).await;
    running.send(Method::PUT, "/kv/set/a", "1").await.ok();
    running.post("/sql", "CREATE TABLE t (a)").await.ok();
    let Running { edge, directory } = running;
    edge.stop(std::time::Duration::from_secs(5)).await;

    let edge = edge_host::Edge::start(options(&directory, MANIFEST)).await.unwrap();
    let running = Running { edge, directory };
    assert_eq!(running.get("/kv/get/a").await.ok(), "1");
    assert_eq!(running.post("/sql", "SELECT * FROM t").await.ok(), "a");
}
