//! Killed while it takes in what was measured, charges, or closes a month, and started again: nothing is
//! lost and nothing counts twice.
//!
//! Method: the edge alone is killed at one named place after the other, as `kill -9` does, while the
//! test tells it a month's readings as the worker would, and then has it bill. It starts again, and the
//! same is sent and asked for again. Each run is a month. `SPACEPORT_BILLING_KILLS` says how many there
//! are; how many kills there were of each place is printed.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use e2e::{Answer, Client, Installation, Payments, Process, Protocol, Signer, Tenant, within};
use http::Method;
use serde_json::{Value, json};

use crate::{
    crashes::failpoint_names::METER_FAILPOINTS,
    shop::{CRON_KEY, Shop, micros, sum},
};

const N_RUNS: usize = 24;
const DAY_S: u64 = 86_400;
/// Posts in one reading.
const POSTS: u64 = 7;
/// How long a killed process may take to be gone once its client lost it.
const DEATH_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a machine with other things to do may take until a new space is metered.
const FIRST_READING_TIME_MAX: Duration = Duration::from_mins(1);

/// How far readings of a second each may be behind, in seconds. What a kill lost would be lost for good:
/// after all of them it is more than this.
const LAG_S_MAX: u64 = 6;

/// The places, and which of the times that one comes there.
const PLACES: [(&str, &[usize]); 6] = [
    ("edge:sql:before", &[9, 14, 20, 26, 33, 41, 52, 66]),
    ("edge:sql:after", &[9, 14, 20, 26, 33, 41, 52, 66]),
    ("edge:commit:before", &[1, 2, 3, 4]),
    ("edge:commit:after", &[1, 2, 3, 4]),
    ("edge:request", &[1, 2]),
    ("edge:response", &[1, 2]),
];

struct Scene {
    shop: Shop,
    owner: Tenant,
    space: String,
    host_key: String,
    /// How many readings were taken; each has its number in its id.
    n_readings: u64,
}

impl Scene {
    fn new() -> Self {
        let payments = Payments::start();
        let facilitator = payments.facilitator();
        let installation = Installation::default().with_clock();
        let mut shop = Shop::of(installation, payments, &facilitator);
        shop.bill();
        let buyer = shop.buyer();
        let payment = shop.payment(Protocol::V2, &buyer, "garden");
        let made = buyer.ask("garden", &payment);
        let space = made.field("id");
        buyer.tenant.wait_for(&space, "running");
        // Enough for all of the months to come.
        let state = shop.installation.state().display().to_string();
        let grant = ["admin", "grant", &space, "900.00", "--reason", "a test", "--state", &state];
        let granted = shop.installation.spaceport(&grant);
        assert_eq!(granted.code, Some(0), "{granted:?}");
        let key = json!({ "name": "agent", "scopes": ["spaces:read", "spaces:write"] });
        let key = buyer.tenant.post("/v1/keys", &key).field("key");
        let owner = Tenant::with_bearer(&shop.edge(), &key, &buyer.tenant.address);
        let keys = fs::read_dir(shop.installation.state().join("keys")).unwrap().flatten();
        let host_key = keys
            .map(|it| it.path())
            .find(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with("host-")));
        let host_key = fs::read_to_string(host_key.unwrap()).unwrap().trim().to_owned();
        Self { shop, owner, space, host_key, n_readings: 0 }
    }

    /// Four readings of the last month, the first of which was told before.
    fn readings(&self) -> Value {
        let now_s = self.shop.installation.clock().now_s();
        let first = self.n_readings.saturating_sub(1);
        let reading = |number: u64| {
            let from_s = now_s - DAY_S * 20 + number % 4 * 900;
            let at = |unix_s: u64| {
                let at = time::OffsetDateTime::from_unix_timestamp(unix_s.cast_signed()).unwrap();
                at.format(&time::format_description::well_known::Rfc3339).unwrap()
            };
            json!({ "id": format!("test-{number}"), "space": self.space, "from": at(from_s),
                "to": at(from_s + 900), "seconds": 900, "running_seconds": 900,
                "hibernated_seconds": 0, "cpu_ms": 1000, "memory_mib_seconds": 900,
                "network_rx_bytes": 1, "network_tx_bytes": 1, "disk_read_bytes": 1,
                "disk_write_bytes": 1, "storage_kib": 2_097_152, "posts": POSTS })
        };
        let items: Vec<_> = (first..self.n_readings + 3).map(reading).collect();
        json!({ "items": items })
    }

    /// Tells the edge what was measured and has it bill; nothing where it dies on the way.
    fn try_bill(&self, client: &Client, readings: &Value) -> Option<[Answer; 2]> {
        let post = |path: &str, bearer: &str, body: &Value| {
            let request = client
                .request(Method::POST, path)
                .header("authorization", format!("Bearer {bearer}"))
                .header("content-type", "application/json");
            client.try_send(request, Some(body.to_string().into_bytes())).ok()
        };
        let told = post("/fleet/v1/readings", &self.host_key, readings)?;
        let billed = post("/internal/cron/billing", CRON_KEY, &json!({}))?;
        Some([told, billed])
    }

    /// One month, in which the edge is killed when it comes to `place` for the `n`-th time. Whether it
    /// came there.
    fn kill(&mut self, place: &str, n: usize) -> bool {
        self.shop.installation.stop();
        self.shop.installation.clock().put_forward(31 * DAY_S);
        let readings = self.readings();
        self.shop.installation.edge_to_failpoint(&format!("{place}@{n}"));
        let done = self.try_bill(&self.shop.edge(), &readings);
        let is_killed = done.is_none();
        if is_killed {
            let status = self.shop.installation.process().wait(DEATH_TIME_MAX);
            let status = status.unwrap_or_else(|| panic!("{place}@{n}: no answer, and it runs"));
            assert!(Process::was_killed(status), "{place}@{n}: it ended with {status}");
        }
        self.shop.installation.kill();
        self.shop.installation.up();
        // The same again, twice.
        for _ in 0..2 {
            let answers = self.try_bill(&self.shop.edge(), &readings).expect("it lives");
            for answer in answers {
                assert_eq!(answer.status, 200, "{place}@{n}: {}", answer.text);
            }
        }
        self.n_readings += 3;
        self.check(&format!("{place}@{n}"));
        is_killed
    }

    fn get(&self, what: &str) -> Value {
        let answer = self.owner.get(&format!("/v1/spaces/{}/{what}", self.space));
        let log = || self.shop.installation.log();
        assert_eq!(answer.status, 200, "{what}: {}\n{}", answer.text, log());
        answer.json
    }

    /// Each reading counts once, in usage and on the bills; and bills and ledger are one.
    fn check(&self, what: &str) {
        let posts = self.n_readings * POSTS;
        let usage =
            self.get("usage?window=month&from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z");
        let used = usage["items"].as_array().unwrap().iter();
        let used: u64 = used.map(|it| it["posts"].as_u64().unwrap()).sum();
        assert_eq!(used, posts, "{what}: used");

        let mut bills = vec![self.get("charges")];
        for invoice in self.get("invoices")["items"].as_array().unwrap() {
            bills.push(self.get(&format!("invoices/{}", invoice["id"].as_str().unwrap())));
        }
        let lines: Vec<_> =
            bills.iter().flat_map(|it| it["lines"].as_array().unwrap()).cloned().collect();
        let billed = lines.iter().filter(|it| it["meter"] == "posts");
        let billed: u64 = billed.map(|it| it["quantity"].as_u64().unwrap()).sum();
        assert_eq!(billed, posts, "{what}: billed");

        let due = sum(&json!(lines));
        let ledger = self.get("ledger?limit=200");
        let usage = ledger["items"].as_array().unwrap().iter().filter(|it| it["kind"] == "usage");
        let charged: i64 = usage.map(|it| -micros(&it["amount"])).sum();
        let balance = micros(&self.owner.space(&self.space)["balance"]);
        assert!(charged == due || (charged < due && balance == 0), "{what}: {charged} of {due}");
        let audit = self.shop.installation.audit();
        assert_eq!(audit["books"]["balance"], true, "{what}: {audit:#}");
    }
}

fn n_runs() -> usize {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the test says it so")]
    let said = std::env::var("SPACEPORT_BILLING_KILLS");
    said.map_or(N_RUNS, |it| it.parse().expect("SPACEPORT_BILLING_KILLS is a number"))
}

#[test]
fn what_was_used_counts_once_wherever_the_edge_dies() {
    let mut scene = Scene::new();
    let mut to_come: Vec<(&str, usize)> = Vec::new();
    let most = PLACES.iter().map(|it| it.1.len()).max().unwrap();
    for nth in 0..most {
        to_come.extend(PLACES.iter().filter_map(|(place, ns)| Some((*place, *ns.get(nth)?))));
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (place, n) in to_come.into_iter().take(n_runs()) {
        let is_killed = scene.kill(place, n);
        let count = counts.entry(place).or_default();
        if is_killed { count.0 += 1 } else { count.1 += 1 }
    }
    let invoices = scene.get("invoices")["items"].as_array().unwrap().len();
    println!("{invoices} months; of each place (kills, not reached): {counts:?}");
    for (place, (n_kills, _)) in counts {
        assert!(0 < n_kills, "never came to {place}");
    }
    let gone =
        within(DEATH_TIME_MAX, || (scene.owner.delete(&scene.space).status == 202).then_some(()));
    assert!(gone.is_some());
}

#[test]
fn what_a_worker_measured_counts_once_wherever_it_dies() {
    let mut installation = Installation::default()
        .with_steady_edge()
        .with_variable("cron_key", CRON_KEY)
        .with_options(&["--meter-seconds", "1"]);
    installation.up();
    let bill = |it: &Installation| {
        let answer = it.edge().post("/internal/cron/billing", Some(CRON_KEY), &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    bill(&installation);
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
    let space = tenant.create("hello", "garden");
    let began = Instant::now();
    tenant.wait_for(&space, "running");
    let measured = || {
        let usage = tenant.get(&format!("/v1/spaces/{space}/usage?window=month")).json;
        let seconds = |it: &Value| it["measured_seconds"].as_u64().unwrap();
        usage["items"].as_array().unwrap().iter().map(seconds).sum::<u64>()
    };
    // It is metered from the first look at it on; how long that takes is not what is asked here.
    let first = within(FIRST_READING_TIME_MAX, || Some(measured()).filter(|it| 0 < *it));
    let first = first.expect("a first reading");
    let metered = Instant::now();
    for place in METER_FAILPOINTS {
        for n in 1..=2 {
            installation.stop();
            let what = format!("{place}@{n}");
            let status = match installation.up_to_failpoint(&what) {
                Ok(()) => installation.process().wait(DEATH_TIME_MAX),
                Err(status) => Some(status),
            };
            let status = status.unwrap_or_else(|| panic!("{what}: it still runs"));
            assert!(Process::was_killed(status), "{what}: it ended with {status}");
            installation.kill();
            installation.up();
            // All of the time since, those in which nobody measured included, and no second twice.
            let is_to_be = || first + metered.elapsed().as_secs();
            let caught_up =
                within(DEATH_TIME_MAX, || (is_to_be() <= measured() + LAG_S_MAX).then_some(()));
            assert!(caught_up.is_some(), "{what}: {} s of {} s", measured(), is_to_be());
            let (all, most) = (measured(), began.elapsed().as_secs() + 1);
            assert!(all <= most, "{what}: {all} s of {most} s");
        }
    }
    let audit = installation.audit();
    assert_eq!(audit["books"]["balance"], true, "{audit:#}");
}
