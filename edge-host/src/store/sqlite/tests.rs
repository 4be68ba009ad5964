//! A connection is as new as it says, and waits when waiting is of use.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::*;

fn database() -> (tempfile::TempDir, Arc<Database>) {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("a/records.db")).unwrap();
    (directory, database)
}

async fn run(handle: &mut Handle, sql: &str) -> Result<Rows, String> {
    handle.execute(sql, &[]).await.map_err(|it| it.to_string())
}

/// What a future says now.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn one(handle: &mut Handle, sql: &str) -> Value {
    run(handle, sql).await.unwrap().rows[0][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_used_is_as_a_new_one() {
    let (_directory, database) = database();
    let mut handle = database.connection().unwrap();
    run(&mut handle, "CREATE TABLE t (a INTEGER PRIMARY KEY)").await.unwrap();
    run(&mut handle, "INSERT INTO t VALUES (7)").await.unwrap();
    assert_eq!((handle.last_insert_rowid(), handle.changes()), (7, 1));
    // Each leaves something behind, and each is the same connection unless it is tainted.
    for leave in [
        "BEGIN IMMEDIATE",
        "PRAGMA foreign_keys = 0",
        "CREATE TEMP TABLE x (a)",
        "ATTACH ':memory:' AS other",
    ] {
        run(&mut handle, leave).await.unwrap();
        run(&mut handle, "INSERT INTO t DEFAULT VALUES").await.unwrap();
        drop(handle);

        handle = database.connection().unwrap();
        assert_eq!((handle.last_insert_rowid(), handle.changes()), (0, 0), "{leave}");
        assert_eq!(one(&mut handle, "PRAGMA foreign_keys").await, Value::Integer(1), "{leave}");
        let temp = "SELECT count(*) FROM sqlite_temp_schema";
        assert_eq!(one(&mut handle, temp).await, Value::Integer(0), "{leave}");
        let attached = "SELECT count(*) FROM pragma_database_list WHERE name = 'other'";
        assert_eq!(one(&mut handle, attached).await, Value::Integer(0), "{leave}");
        run(&mut handle, "BEGIN IMMEDIATE").await.unwrap();
        run(&mut handle, "ROLLBACK").await.unwrap();
    }
    let kept = one(&mut handle, "SELECT count(*) FROM t").await;
    assert_eq!(kept, Value::Integer(4), "all but the one in the transaction left open");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_cannot_be_attached() {
    let (_directory, database) = database();
    let mut handle = database.connection().unwrap();
    let error = run(&mut handle, "ATTACH '/tmp/other.db' AS other").await.unwrap_err();
    assert!(error.contains("not authorized"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_durable_and_foreign_keys_hold() {
    let (_directory, database) = database();
    let mut handle = database.connection().unwrap();
    assert_eq!(one(&mut handle, "PRAGMA journal_mode").await, Value::Text("wal".into()));
    assert_eq!(one(&mut handle, "PRAGMA synchronous").await, Value::Integer(2), "FULL");
    run(&mut handle, "CREATE TABLE a (id INTEGER PRIMARY KEY)").await.unwrap();
    run(&mut handle, "CREATE TABLE b (a REFERENCES a)").await.unwrap();
    let error = run(&mut handle, "INSERT INTO b VALUES (1)").await.unwrap_err();
    assert!(error.contains("FOREIGN KEY"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_waits_for_the_one_before() {
    let (_directory, database) = database();
    let mut first = database.connection().unwrap();
    run(&mut first, "CREATE TABLE t (a)").await.unwrap();
    run(&mut first, "BEGIN IMMEDIATE").await.unwrap();
    run(&mut first, "INSERT INTO t VALUES (1)").await.unwrap();

    let mut second = database.connection().unwrap();
    let mut waiting = std::pin::pin!(run(&mut second, "INSERT INTO t VALUES (2)"));
    assert!(poll(waiting.as_mut()).is_pending());
    run(&mut first, "COMMIT").await.unwrap();
    waiting.await.unwrap();
    assert_eq!(one(&mut first, "SELECT count(*) FROM t").await, Value::Integer(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_would_write_on_old_rows_fails_at_once() {
    let (_directory, database) = database();
    let mut first = database.connection().unwrap();
    run(&mut first, "CREATE TABLE t (a)").await.unwrap();
    let mut second = database.connection().unwrap();
    run(&mut second, "BEGIN").await.unwrap();
    run(&mut second, "SELECT * FROM t").await.unwrap();
    run(&mut first, "BEGIN IMMEDIATE").await.unwrap();

    let mut writing = std::pin::pin!(run(&mut second, "INSERT INTO t VALUES (1)"));
    let answer = poll(writing.as_mut());
    assert!(matches!(answer, Poll::Ready(Err(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_went_in() {
    let (_directory, database) = database();
    let mut handle = database.connection().unwrap();
    let values = [
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("é".to_owned()),
        Value::Blob(vec![0, 255]),
    ];
    let answer = handle.execute("SELECT ?1 AS a, ?2, ?3, ?4, ?5", &values).await.unwrap();
    assert_eq!(answer.columns[0], "a");
    assert_eq!(answer.rows, [values.to_vec()]);

    let error = run(&mut handle, "SELECT CAST(x'ff' AS TEXT)").await.unwrap_err();
    assert!(error.contains("UTF-8") || error.contains("utf-8"), "{error}");
    let error = run(&mut handle, "SELECT zeroblob(33554432)").await.unwrap_err();
    assert!(error.contains("exceeds limit"), "{error}");
}

#[test]
fn what_commits() {
    for (sql, want) in [
        ("COMMIT", true),
        (" commit;", true),
        ("END TRANSACTION", true),
        ("commits", false),
        ("INSERT", false),
        ("", false),
    ] {
        assert_eq!(is_commit(sql), want, "{sql:?}");
    }
}
