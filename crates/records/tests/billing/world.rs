//! A world in which months pass: what happens in it, and what was told of it.

use std::{collections::BTreeMap, time::Duration};

use billing::{DunningPolicy, Rates};
use domain::{Generation, Money, ObservedState, SpaceId, Timestamp};
use fleet::{AppOffer, Hello, Observation, Reading};
use ledger::Account;
use records::{Answer, By, Database as _, NewSpace, Records, Rows, SpaceRecord, Wish};
use serde_json::json;
use tempfile::TempDir;
use testkit::TestDatabase;

use crate::scene::address;

pub(crate) const HOST: &str = "host-1";
pub(crate) const QUARTER_S: i64 = 900;

/// Numbers that look like chance, and are the same for the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    /// True once in `n` times.
    pub(crate) const fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A space as the world knows it, and not the records.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) id: SpaceId,
    pub(crate) created_s: i64,
    pub(crate) is_free: bool,
    pub(crate) is_gone: bool,
    /// From when to when it was there and not suspended.
    pub(crate) periods: Vec<(i64, Option<i64>)>,
    pub(crate) storage_kib: u64,
}

impl Space {
    /// It is there and not suspended from now on, or no longer.
    pub(crate) fn set_open(&mut self, is_open: bool, now_s: i64) {
        match (self.periods.last_mut(), is_open) {
            (Some((from_s, to_s @ None)), false) => *to_s = Some(now_s.max(*from_s)),
            (Some((from_s, Some(to_s))), true) => {
                let after = if to_s == from_s { *to_s + 1 } else { *to_s };
                self.periods.push((now_s.max(after), None));
            }
            (None, true) => self.periods.push((now_s, None)),
            _ => {}
        }
    }

    pub(crate) fn is_in_period(&self, at_s: i64) -> bool {
        self.periods.iter().any(|(from, to)| *from <= at_s && to.is_none_or(|to| at_s < to))
    }
}

/// A reading that counted, and what was closed when it came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) space: usize,
    pub(crate) at_s: i64,
    pub(crate) closed: Vec<String>,
    pub(crate) posts: u64,
    pub(crate) storage_kib: u64,
    pub(crate) seconds: u64,
    pub(crate) is_in_period: bool,
}

pub(crate) struct World {
    pub(crate) records: Records<TestDatabase>,
    database: TestDatabase,
    _folder: TempDir,
    pub(crate) chance: Chance,
    pub(crate) now: Timestamp,
    /// The second at which something was charged or told last.
    billing_s: i64,
    /// The latest that the edge's clock has shown.
    latest_s: i64,
    pub(crate) spaces: Vec<Space>,
    /// From when on what costs what; each was announced.
    pub(crate) prices: Vec<(i64, Rates)>,
    pub(crate) taken: Vec<Taken>,
    n_readings: u64,
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

pub(crate) const fn policy() -> DunningPolicy {
    DunningPolicy { grace: Duration::from_hours(72), retention: Duration::from_hours(720) }
}

impl World {
    pub(crate) async fn new(seed: u64, start_s: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        let records = Records::new(TestDatabase::open(&path));
        let now = Timestamp::from_unix_ms(start_s * 1000);
        records.migrate(now).await.unwrap();
        records.add_host(HOST, &"a".repeat(64), now).await.unwrap();
        let (spaces, prices, taken) = (Vec::new(), Vec::new(), Vec::new());
        let (chance, billing_s, n_readings) = (Chance::new(seed), 0, 0);
        let mut world = Self {
            records,
            database: TestDatabase::open(&path),
            _folder: folder,
            chance,
            now,
            billing_s,
            latest_s: start_s,
            spaces,
            prices,
            taken,
            n_readings,
        };
        world.hello().await;
        world
    }

    /// Asks what no code of ours asks, by a connection of its own.
    pub(crate) async fn ask(&self, statement: &str) -> Rows {
        self.database.execute(statement, vec![]).await.unwrap()
    }

    pub(crate) async fn hello(&mut self) {
        let hello = Hello {
            version: "1".to_owned(),
            gateway_url: "http://127.0.0.1:8080".to_owned(),
            memory_mib: 100_000,
            apps: vec![offer()],
        };
        self.records.hello(HOST, &hello, self.now).await.unwrap();
    }

    /// The second at which something was charged or told last. It never goes back, and is no later than
    /// the latest that the edge's clock has shown.
    async fn billing(&mut self) -> i64 {
        let at_s = self.ask("SELECT at_s FROM billing_clock").await[0].integer(0);
        assert!(self.billing_s <= at_s && at_s <= self.latest_s, "the billing clock is wrong");
        self.billing_s = at_s;
        at_s
    }

    /// Puts the edge's clock to a second.
    pub(crate) fn set_clock(&mut self, unix_s: i64) {
        self.now = Timestamp::from_unix_ms(unix_s * 1000);
        self.latest_s = self.latest_s.max(unix_s);
    }

    pub(crate) async fn announce(&mut self, rates: Rates) {
        self.records.note_price(&rates, self.now).await.unwrap();
        if self.prices.last().is_some_and(|it| it.1 == rates) {
            return;
        }
        let from_s = match self.prices.last().map(|it| it.0) {
            None => i64::MIN,
            Some(last) => self.billing().await.max(last) + 1,
        };
        self.prices.push((from_s, rates));
    }

    pub(crate) async fn create(&mut self) {
        let index = u16::try_from(self.spaces.len()).unwrap();
        let mut random = [0; 10];
        random[..2].copy_from_slice(&index.to_be_bytes());
        let id = SpaceId::new(self.now, random);
        let is_free = self.chance.once_in(10);
        let new = NewSpace {
            id: id.clone(),
            name: format!("space-{index}").parse().unwrap(),
            title: "x".to_owned(),
            settings: json!({}),
            offer: offer(),
            owner: address(1),
            is_free,
            request_id: None,
        };
        let answer = |_: &SpaceRecord| answer();
        self.records.create_space(&new, None, None, self.now, None, answer).await.unwrap();
        self.spaces.push(Space {
            id,
            created_s: self.now.unix_s(),
            is_free,
            is_gone: false,
            periods: Vec::new(),
            storage_kib: self.chance.below(3 * 1024 * 1024),
        });
    }

    pub(crate) async fn record(&self, index: usize) -> SpaceRecord {
        let id = self.spaces[index].id.as_str().to_owned();
        let found = self.records.space_of(&address(1), &id, Timestamp::from_unix_ms(0)).await;
        found.unwrap().unwrap()
    }

    /// The host sees a space so.
    pub(crate) async fn see(&mut self, index: usize, state: ObservedState) {
        let record = self.record(index).await;
        let generation: Generation = record.generation;
        let (release, reason, steps) = (None, None, Vec::new());
        let space = record.id;
        let observation = Observation { space, generation, state, release, reason, steps };
        self.records.observe(HOST, &observation, self.now).await.unwrap();
        self.follow(index).await;
    }

    /// The operator or the owner wants something of a space.
    pub(crate) async fn want(&mut self, index: usize, wish: Wish) {
        let by = By { actor: "x", request_id: None };
        let id = self.spaces[index].id.clone();
        let _ = self.records.want(&id, wish, &by, self.now, None, |_| answer()).await;
        self.follow(index).await;
    }

    /// Writes down whether a space costs something from now on, by its phase alone.
    pub(crate) async fn follow(&mut self, index: usize) {
        let (record, now_s) = (self.record(index).await, self.billing().await);
        let phase = record.phase.as_str();
        let is_over = matches!(phase, "suspending" | "suspended" | "deleting" | "deleted");
        self.spaces[index].is_gone = matches!(phase, "deleting" | "deleted");
        self.spaces[index].set_open(!is_over && record.ready_at.is_some(), now_s);
    }

    pub(crate) async fn give(&mut self, index: usize, micros: u64) {
        let id = self.spaces[index].id.clone();
        let transfer = format!("grant-{}-{}", index, self.chance.below(u64::MAX));
        let amount = Money::from_micros(micros).unwrap();
        let given =
            self.records.grant(&id, amount, "x", transfer, self.now, None, |_| answer()).await;
        if given.is_ok() {
            self.records.mind_space(&id, &policy(), self.now).await.unwrap();
        }
        self.follow(index).await;
    }

    /// What a worker measured of a space in the quarter of an hour that begins at `from_s`.
    pub(crate) fn measure(&mut self, index: usize, from_s: i64) -> Reading {
        self.n_readings += 1;
        let grown = self.chance.below(20_000);
        let space = &mut self.spaces[index];
        space.storage_kib = (space.storage_kib + grown).saturating_sub(9_000);
        let at = |unix_s: i64| Timestamp::from_unix_ms(unix_s * 1000);
        Reading {
            id: format!("w-{}", self.n_readings),
            space: space.id.clone(),
            from: at(from_s),
            to: at(from_s + QUARTER_S),
            seconds: QUARTER_S.unsigned_abs(),
            running_seconds: QUARTER_S.unsigned_abs(),
            hibernated_seconds: 0,
            cpu_ms: grown,
            memory_mib_seconds: grown * 3,
            network_rx_bytes: grown * 5,
            network_tx_bytes: grown * 7,
            disk_read_bytes: 0,
            disk_write_bytes: grown,
            storage_kib: space.storage_kib,
            posts: self.chance.below(4) / 3,
        }
    }

    /// The edge is told; what it was told before counts no more.
    pub(crate) async fn tell(&mut self, batch: &[(usize, Reading, bool)]) {
        let now_s = self.billing().await.max(self.now.unix_s());
        let (mut taken, mut all_closed) = (Vec::new(), BTreeMap::new());
        for space in &self.spaces {
            let closed = self.records.invoices(&space.id).await.unwrap();
            let closed: Vec<String> = closed.iter().map(|it| it.month.to_string()).collect();
            all_closed.insert(&space.id, closed);
        }
        for (index, reading, _) in batch.iter().filter(|it| it.2) {
            let space = &self.spaces[*index];
            let at_s = reading.from.unix_s().min(now_s - 1).max(space.created_s);
            taken.push(Taken {
                space: *index,
                at_s,
                closed: all_closed[&space.id].clone(),
                posts: reading.posts,
                storage_kib: reading.storage_kib,
                seconds: reading.seconds,
                is_in_period: space.is_in_period(at_s),
            });
        }
        let readings: Vec<Reading> = batch.iter().map(|it| it.1.clone()).collect();
        for chunk in readings.chunks(200) {
            assert!(self.records.take_readings(HOST, chunk, self.now).await.unwrap().is_empty());
        }
        self.taken.append(&mut taken);
    }

    /// The job of every minute, as often as it has something to do.
    pub(crate) async fn bill(&mut self) {
        let rates = self.prices.last().expect("a price was announced").1;
        self.announce(rates).await;
        while self.records.accrue_due(self.now, 500).await.unwrap() == 500 {}
        while self.records.close_months(self.now, 500).await.unwrap() == 500 {}
        self.records.mind_money(&policy(), self.now).await.unwrap();
        for index in 0..self.spaces.len() {
            if !self.spaces[index].is_gone {
                self.follow(index).await;
            }
        }
    }

    pub(crate) async fn balance(&self, index: usize) -> u64 {
        let account = Account::Space(self.spaces[index].id.clone());
        self.records.balance(&account).await.unwrap().available.micros()
    }
}

fn answer() -> Answer {
    Answer { status: 200, location: None, body: String::new() }
}
