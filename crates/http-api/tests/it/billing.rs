//! What a space used and what it costs, as its people are shown it.

use std::time::Duration;

use axum::body::Body;
use domain::ObservedState;
use http::{Method, Request};
use serde_json::{Value, json};
use testkit::{ADMIN_KEY, Answer, CRON_KEY, TestWallet};

use crate::shop::Shop;

/// When the clock of tests stands: 2026-11-18T11:06:40Z.
const BEGIN_S: i64 = 1_795_000_000;
/// The end of that month.
const DECEMBER_S: i64 = 1_796_083_200;
const KIB_OF_GIB: u64 = 1 << 20;

/// A paid space that runs.
struct Scene {
    shop: Shop,
    token: String,
    space: String,
}

impl Scene {
    async fn new() -> Self {
        let shop = Shop::open().await;
        let made = shop.pay("garden", &shop.payment(1).await).await;
        assert_eq!(made.status, 202, "{}", made.body);
        let (space, token) = (made.text("id"), shop.token.clone());
        let scene = Self { shop, token, space };
        scene.bill().await;
        let client = &scene.shop.client;
        client.see(&scene.shop.host_key, &scene.space, 1, ObservedState::Ready).await;
        scene
    }

    async fn bill(&self) {
        let path = "/internal/cron/billing";
        let answer = self.shop.client.post(path, Some(CRON_KEY), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Lets time pass, does what is due, and signs in again.
    async fn pass_until(&mut self, at_s: i64) {
        let seconds = u64::try_from(at_s - self.shop.now_s()).unwrap();
        self.shop.client.platform().advance(Duration::from_secs(seconds));
        self.bill().await;
        self.token = self.shop.client.sign_in(&self.shop.buyer).await;
    }

    /// A quarter of an hour that ended at `to_s`, with so much storage and so many posts.
    async fn tell(&self, id: &str, to_s: i64, storage_kib: u64, posts: u64) {
        let at = |unix_s: i64| domain::Timestamp::from_unix_ms(unix_s * 1000);
        let reading = json!({ "id": id, "space": self.space, "from": at(to_s - 900), "to": at(to_s),
            "seconds": 900, "running_seconds": 800, "hibernated_seconds": 100, "cpu_ms": 1500,
            "memory_mib_seconds": 921_600, "network_rx_bytes": 7, "network_tx_bytes": 8,
            "disk_read_bytes": 9, "disk_write_bytes": 10, "storage_kib": storage_kib, "posts": posts });
        let body = json!({ "items": [reading] });
        let key = Some(&*self.shop.host_key);
        let told = self.shop.client.post("/fleet/v1/readings", key, body).await;
        assert_eq!((told.status.as_u16(), &told.body), (200, &json!({ "refused": [] })));
    }

    async fn ask(&self, what: &str, accept: &str) -> Answer {
        let path = format!("/v1/spaces/{}/{what}", self.space);
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", accept);
        self.shop.client.send(request.body(Body::empty()).unwrap()).await
    }

    async fn get(&self, what: &str) -> Value {
        let answer = self.ask(what, "application/json").await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        answer.body
    }

    /// What the ledger took for use, in µUSD.
    async fn taken(&self) -> i64 {
        let ledger = self.get("ledger?limit=200").await;
        let items = ledger["items"].as_array().unwrap();
        -items
            .iter()
            .filter(|it| it["kind"] == "usage")
            .map(|it| micros(&it["amount"]))
            .sum::<i64>()
    }
}

fn micros(money: &Value) -> i64 {
    let text = money.as_str().unwrap();
    let (whole, part) = text.split_once('.').unwrap();
    let digits = format!("{}{part:0<6}", whole.trim_start_matches('-'));
    let value: i64 = digits.parse().unwrap();
    if whole.starts_with('-') { -value } else { value }
}

/// Checks that each amount follows from its line and returns their sum, in µUSD.
fn sum(lines: &Value) -> i64 {
    let amount = |line: &Value| {
        let of = |field: &str| u128::from(line[field].as_u64().unwrap());
        let price = u128::try_from(micros(&line["unit_price"])).unwrap();
        let want = (of("quantity") * price).div_ceil(of("per"));
        assert_eq!(u128::try_from(micros(&line["amount"])).unwrap(), want, "{line}");
        micros(&line["amount"])
    };
    lines.as_array().unwrap().iter().map(amount).sum()
}

#[tokio::test]
async fn what_was_used_is_shown_in_windows() {
    let mut scene = Scene::new().await;
    // 12:00 is in the second window of an hour.
    scene.pass_until(BEGIN_S + 7200).await;
    let noon_s = BEGIN_S - BEGIN_S % 3600 + 3600;
    scene.tell("r-1", noon_s - 1, KIB_OF_GIB, 1).await;
    scene.tell("r-2", noon_s + 900, 3 * KIB_OF_GIB, 2).await;
    let window = |from: &str, to: &str, n: u64, storage: &str, posts: u64| {
        json!({ "from": from, "to": to, "measured_seconds": 900 * n, "running_seconds": 800 * n,
            "hibernated_seconds": 100 * n, "cpu_seconds": format!("{}.{:03}", 15 * n / 10, 500 * n % 1000),
            "memory_gib_hours": format!("0.{}", 250_000 * n), "storage_gib_avg": storage,
            "network_rx_bytes": 7 * n, "network_tx_bytes": 8 * n, "disk_read_bytes": 9 * n,
            "disk_write_bytes": 10 * n, "posts": posts })
    };
    let first = window("2026-11-18T11:00:00Z", "2026-11-18T12:00:00Z", 1, "1.000000", 1);
    let second = window("2026-11-18T12:00:00Z", "2026-11-18T13:00:00Z", 1, "3.000000", 2);
    let day = window("2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z", 2, "2.000000", 3);
    let month = window("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", 2, "2.000000", 3);
    #[rustfmt::skip]
    let rows = [
        ("usage?window=hour",                                         json!([first, second])),
        ("usage",                                                     json!([day])),
        ("usage?window=day",                                          json!([day])),
        ("usage?window=month",                                        json!([month])),
        ("usage?window=hour&from=2026-11-18T12:30:00Z",               json!([second])),
        ("usage?window=hour&to=2026-11-18T12:00:00Z",                 json!([first])),
        ("usage?from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z",   json!([])),
    ];
    for (path, want) in rows {
        assert_eq!(scene.get(path).await, json!({ "items": want, "next": null }), "{path}");
    }
    for query in [
        "window=week",
        "from=yesterday",
        "from=2026-11-19T00:00:00Z&to=2026-11-18T00:00:00Z",
        "window=hour&from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z",
    ] {
        let answer = scene.ask(&format!("usage?{query}"), "*/*").await;
        assert_eq!(answer.problem(), (400, "invalid-query"), "{query}");
    }
}

#[tokio::test]
async fn a_month_is_charged_by_lines_that_anybody_can_work_out_and_becomes_an_invoice() {
    let mut scene = Scene::new().await;
    let path = format!("/v1/admin/spaces/{}/grants", scene.space);
    let grant = json!({ "amount": "10", "reason": "a friend" });
    assert_eq!(scene.shop.client.post(&path, Some(ADMIN_KEY), grant).await.status, 201);
    scene.pass_until(BEGIN_S + 7200).await;
    scene.tell("r-1", BEGIN_S + 900, 3 * KIB_OF_GIB, 12).await;
    scene.pass_until(BEGIN_S + 86_400).await;
    let charges = scene.get("charges").await;
    assert_eq!((&charges["month"], &charges["owed"]), (&json!("2026-11"), &json!("0.00")));
    assert_eq!(charges["as_of"], "2026-11-19T11:06:40Z");
    assert_eq!(micros(&charges["total"]), sum(&charges["lines"]));
    assert_eq!(micros(&charges["total"]), scene.taken().await);
    let quantity = |lines: &Value, meter: &str| {
        let line = lines.as_array().unwrap().iter().find(|it| it["meter"] == meter);
        line.map(|it| it["quantity"].as_u64().unwrap())
    };
    let rows = [("base", 86_400), ("posts", 12), ("storage", 2 * KIB_OF_GIB * 900)];
    for (meter, want) in rows {
        assert_eq!(quantity(&charges["lines"], meter), Some(want), "{charges:#}");
    }
    assert_eq!(scene.get("invoices").await["items"], json!([]));
    assert_eq!(scene.ask("invoices/2026-11", "*/*").await.problem(), (404, "invoice-not-found"));

    scene.pass_until(DECEMBER_S + 3601).await;
    let list = scene.get("invoices").await;
    let mut invoice = scene.get("invoices/2026-11").await;
    let lines = invoice["lines"].take();
    invoice.as_object_mut().unwrap().remove("lines");
    assert_eq!(list, json!({ "items": [invoice], "next": null }));
    assert_eq!(micros(&invoice["total"]), sum(&lines));
    assert_eq!(quantity(&lines, "base").map(u64::cast_signed), Some(DECEMBER_S - BEGIN_S));
    let december = scene.get("charges").await;
    assert_eq!(december["month"], "2026-12");
    let paid = micros(&invoice["paid"]);
    assert_eq!(paid + sum(&december["lines"]), scene.taken().await);
    assert_eq!(
        (paid + micros(&invoice["due"]), &invoice["state"]),
        (micros(&invoice["total"]), &json!("paid"))
    );

    // What was used before and told late is on the next invoice, and the one that was sent stays.
    scene.tell("late", BEGIN_S + 1800, 0, 3).await;
    scene.bill().await;
    let corrected = scene.get("charges").await;
    let late =
        corrected["lines"].as_array().unwrap().iter().find(|it| it["used_month"] == "2026-11");
    let late = late.unwrap_or_else(|| panic!("{corrected:#}"));
    assert_eq!(
        (&late["meter"], &late["quantity"], &late["amount"]),
        (&json!("posts"), &json!(3), &json!("0.03"))
    );
    let mut again = scene.get("invoices/2026-11").await;
    assert_eq!(again["lines"].take(), lines);

    check_page(&scene, &invoice, &lines).await;
    for month in ["2026-12", "2020-01", "2026-13", "nonsense", "..%2F2026-11"] {
        let answer = scene.ask(&format!("invoices/{month}"), "*/*").await;
        assert_eq!(answer.problem(), (404, "invoice-not-found"), "{month}");
    }
}

/// Checks that the page for people says what the JSON says.
async fn check_page(scene: &Scene, invoice: &Value, lines: &Value) {
    let page = scene.ask("invoices/2026-11", "text/html,application/xhtml+xml,*/*;q=0.8").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!((page.headers["vary"].to_str().unwrap(), page.status.as_u16()), ("accept", 200));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let text = page.body.as_str().unwrap();
    let mut said: Vec<String> = ["number", "owner", "issued_at", "state", "total", "paid", "due"]
        .map(|it| invoice[it].as_str().unwrap().to_owned())
        .to_vec();
    said.push(invoice["space"]["name"].as_str().unwrap().to_owned());
    for line in lines.as_array().unwrap() {
        said.extend(
            ["meter", "shown", "unit_price", "amount"]
                .map(|it| line[it].as_str().unwrap().to_owned()),
        );
        said.push(format!("{} of {}", line["quantity"], line["per"]));
    }
    for value in said {
        assert!(text.contains(&format!(">{value}<")), "{value} in {text}");
    }
}

#[tokio::test]
async fn only_those_of_a_space_see_its_money() {
    let scene = Scene::new().await;
    let client = &scene.shop.client;
    let stranger = client.sign_in(&TestWallet::new(2)).await;
    let key = client.make_key(&scene.token, "spaces:write").await;
    for what in ["usage", "charges", "invoices", "invoices/2026-11"] {
        let path = format!("/v1/spaces/{}/{what}", scene.space);
        let ask = async |bearer| client.get(&path, bearer).await;
        assert_eq!(ask(None).await.problem(), (401, "unauthenticated"), "{what}");
        assert_eq!(ask(Some(&*stranger)).await.problem(), (404, "space-not-found"), "{what}");
        assert_eq!(ask(Some(&*key)).await.problem(), (403, "insufficient-scope"), "{what}");
        let put = client.call(Method::PUT, &path, Some(&scene.token), None).await;
        assert_eq!(put.problem(), (405, "method-not-allowed"), "{what}");
    }
}
