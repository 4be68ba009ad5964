//! How many spaces a wallet may make.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use std::time::Duration;

use domain::{SpaceId, Timestamp, Wallet};
use fleet::{AppOffer, Hello};
use limits::{Allowance, Level};
use records::{Answer, By, CreateError, IdempotencyKey, NewSpace, Records, Wish};
use serde_json::json;
use tempfile::TempDir;
use testkit::TestDatabase;

const START: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);
const TWO_AN_HOUR: Option<Allowance> = Allowance::per_hour(2);

fn minutes(minutes: u64) -> Timestamp {
    START.plus(Duration::from_mins(minutes))
}

fn wallet(number: u8) -> Wallet {
    format!("0x{number:040x}").parse().unwrap()
}

fn offer() -> AppOffer {
    AppOffer {
        id: "hello".to_owned(),
        title: "Hello".to_owned(),
        description: "Says hello.".to_owned(),
        release: "one".to_owned(),
        version: "1.0".to_owned(),
        memory_mib: 1,
        cpus_milli: 1,
        disk_mib: 1,
        settings_schema: json!({}),
    }
}

/// Records with one host, which has room for `memory_mib` spaces.
async fn scene(memory_mib: u64) -> (TempDir, Records<TestDatabase>) {
    let directory = tempfile::tempdir().unwrap();
    let records = Records::new(TestDatabase::open(&directory.path().join("records.db")));
    records.migrate(START).await.unwrap();
    records.add_host("host-1", &"a".repeat(64), START).await.unwrap();
    let hello = Hello {
        version: "1".to_owned(),
        gateway_url: "http://127.0.0.1:8080".to_owned(),
        memory_mib,
        apps: vec![offer()],
    };
    // The host stays there for as long as the tests look ahead.
    records.hello("host-1", &hello, minutes(10_000)).await.unwrap();
    (directory, records)
}

/// Makes the space `name` at `now`.
async fn create(
    records: &Records<TestDatabase>,
    name: &str,
    owner: Wallet,
    allowance: Option<Allowance>,
    now: Timestamp,
    key: Option<&IdempotencyKey>,
) -> Result<Answer, CreateError> {
    let mut random = [0; 10];
    random[..name.len()].copy_from_slice(name.as_bytes());
    let new = NewSpace {
        id: SpaceId::new(now, random),
        name: name.parse().unwrap(),
        title: name.to_owned(),
        settings: json!({}),
        offer: offer(),
        owner,
        is_free: false,
        request_id: None,
    };
    let answer = |_: &_| Answer { status: 202, location: None, body: name.to_owned() };
    records.create_space(&new, allowance, None, now, key, answer).await
}

async fn level(records: &Records<TestDatabase>, owner: Wallet, now: Timestamp) -> (u32, u64) {
    let level = records.provision_level(&owner, TWO_AN_HOUR.unwrap(), now).await.unwrap();
    (level.remaining, level.next_in.as_secs() / 60)
}

#[tokio::test]
async fn two_spaces_an_hour_are_two_at_once_and_then_one_each_half_hour() {
    let (_directory, records) = scene(100).await;
    #[rustfmt::skip]
    let rows = [
        // space      at   is made   remaining, next in minutes
        ("space-a",   0,   true,     (1, 30)),
        ("space-b",   10,  true,     (0, 20)),
        ("space-c",   10,  false,    (0, 20)),
        ("space-c",   29,  false,    (0, 1)),
        ("space-c",   30,  true,     (0, 30)),
        ("space-d",   59,  false,    (0, 1)),
        ("space-d",   60,  true,     (0, 30)),
        ("space-e",   300, true,     (1, 30)),
        ("space-f",   300, true,     (0, 30)),
        ("space-g",   300, false,    (0, 30)),
    ];
    for (name, at, is_made, want) in rows {
        let now = minutes(at);
        let made = create(&records, name, wallet(1), TWO_AN_HOUR, now, None).await;
        match made {
            Err(CreateError::TooMany(told)) => {
                assert!(!is_made, "{name} at {at}");
                assert_eq!(told, Level { remaining: 0, next_in: Duration::from_mins(want.1) });
            }
            made => assert_eq!(made.is_ok(), is_made, "{name} at {at}: {made:?}"),
        }
        assert_eq!(level(&records, wallet(1), now).await, want, "{name} at {at}");
    }
}

#[tokio::test]
async fn only_spaces_that_were_made_count_and_only_for_who_made_them() {
    let (_directory, records) = scene(3).await;
    let (one, two) = (wallet(1), wallet(2));
    create(&records, "space-a", one, TWO_AN_HOUR, START, None).await.unwrap();
    let taken = create(&records, "space-a", two, TWO_AN_HOUR, START, None).await;
    assert!(matches!(taken, Err(CreateError::NameTaken)), "{taken:?}");
    assert_eq!((level(&records, one, START).await.0, level(&records, two, START).await.0), (1, 2));

    create(&records, "space-b", one, TWO_AN_HOUR, START, None).await.unwrap();
    create(&records, "space-c", two, TWO_AN_HOUR, START, None).await.unwrap();
    let full = create(&records, "space-d", two, TWO_AN_HOUR, START, None).await;
    assert!(matches!(full, Err(CreateError::NoCapacity)), "{full:?}");
    assert_eq!(level(&records, two, START).await.0, 1);
    // The limit is told before the name and before the room.
    let limited = create(&records, "space-a", one, TWO_AN_HOUR, START, None).await;
    assert!(matches!(limited, Err(CreateError::TooMany(_))), "{limited:?}");
}

#[tokio::test]
async fn a_repeated_request_gets_its_answer_whatever_the_limit() {
    let (_directory, records) = scene(100).await;
    let key = IdempotencyKey {
        caller: wallet(1).to_string(),
        key: "one".to_owned(),
        request_sha256: "b".repeat(64),
    };
    let create = async |name, key| create(&records, name, wallet(1), TWO_AN_HOUR, START, key).await;
    let first = create("space-a", Some(&key)).await.unwrap();
    create("space-b", None).await.unwrap();
    assert!(matches!(create("space-c", None).await, Err(CreateError::TooMany(_))));
    assert_eq!(create("space-a", Some(&key)).await.unwrap(), first);
    assert_eq!(level(&records, wallet(1), START).await.0, 0);
}

#[tokio::test]
async fn a_deleted_space_was_made_all_the_same() {
    let (_directory, records) = scene(100).await;
    for name in ["space-a", "space-b"] {
        create(&records, name, wallet(1), TWO_AN_HOUR, START, None).await.unwrap();
    }
    let space = records.space_of(&wallet(1), "space-a", START).await.unwrap().unwrap();
    let by = By { actor: "x", request_id: None };
    let answer = |_: &_| Answer { status: 202, location: None, body: String::new() };
    records.want(&space.id, Wish::Delete, &by, START, None, answer).await.unwrap();
    assert_eq!(level(&records, wallet(1), START).await, (0, 30));
}

#[tokio::test]
async fn nobody_is_limited_without_a_limit_or_pays_it_off_afterwards() {
    let (_directory, records) = scene(100).await;
    for number in 0..20 {
        let name = format!("space-{number}");
        create(&records, &name, wallet(1), None, START, None).await.unwrap();
    }
    assert_eq!(level(&records, wallet(1), START).await, (0, 30));
    assert_eq!(level(&records, wallet(1), minutes(60)).await, (2, 0));
}

#[tokio::test]
async fn many_at_once_make_no_more_than_two() {
    let (directory, _records) = scene(100).await;
    let path = directory.path().join("records.db");
    let attempts: Vec<_> = (0..8)
        .map(|number| {
            let path = path.clone();
            std::thread::spawn(move || {
                let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let records = Records::new(TestDatabase::open(&path));
                let name = format!("space-{number}");
                executor
                    .block_on(create(&records, &name, wallet(1), TWO_AN_HOUR, START, None))
                    .is_ok()
            })
        })
        .collect();
    let made = attempts.into_iter().map(|it| it.join().unwrap());
    assert_eq!(made.filter(|it| *it).count(), 2);
}
