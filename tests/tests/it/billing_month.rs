//! Money of a space over a month and more: charged by the hour, closed into an invoice, owed, warned of,
//! suspended, and paid. The product's clock is put forward; all else is real.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use e2e::{
    Answer, Installation, MailServer, Payments, Process, Protocol, Receiver, Tenant, Visitor,
    eventually, within,
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    crashes::failpoint_names::NOTICE_FAILPOINTS,
    shop::{Buyer, Shop, micros, sum},
};

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
/// How long a payment may take to bring a suspended space back, by what is promised.
const RESUME_TIME_MAX: Duration = Duration::from_mins(1);
/// How long it may take until a worker has told what it measured, or delivered.
const TELL_TIME_MAX: Duration = Duration::from_secs(40);

const EMAIL: &str = "treasurer@garden.example";

/// A space that was paid for its first month, its owner with a key that outlives sessions, and where
/// its notices go.
struct Scene {
    shop: Shop,
    buyer: Buyer,
    owner: Tenant,
    space: String,
    receiver: Receiver,
    secret: String,
    mail: MailServer,
}

impl Scene {
    fn new() -> Self {
        let payments = Payments::start();
        let facilitator = payments.facilitator();
        let installation =
            Installation::default().with_clock().with_options(&["--meter-seconds", "2"]);
        let mail = MailServer::start();
        let installation = installation
            .with_environment("SPACEPORT_SMTP_URL", &mail.url())
            .with_environment("SPACEPORT_MAIL_FROM", "Spaceport <notices@example.org>");
        let mut shop = Shop::of(installation, payments, &facilitator);
        shop.bill();
        let buyer = shop.buyer();
        let payment = shop.payment(Protocol::V2, &buyer, "garden");
        let made = buyer.ask("garden", &payment);
        assert_eq!(made.status, 202, "{}", made.text);
        let space = made.field("id");
        buyer.tenant.wait_for(&space, "running");
        let key = json!({ "name": "agent", "scopes": ["spaces:read", "spaces:write"] });
        let key = buyer.tenant.post("/v1/keys", &key).field("key");
        let owner = Tenant::with_bearer(&shop.edge(), &key, &buyer.tenant.address);
        let receiver = Receiver::start();
        let contact = json!({ "webhook_url": receiver.url(), "email": EMAIL });
        let contact = put(&owner, "/v1/wallet/contact", &contact);
        assert_eq!(contact.status, 200, "{}", contact.text);
        let secret = contact.field("webhook_secret");
        Self { shop, buyer, owner, space, receiver, secret, mail }
    }

    fn get(&self, what: &str) -> Value {
        let answer = self.owner.get(&format!("/v1/spaces/{}/{what}", self.space));
        assert_eq!(answer.status, 200, "{what}: {}", answer.text);
        answer.json
    }

    /// Seconds since 1970, as the product sees them.
    fn now_s(&self) -> u64 {
        self.shop.installation.clock().now_s()
    }

    /// Puts the clock forward and has what is due done.
    fn pass(&self, seconds: u64) {
        self.shop.installation.clock().put_forward(seconds);
        self.shop.bill();
    }

    /// A payment of `amount` for the space, in the product's time.
    fn pay(&self, amount: &str) -> Answer {
        let path = format!("/v1/spaces/{}/payments", self.space);
        let body = json!({ "amount": amount });
        let bill = self.owner.post(&path, &body);
        assert_eq!(bill.status, 402, "{}", bill.text);
        let asked = self.shop.payments.bill(Protocol::V2, &bill)["accepts"][0].take();
        let until = (self.now_s() + 60).to_string();
        let key = &self.buyer.key.key;
        let spoilt = json!({ "authorization": { "validBefore": until } });
        let payment = self.shop.payments.sign(Protocol::V2, key, &asked, &spoilt);
        self.owner.post_with(&path, &body, &[(&payment.header, &payment.value)])
    }

    /// Checks that the balance is what the ledger adds up to, and nothing is wrong at all.
    fn check(&self) {
        let space = self.owner.space(&self.space);
        assert_eq!(micros(&space["balance"]), sum(&self.get("ledger?limit=200")["items"]));
        let shown = self.shop.installation.audit();
        assert_eq!(shown["books"]["balance"], true, "{shown:#}");
    }

    /// What was charged for use, by the ledger.
    fn charged(&self) -> i64 {
        let ledger = self.get("ledger?limit=200");
        let usage = ledger["items"].as_array().unwrap().iter().filter(|it| it["kind"] == "usage");
        usage.map(|it| -micros(&it["amount"])).sum()
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.get("events?limit=200");
        let found = events["items"].as_array().unwrap().iter().filter(|it| it["kind"] == kind);
        found.cloned().collect()
    }
}

fn put(tenant: &Tenant, path: &str, body: &Value) -> Answer {
    let request = tenant.edge.request(Method::PUT, path);
    let request = request.header("authorization", format!("Bearer {}", tenant.token));
    let request = request.header("content-type", "application/json");
    tenant.edge.send(request, Some(body.to_string().into_bytes()))
}

/// The last second of the calendar month that this second is in, and one more.
fn month_end_s(now_s: u64) -> u64 {
    let at = time::OffsetDateTime::from_unix_timestamp(now_s.cast_signed()).unwrap();
    let days = at.month().length(at.year());
    let next = at.date().replace_day(days).unwrap().next_day().unwrap();
    next.midnight().assume_utc().unix_timestamp().unsigned_abs()
}

#[test]
fn a_month_is_charged_closed_owed_and_paid() {
    let scene = Scene::new();
    let first = scene.owner.space(&scene.space);
    let price = micros(&first["balance"]);
    eventually(TELL_TIME_MAX, || {
        let usage = scene.get("usage?window=hour");
        let used = usage["items"].as_array().unwrap().iter();
        let seconds: u64 = used.map(|it| it["running_seconds"].as_u64().unwrap()).sum();
        if 2 < seconds { Ok(()) } else { Err(format!("{usage}")) }
    });

    // An hour: so many seconds of the month's price, and the same in lines, ledger and balance.
    scene.pass(HOUR_S + 5);
    let charges = scene.get("charges");
    let total = micros(&charges["total"]);
    assert_eq!(charges["lines"][0]["meter"], "base", "{charges:#}");
    let seconds = charges["lines"][0]["quantity"].as_u64().unwrap();
    let start = scene.now_s();
    let month_s = month_len_s(start);
    assert!((3600..3600 + 120).contains(&seconds), "{seconds}");
    let want = (seconds * 5_000_000).div_ceil(month_s);
    assert_eq!(total.unsigned_abs(), want, "{charges:#}");
    assert_eq!(scene.charged(), total);
    assert_eq!(price - total, micros(&scene.owner.space(&scene.space)["balance"]));
    scene.shop.bill();
    assert_eq!(scene.charged(), total, "once");
    scene.check();

    // The month's end: an invoice, the same for people and for machines, and as the ledger says.
    let end_s = month_end_s(scene.now_s());
    scene.pass(end_s + HOUR_S + 30 - scene.now_s());
    let invoices = scene.get("invoices");
    assert_eq!(invoices["items"].as_array().unwrap().len(), 1, "{invoices:#}");
    let month = invoices["items"][0]["id"].as_str().unwrap().to_owned();
    let invoice = scene.get(&format!("invoices/{month}"));
    let lines: i64 =
        invoice["lines"].as_array().unwrap().iter().map(|it| micros(&it["amount"])).sum();
    assert_eq!(lines, micros(&invoice["total"]), "{invoice:#}");
    assert_eq!(invoice["paid"], invoice["total"], "{invoice:#}");
    let path = format!("/v1/spaces/{}/invoices/{month}", scene.space);
    let html = scene.owner.get_with(&path, ("accept", "text/html"));
    assert!(html.header("content-type").starts_with("text/html"), "{:?}", html.headers);
    let total = invoice["total"].as_str().unwrap();
    assert!(html.text.contains(total) && html.text.contains(&month), "{}", html.text);
    assert!(micros(&invoice["total"]) <= price);
    let running = micros(&scene.get("charges")["total"]) - micros(&scene.get("charges")["owed"]);
    assert_eq!(scene.charged(), micros(&invoice["total"]) + running);
    scene.check();

    // Nothing is left: grace, and then it is stopped.
    assert_eq!(scene.events("balance-used-up").len(), 1);
    assert_eq!(scene.owner.space(&scene.space)["phase"], "running", "in its grace");
    // What nobody could deliver for three days is not worth it any more.
    eventually(TELL_TIME_MAX, || {
        let kinds = scene.receiver.kinds();
        if kinds.iter().any(|it| it == "space.balance-used-up") {
            return Ok(());
        }
        Err(format!("{kinds:?}"))
    });
    scene.pass(3 * DAY_S + 60);
    scene.owner.wait_for(&scene.space, "suspended");
    let visitor = Visitor::of(&scene.shop.installation.gateway());
    let page = visitor.get("garden", "/");
    assert_eq!(page.status, 503, "{}", page.text);
    assert!(page.text.contains("suspended") && page.text.contains(&scene.space), "{}", page.text);
    let problem = visitor.get_json("garden", "/").json;
    assert_eq!(problem["code"], "suspended", "{problem:#}");
    assert!(problem["pay_url"].as_str().unwrap().ends_with("/payments"), "{problem:#}");
    let restart = scene.owner.post(&format!("/v1/spaces/{}/restart", scene.space), &json!({}));
    assert_eq!((restart.status.as_u16(), restart.field("code")), (409, "suspended".to_owned()));
    scene.check();

    // Too little is taken, and changes nothing; enough brings it back.
    let owed = micros(&scene.get("charges")["owed"]);
    assert!(0 < owed);
    let little = scene.pay("0.01");
    assert_eq!(little.status, 201, "{}", little.text);
    assert_eq!(scene.owner.space(&scene.space)["desired"], "suspended");
    let enough = scene.pay("10.00");
    assert_eq!(enough.status, 201, "{}", enough.text);
    let began = Instant::now();
    let back = within(RESUME_TIME_MAX, || (visitor.get("garden", "/").status == 200).then_some(()));
    assert!(back.is_some(), "{:#}", scene.owner.space(&scene.space));
    println!("{:?} from the payment's answer to the page", began.elapsed());
    scene.owner.wait_for(&scene.space, "running");
    assert_eq!(micros(&scene.get("charges")["owed"]), 0);
    scene.check();
    told(&scene);

    // Deleted: charged to the second, and the rest is the owner's.
    scene.owner.delete_and_wait(&scene.space);
    scene.check();
}

fn month_len_s(now_s: u64) -> u64 {
    let at = time::OffsetDateTime::from_unix_timestamp(now_s.cast_signed()).unwrap();
    u64::from(at.month().length(at.year())) * DAY_S
}

/// The owner was told of everything, in messages that its library believes.
fn told(scene: &Scene) {
    let want = ["space.balance-used-up", "space.suspended", "space.resumed"];
    eventually(TELL_TIME_MAX, || {
        let kinds = scene.receiver.kinds();
        let is_there = |kind: &&str| kinds.iter().any(|it| it == kind);
        if want.iter().all(is_there) { Ok(()) } else { Err(format!("{kinds:?}")) }
    });
    let mails = within(TELL_TIME_MAX, || {
        let mails = scene.mail.mails();
        (want.len() <= mails.len()).then_some(mails)
    });
    let mails = mails.expect("mails come");
    for mail in &mails {
        assert!(mail.contains(&format!("To: {EMAIL}")) && mail.contains("garden"), "{mail}");
    }
    assert!(mails.iter().any(|it| it.contains("/payments")), "how to pay: {mails:#?}");
    for message in scene.receiver.received() {
        let header = |name: &str| message.headers[name].to_str().unwrap().to_owned();
        let timestamp = header("webhook-timestamp").parse().unwrap();
        let id = header("webhook-id");
        let want =
            scene.shop.payments.standard_signature(&scene.secret, &id, timestamp, message.text());
        assert_eq!(header("webhook-signature"), want, "{}", message.text());
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(body["data"]["space"]["id"], json!(scene.space), "{body:#}");
    }
}

#[test]
fn a_notice_survives_the_death_of_who_delivers_it() {
    for place in NOTICE_FAILPOINTS {
        let mut scene = Scene::new();
        scene.shop.installation.stop();
        scene.shop.installation.up_to_failpoint(place).unwrap();
        let end_s = month_end_s(scene.now_s());
        scene.pass(end_s + 2 * HOUR_S - scene.now_s());
        let status = scene.shop.installation.process().wait(TELL_TIME_MAX);
        let status = status.unwrap_or_else(|| panic!("{place}: it still runs"));
        assert!(Process::was_killed(status), "{place}: it ended with {status}");
        scene.shop.installation.kill();
        scene.shop.installation.up();
        // Whoever died had it for two minutes.
        scene.shop.installation.clock().put_forward(150);
        eventually(TELL_TIME_MAX, || {
            let events = scene.receiver.kinds();
            let n_before = usize::from(place.ends_with("after"));
            let told = events.iter().filter(|it| *it == "space.balance-used-up").count();
            if n_before < told { Ok(()) } else { Err(format!("{place}: {events:?}")) }
        });
        let ids: BTreeSet<_> = scene
            .receiver
            .received()
            .iter()
            .filter(|it| it.text().contains("space.balance-used-up"))
            .map(|it| it.headers["webhook-id"].clone())
            .map(|it| it.to_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), 1, "{place}: whoever gets it twice knows it: {ids:?}");
    }
}
