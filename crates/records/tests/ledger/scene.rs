//! Records with a host that has room, and short words for what is done with money.

use std::{path::Path, time::Duration};

use billing::Rates;
use domain::{Money, ObservedState, PaymentId, SpaceId, Timestamp, Wallet};
use fleet::{AppOffer, Hello, Observation, Reading};
use ledger::Account;
use records::{
    Answer, By, Charge, Claim, CreateError, Database as _, IdempotencyKey, NewPayment, NewSpace,
    News, PaymentRecord, Records, SpaceRecord, TopUpError, Wish, WishError,
};
use serde_json::json;
use tempfile::TempDir;
use testkit::TestDatabase;
use x402::{Effect, PaymentEvent};

pub(crate) const START: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

pub(crate) const LEASE: Duration = Duration::from_mins(1);

pub(crate) const CHAIN_ID: u64 = 84_532;

pub(crate) fn seconds(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

pub(crate) fn micros(micros: u64) -> Money {
    Money::from_micros(micros).unwrap()
}

pub(crate) fn address(number: u8) -> Wallet {
    format!("0x{number:040x}").parse().unwrap()
}

pub(crate) fn wallet(number: u8) -> Account {
    Account::Wallet(address(number))
}

pub(crate) fn outside() -> Account {
    Account::Payments { chain_id: CHAIN_ID, asset: address(0xaa) }
}

/// A transaction's hash: this number.
pub(crate) fn hash(number: u8) -> String {
    format!("0x{number:064x}")
}

/// The id of the space that is called `name`, of at most 10 letters.
pub(crate) fn space_id(name: &str) -> SpaceId {
    let mut random = [0; 10];
    random[..name.len()].copy_from_slice(name.as_bytes());
    SpaceId::new(START, random)
}

pub(crate) fn space(name: &str) -> Account {
    Account::Space(space_id(name))
}

/// A payment of `payer` to its own account, which can be settled for ten minutes.
pub(crate) fn payment(number: u8, payer: u8, amount: u64) -> NewPayment {
    let mut of_id = [0; 32];
    of_id[0] = number;
    NewPayment {
        id: PaymentId::from_hash(&of_id),
        version: 2,
        chain_id: CHAIN_ID,
        asset: address(0xaa),
        payer: address(payer),
        nonce: hash(number),
        pay_to: address(0xbb),
        amount: micros(amount),
        valid_before_s: u64::try_from(seconds(600).unix_s()).unwrap(),
        question: "{}".to_owned(),
        account: wallet(payer),
        identifier: None,
        fingerprint: "f".repeat(64),
    }
}

pub(crate) fn key(key: &str, request: &str) -> IdempotencyKey {
    IdempotencyKey {
        caller: address(1).to_string(),
        key: key.to_owned(),
        request_sha256: request.repeat(64),
    }
}

pub(crate) struct Scene {
    pub(crate) records: Records<TestDatabase>,
    /// A connection of its own, for statements that no code of ours sends.
    database: TestDatabase,
    directory: TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.db");
        let records = open(&path).await;
        Self { records, database: TestDatabase::open(&path), directory }
    }

    /// The same records by another connection, as another request has them.
    pub(crate) fn connect(&self) -> Records<TestDatabase> {
        Records::new(TestDatabase::open(&self.directory.path().join("records.db")))
    }

    pub(crate) async fn run(&self, statement: &str) {
        let done = self.database.execute(statement, vec![]).await;
        assert!(done.is_ok(), "{statement}: {done:?}");
    }

    /// Runs what the schema must refuse, and returns what it says.
    pub(crate) async fn refusal(&self, statement: &str) -> String {
        let done = self.database.execute(statement, vec![]).await;
        let Err(error) = done else { panic!("the schema takes {statement}") };
        error.to_string()
    }

    /// What is available, held and incoming, in µUSD.
    pub(crate) async fn balance(&self, account: &Account) -> (u64, u64, u64) {
        let it = self.records.balance(account).await.unwrap();
        (it.available.micros(), it.held.micros(), it.incoming.micros())
    }

    /// Settles a new payment.
    pub(crate) async fn pay(&self, new: &NewPayment) -> PaymentRecord {
        pay(&self.records, new).await
    }

    /// Whether the books are right, whatever waits for its time.
    pub(crate) async fn is_balanced(&self) -> bool {
        let audit = self.records.audit(Timestamp::from_unix_ms(0)).await.unwrap();
        audit.is_balanced()
    }
}

/// Opens and migrates the records in the file at `path`, with a host for a thousand spaces.
pub(crate) async fn open(path: &Path) -> Records<TestDatabase> {
    let records = Records::new(TestDatabase::open(path));
    records.migrate(START).await.unwrap();
    let rates = Rates { post: micros(1), ..Rates::FREE };
    records.note_price(&rates, START).await.unwrap();
    records.add_host("host-1", &"a".repeat(64), START).await.unwrap();
    let hello = Hello {
        version: "1".to_owned(),
        gateway_url: "http://127.0.0.1:8080".to_owned(),
        memory_mib: 1000,
        apps: vec![offer()],
    };
    // The host stays there for as long as the tests look ahead.
    records.hello("host-1", &hello, seconds(1_000_000)).await.unwrap();
    records
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

fn answer(body: String) -> Answer {
    Answer { status: 202, location: None, body }
}

pub(crate) async fn pay(records: &Records<TestDatabase>, new: &NewPayment) -> PaymentRecord {
    let claim = records.claim_payment(new, START, LEASE).await.unwrap();
    assert!(matches!(claim, Claim::Ours { effect: Effect::Ask, .. }), "{claim:?}");
    settle(records, new, &new.nonce).await
}

/// The facilitator says that it has settled a payment.
pub(crate) async fn settle(
    records: &Records<TestDatabase>,
    new: &NewPayment,
    transaction: &str,
) -> PaymentRecord {
    let event = PaymentEvent::FacilitatorSettled;
    let news = News { event, reason: "", transaction: Some(transaction) };
    records.note_payment(&new.id, news, START).await.unwrap()
}

/// The facilitator refuses a payment.
pub(crate) async fn refuse(records: &Records<TestDatabase>, new: &NewPayment) -> PaymentRecord {
    let news = News { event: PaymentEvent::FacilitatorRefused, reason: "no", transaction: None };
    records.note_payment(&new.id, news, START).await.unwrap()
}

pub(crate) async fn create(
    records: &Records<TestDatabase>,
    name: &str,
    owner: u8,
    charge: Option<Charge>,
    key: Option<&IdempotencyKey>,
) -> Result<Answer, CreateError> {
    let new = NewSpace {
        id: space_id(name),
        name: format!("space-{name}").parse().unwrap(),
        title: name.to_owned(),
        settings: json!({}),
        offer: offer(),
        owner: address(owner),
        is_free: false,
        request_id: None,
    };
    records.create_space(&new, None, charge, START, key, |it| answer(it.balance.to_string())).await
}

/// The charge of `asked`, which is given back after a minute.
pub(crate) fn charge(asked: u64, honoured: Option<u64>) -> Charge {
    Charge { asked: micros(asked), honoured: honoured.map(micros), hold_until: seconds(60) }
}

pub(crate) async fn find(records: &Records<TestDatabase>, owner: u8, name: &str) -> SpaceRecord {
    let id = space_id(name);
    records.space_of(&address(owner), id.as_str(), START).await.unwrap().unwrap()
}

/// Wants the space deleted, which has published `used` posts at a µUSD each.
pub(crate) async fn delete(
    records: &Records<TestDatabase>,
    name: &str,
    used: u64,
) -> Result<Answer, WishError> {
    let reading = reading(&format!("{name}-{used}"), space_id(name), used);
    assert!(records.take_readings("host-1", &[reading], START).await.unwrap().is_empty());
    want(records, name, Wish::Delete).await
}

/// A minute in which nothing but posts was used.
fn reading(id: &str, space: SpaceId, posts: u64) -> Reading {
    Reading {
        id: format!("r-{id}"),
        space,
        from: START,
        to: seconds(60),
        seconds: 60,
        running_seconds: 60,
        hibernated_seconds: 0,
        cpu_ms: 0,
        memory_mib_seconds: 0,
        network_rx_bytes: 0,
        network_tx_bytes: 0,
        disk_read_bytes: 0,
        disk_write_bytes: 0,
        storage_kib: 0,
        posts,
    }
}

pub(crate) async fn want(
    records: &Records<TestDatabase>,
    name: &str,
    wish: Wish,
) -> Result<Answer, WishError> {
    let answer = |it: &SpaceRecord| answer(it.balance.to_string());
    let by = By { actor: "x", request_id: None };
    records.want(&space_id(name), wish, &by, START, None, answer).await
}

/// The host sees the space in `state`.
pub(crate) async fn see(
    records: &Records<TestDatabase>,
    owner: u8,
    name: &str,
    state: ObservedState,
) {
    let space = find(records, owner, name).await;
    let observation = Observation {
        space: space.id,
        generation: space.generation,
        state,
        release: None,
        reason: None,
        steps: vec![],
    };
    records.observe("host-1", &observation, START).await.unwrap();
}

pub(crate) async fn top_up(
    records: &Records<TestDatabase>,
    name: &str,
    payer: u8,
    amount: u64,
    id: &str,
    key: Option<&IdempotencyKey>,
) -> Result<Answer, TopUpError> {
    let answer = |entry: &records::Entry| answer(entry.id.clone());
    let id = id.to_owned();
    records.top_up(&space_id(name), address(payer), micros(amount), id, START, key, answer).await
}
