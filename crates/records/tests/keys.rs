//! Keys of wallets: made, found, used and revoked.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use std::time::Duration;

use credentials::KeyId;
use domain::{Timestamp, Wallet};
use records::{AddKey, KeyRecord, NewKey, Records};
use tempfile::TempDir;
use testkit::TestDatabase;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);
const DAY: Duration = Duration::from_hours(24);
const MINUTE_MS: i64 = 60_000;

async fn scene() -> (TempDir, Records<TestDatabase>) {
    let directory = tempfile::tempdir().unwrap();
    let records = Records::new(TestDatabase::open(&directory.path().join("records.db")));
    records.migrate(NOW).await.unwrap();
    (directory, records)
}

fn wallet(number: u8) -> Wallet {
    format!("0x{number:040x}").parse().unwrap()
}

/// The key `number` of `wallet`, made at `now`.
fn new_key(wallet: Wallet, number: u8, now: Timestamp) -> NewKey {
    NewKey {
        id: KeyId::new(now, [number; 10]),
        wallet,
        name: format!("key {number}"),
        key_sha256: format!("{number:064x}"),
        scopes: "spaces:read".parse().unwrap(),
        expires_at: None,
    }
}

async fn add(records: &Records<TestDatabase>, new: &NewKey, now: Timestamp) -> KeyRecord {
    match records.add_key(new, now).await.unwrap() {
        AddKey::Added(record) => record,
        AddKey::TooMany => panic!("too many keys"),
    }
}

async fn ids_of(records: &Records<TestDatabase>, wallet: Wallet, now: Timestamp) -> Vec<KeyId> {
    records.keys_of(&wallet, now).await.unwrap().into_iter().map(|it| it.id).collect()
}

#[tokio::test]
async fn a_key_is_found_by_its_hash_and_its_wallet() {
    let (_directory, records) = scene().await;
    let later = NOW.plus(DAY);
    let first = NewKey {
        name: "é".repeat(64),
        scopes: "spaces:read spaces:write".parse().unwrap(),
        expires_at: Some(NOW.plus(3 * DAY)),
        ..new_key(wallet(1), 1, NOW)
    };
    let second = new_key(wallet(1), 2, later);
    let first_record = add(&records, &first, NOW).await;
    let second_record = add(&records, &second, later).await;
    let want = KeyRecord {
        id: first.id,
        wallet: first.wallet,
        name: first.name,
        scopes: first.scopes,
        created_at: NOW,
        expires_at: first.expires_at,
        last_used_at: None,
    };

    assert_eq!(first_record, want);
    let found = records.key_of_hash(&first.key_sha256, later).await.unwrap();
    assert_eq!(found, Some(want));
    assert_eq!(records.key_of_hash(&"0".repeat(64), later).await.unwrap(), None);
    let newest_first = vec![second_record, first_record];
    assert_eq!(records.keys_of(&wallet(1), later).await.unwrap(), newest_first);
    assert_eq!(records.keys_of(&wallet(2), later).await.unwrap(), []);
}

#[tokio::test]
async fn a_key_that_expired_is_not_there() {
    let (_directory, records) = scene().await;
    let end = NOW.plus(DAY);
    let before = Timestamp::from_unix_ms(end.unix_ms() - 1);
    let new = NewKey { expires_at: Some(end), ..new_key(wallet(1), 1, NOW) };
    add(&records, &new, NOW).await;
    for (now, is_there) in [(NOW, true), (before, true), (end, false), (end.plus(DAY), false)] {
        let found = records.key_of_hash(&new.key_sha256, now).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{now}");
        assert_eq!(ids_of(&records, wallet(1), now).await.len(), usize::from(is_there), "{now}");
    }
    assert!(!records.revoke_key(&wallet(1), &new.id, end).await.unwrap());
}

#[tokio::test]
async fn only_its_wallet_revokes_a_key_and_only_once() {
    let (_directory, records) = scene().await;
    let (new, other) = (new_key(wallet(1), 1, NOW), new_key(wallet(1), 2, NOW));
    add(&records, &new, NOW).await;
    add(&records, &other, NOW).await;
    #[rustfmt::skip]
    let rows = [
        ("another wallet", wallet(2), &new.id,                       false),
        ("no such key",    wallet(1), &KeyId::new(NOW, [3; 10]),     false),
        ("its wallet",     wallet(1), &new.id,                       true),
        ("once more",      wallet(1), &new.id,                       false),
    ];
    for (who, wallet, id, want) in rows {
        assert_eq!(records.revoke_key(&wallet, id, NOW).await.unwrap(), want, "{who}");
    }
    assert_eq!(records.key_of_hash(&new.key_sha256, NOW).await.unwrap(), None);
    assert_eq!(ids_of(&records, wallet(1), NOW).await, [other.id]);
}

#[tokio::test]
async fn a_wallet_has_at_most_fifty_keys_in_force() {
    let (_directory, records) = scene().await;
    let end = NOW.plus(DAY);
    for number in 1..=50 {
        let expires_at = (number == 1).then_some(end);
        add(&records, &NewKey { expires_at, ..new_key(wallet(1), number, NOW) }, NOW).await;
    }
    let one_more = new_key(wallet(1), 51, NOW);
    assert_eq!(records.add_key(&one_more, NOW).await.unwrap(), AddKey::TooMany);
    assert_eq!(ids_of(&records, wallet(1), NOW).await.len(), 50);
    // Others have their own, and those that ended don't count.
    add(&records, &new_key(wallet(2), 60, NOW), NOW).await;
    add(&records, &one_more, end).await;
    let last = new_key(wallet(1), 52, end);
    assert_eq!(records.add_key(&last, end).await.unwrap(), AddKey::TooMany);
    assert!(records.revoke_key(&wallet(1), &one_more.id, end).await.unwrap());
    add(&records, &last, end).await;
}

#[tokio::test]
async fn wallets_that_hurry_get_no_more_keys() {
    let (directory, records) = scene().await;
    for number in 1..=48 {
        add(&records, &new_key(wallet(1), number, NOW), NOW).await;
    }
    let path = directory.path().join("records.db");
    let attempts: Vec<_> = (100..108)
        .map(|number| {
            let path = path.clone();
            std::thread::spawn(move || {
                let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let records = Records::new(TestDatabase::open(&path));
                let new = new_key(wallet(1), number, NOW);
                executor.block_on(records.add_key(&new, NOW)).unwrap()
            })
        })
        .collect();
    let made = attempts.into_iter().map(|it| it.join().unwrap());
    assert_eq!(made.filter(|it| *it != AddKey::TooMany).count(), 2);
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute() {
    let (_directory, records) = scene().await;
    let new = new_key(wallet(1), 1, NOW);
    let made = add(&records, &new, NOW).await;
    #[rustfmt::skip]
    let rows = [
        // used after, ms  noted is, ms
        (0,                0),
        (1,                0),
        (MINUTE_MS,        0),
        (MINUTE_MS + 1,    MINUTE_MS + 1),
        (MINUTE_MS + 2,    MINUTE_MS + 1),
        // A clock that is behind.
        (5,                MINUTE_MS + 1),
    ];
    let at = |ms: i64| Timestamp::from_unix_ms(NOW.unix_ms() + ms);
    for (used_ms, noted_ms) in rows {
        let known = records.key_of_hash(&new.key_sha256, NOW).await.unwrap().unwrap();
        // What is known may be older than what is recorded.
        for known in [known, made.clone()] {
            records.touch_key(&known, at(used_ms), MINUTE_MS).await.unwrap();
        }
        let found = records.key_of_hash(&new.key_sha256, NOW).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(at(noted_ms)), "used after {used_ms} ms");
    }
}
