//! What must always hold of the records, attacked by statements that no code of ours sends.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use credentials::KeyId;
use domain::{SpaceId, Timestamp};
use records::{Database as _, MigrateError, Records};
use tempfile::TempDir;
use testkit::TestDatabase;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);
const WALLET: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// The migrations of versions that were released, by hash.
const RELEASED: [(&str, &str); 1] =
    [("0001_spaces", "7748761fbc8bfac892c37c80e89f8fd5b32ac88637947edd4df6f75a5eabca63")];

/// Records with a host, a living space `garden` with its owner, an event, and a key that expires.
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
        insert_key(1, "a"),
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

/// Inserts the key `number`, whose hash is this digit over and over.
fn insert_key(number: u8, digit: &str) -> String {
    let (id, hash) = (KeyId::new(NOW, [number; 10]), digit.repeat(64));
    format!(
        "INSERT INTO api_keys (id, wallet, name, key_sha256, scopes, created_at, expires_at) \
         VALUES ('{id}', '{WALLET}', 'bot', '{hash}', 'spaces:read', 5, 9)"
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
        ("two keys with one hash",             insert_key(2, "a")),
        ("two keys with one id",               insert_key(1, "b")),
        ("a key with another kind of id",      insert_key(2, "b").replace("key_", "spc_")),
        ("a key that is stored as it is",      insert_key(2, "z")),
        ("a hash in capitals",                 insert_key(2, "B")),
        ("a hash cut short",                   insert_key(2, "b").replace("bbb", "b")),
        ("a key of nobody",                    insert_key(2, "b").replace(WALLET, "0x")),
        ("a key without a name",               insert_key(2, "b").replace("bot", "")),
        ("a key with too long a name",         insert_key(2, "b").replace("bot", &"é".repeat(65))),
        ("a key for nothing",                  insert_key(2, "b").replace("spaces:read", "")),
        ("a key for everything",               insert_key(2, "b").replace("spaces:read", "*")),
        ("a key that is void from the start",  insert_key(2, "b").replace("5, 9", "5, 5")),
        ("another hash for a key",             format!("UPDATE api_keys SET key_sha256 = '{}'", "b".repeat(64))),
        ("a key given away",                   format!("UPDATE api_keys SET wallet = '{}'", WALLET.replace('f', "e"))),
        ("a key for more",                     "UPDATE api_keys SET scopes = 'spaces:read spaces:write'".to_owned()),
        ("a key for longer",                   "UPDATE api_keys SET expires_at = 10".to_owned()),
        ("a key for ever",                     "UPDATE api_keys SET expires_at = NULL".to_owned()),
        ("a key made at another time",         "UPDATE api_keys SET created_at = 6".to_owned()),
        ("a key with another id",              format!("UPDATE api_keys SET id = '{}'", KeyId::new(NOW, [3; 10]))),
        ("a forgotten key",                    "DELETE FROM api_keys".to_owned()),
    ];
    for (what, statement) in rows {
        assert!(database.execute(&statement, vec![]).await.is_err(), "{what}: {statement}");
    }
    // What the rows about keys begin with is no mistake itself.
    database.execute(&insert_key(2, "b"), vec![]).await.unwrap();
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
    database.execute("UPDATE api_keys SET revoked_at = 7", vec![]).await.unwrap();
    for statement in ["UPDATE api_keys SET revoked_at = NULL", "UPDATE api_keys SET revoked_at = 8"]
    {
        let error = database.execute(statement, vec![]).await.unwrap_err();
        assert!(error.to_string().contains("a revoked key stays revoked"), "{error}");
    }
    // The name of the space is free, though.
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
    assert_eq!(rows[0].integer(0), 6);

    let alter = "UPDATE migrations SET sha256 = 'x' WHERE name = '0006_billing'";
    database.execute(alter, vec![]).await.unwrap();
    assert!(matches!(records.migrate(NOW).await, Err(MigrateError::Altered(_))));
    let newer = "UPDATE migrations SET name = '9999_future' WHERE name = '0006_billing'";
    database.execute(newer, vec![]).await.unwrap();
    assert!(matches!(records.migrate(NOW).await, Err(MigrateError::Newer(_))));
}

/// What a released version has run can't be changed any more: its records would be refused.
#[tokio::test]
async fn released_migrations_are_what_they_were() {
    let (_directory, database, _) = scene().await;
    let rows = database.execute("SELECT name, sha256 FROM migrations", vec![]).await.unwrap();
    for (row, (name, sha256)) in rows.iter().zip(RELEASED) {
        assert_eq!((row.text(0), row.text(1)), (name, sha256));
    }
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
