//! What must always hold of the records, attacked by statements that no code of ours sends.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use domain::{SpaceId, Timestamp};
use records::{Database as _, MigrateError, Records};
use tempfile::TempDir;
use testkit::TestDatabase;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);
const WALLET: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// Records with a host, a living space `garden` with its owner, and an event.
async fn scene() -> (TempDir, TestDatabase, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    Records::new(TestDatabase::open(&path)).migrate(NOW).await.unwrap();
    let database = TestDatabase::open(&path);
    let id = SpaceId::new(NOW, [1; 10]).to_string();
    let hash = "a".repeat(64);
    for statement in [
        format!("INSERT INTO hosts (name, key_sha256, created_at) VALUES ('h', '{hash}', 1)"),
        insert_space(&id, "garden"),
        format!("INSERT INTO members VALUES ('{id}', '{WALLET}', 'owner')"),
        format!(
            "INSERT INTO events (space, at, kind, actor, detail) VALUES ('{id}', 1, 'k', 'a', '{{}}')"
        ),
    ] {
        database.execute(&statement, vec![]).await.unwrap();
    }
    (directory, database, id)
}

fn insert_space(id: &str, name: &str) -> String {
    format!(
        "INSERT INTO spaces (id, name, title, app, settings, owner, host, memory_mib, desired, \
         generation, phase, change_seq, created_at, updated_at) VALUES ('{id}', '{name}', 't', \
         'hello', '{{}}', '{WALLET}', 'h', 32, 'running', 2, 'running', 5, 1, 1)"
    )
}

#[tokio::test]
async fn the_schema_refuses_what_must_not_be() {
    let (_directory, database, id) = scene().await;
    let other = SpaceId::new(NOW, [2; 10]).to_string();
    #[rustfmt::skip]
    let rows = [
        ("a second living space of one name",  insert_space(&other, "garden")),
        ("a space on no host",                 insert_space(&other, "meadow").replace("'h'", "'x'")),
        ("an unknown phase",                   "UPDATE spaces SET phase = 'asleep'".to_owned()),
        ("an unknown wish",                    "UPDATE spaces SET desired = 'asleep'".to_owned()),
        ("an older generation",                "UPDATE spaces SET generation = 1".to_owned()),
        ("a wish without a new generation",    "UPDATE spaces SET desired = 'hibernated'".to_owned()),
        ("a change that goes back",            "UPDATE spaces SET change_seq = 4".to_owned()),
        ("a renamed space",                    "UPDATE spaces SET name = 'meadow'".to_owned()),
        ("another app",                        "UPDATE spaces SET app = 'notes'".to_owned()),
        ("observing what is not wanted yet",   "UPDATE spaces SET observed_generation = 3".to_owned()),
        ("deleted without a wish",             "UPDATE spaces SET phase = 'deleted', deleted_at = 1".to_owned()),
        ("deleted without a time",             "UPDATE spaces SET desired = 'deleted', generation = 3, phase = 'deleted'".to_owned()),
        ("settings that are not JSON",         "UPDATE spaces SET settings = '{'".to_owned()),
        ("a forgotten space",                  "DELETE FROM spaces".to_owned()),
        ("a changed event",                    "UPDATE events SET actor = 'b'".to_owned()),
        ("a forgotten event",                  "DELETE FROM events".to_owned()),
        ("a space without an owner",           "DELETE FROM members".to_owned()),
        ("an owner made viewer",               "UPDATE members SET role = 'viewer'".to_owned()),
        ("an unknown role",                    format!("INSERT INTO members VALUES ('{id}', '{}', 'king')", WALLET.replace('f', "e"))),
        ("a member of no space",               format!("INSERT INTO members VALUES ('{other}', '{WALLET}', 'owner')")),
        ("a key that is not hashed",           "UPDATE hosts SET key_sha256 = 'sph_key'".to_owned()),
        ("a text for a number",                "UPDATE spaces SET memory_mib = 'much'".to_owned()),
    ];
    for (what, statement) in rows {
        assert!(database.execute(&statement, vec![]).await.is_err(), "{what}: {statement}");
    }
}

#[tokio::test]
async fn nothing_comes_back_from_the_dead() {
    let (_directory, database, _) = scene().await;
    for statement in [
        "UPDATE spaces SET desired = 'deleted', generation = 3, phase = 'deleting'",
        "UPDATE spaces SET phase = 'deleted', deleted_at = 9",
    ] {
        database.execute(statement, vec![]).await.unwrap();
    }
    for statement in [
        "UPDATE spaces SET phase = 'deleting', deleted_at = NULL",
        "UPDATE spaces SET desired = 'running', generation = 4, phase = 'waking', deleted_at = NULL",
    ] {
        let error = database.execute(statement, vec![]).await.unwrap_err();
        assert!(error.to_string().contains("a wish never goes back"), "{error}");
    }
    // The name is free, though.
    let again = insert_space(&SpaceId::new(NOW, [3; 10]).to_string(), "garden");
    database.execute(&again, vec![]).await.unwrap();
}

#[tokio::test]
async fn migrations_run_once_and_are_never_altered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    let records = Records::new(TestDatabase::open(&path));
    for _ in 0..2 {
        records.migrate(NOW).await.unwrap();
    }
    let database = TestDatabase::open(&path);
    let rows = database.execute("SELECT count(*) FROM migrations", vec![]).await.unwrap();
    assert_eq!(rows[0].integer(0), 1);

    let alter = "UPDATE migrations SET sha256 = 'x'";
    database.execute(alter, vec![]).await.unwrap();
    assert!(matches!(records.migrate(NOW).await, Err(MigrateError::Altered(_))));
    let newer = "UPDATE migrations SET name = '9999_future'";
    database.execute(newer, vec![]).await.unwrap();
    assert!(matches!(records.migrate(NOW).await, Err(MigrateError::Newer(_))));
}

#[tokio::test]
async fn many_may_migrate_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    let migrations = (0..8).map(|_| {
        let path = path.clone();
        std::thread::spawn(move || {
            let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
            executor.block_on(Records::new(TestDatabase::open(&path)).migrate(NOW))
        })
    });
    // All are started before any is waited for.
    for migration in migrations.collect::<Vec<_>>() {
        migration.join().unwrap().unwrap();
    }
}
