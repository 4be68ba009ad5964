//! What facilitators tell us of their own accord: a reason to ask the chain, and no more.

use std::{thread, time::Duration};

use e2e::{Answer, BadFacilitator, Conduct, Payments, Protocol, Webhook, within};
use http::Method;
use serde_json::{Value, json};

use crate::{
    edge::refused,
    shop::{Buyer, Shop, WEBHOOK_SECRET, price},
};

const OTHER_SECRET: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
/// How facilitators sign.
const KINDS: [&str; 4] = ["hex", "prefixed", "standard", "coinbase"];

fn send(shop: &Shop, webhook: &Webhook) -> Answer {
    let client = shop.edge();
    let mut request = client.request(Method::POST, "/webhooks/facilitator");
    request = request.header("content-type", "application/json");
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    client.send(request, Some(webhook.body.clone().into_bytes()))
}

/// What Coinbase and others say of a payment.
fn about(shop: &Shop, buyer: &Buyer) -> Value {
    json!({ "transaction": { "fromAddress": buyer.key.address, "toAddress": shop.payments.pay_to() } })
}

#[test]
fn a_signed_message_resolves_a_payment_and_a_forged_one_does_not() {
    let mut shop = Shop::open();
    // Of each kind one payment, whose blocks come late.
    let mut rows = Vec::new();
    for kind in KINDS {
        let buyer = shop.buyer();
        let payment = shop.payment(Protocol::V2, &buyer, kind);
        rows.push((kind, buyer, payment));
    }
    shop.payments.pause_mining();
    let answers: Vec<Answer> = thread::scope(|scope| {
        let ask = |(kind, buyer, payment)| scope.spawn(move || Buyer::ask(buyer, kind, payment));
        let threads: Vec<_> =
            rows.iter().map(|(kind, buyer, payment)| ask((*kind, buyer, payment))).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    shop.payments.resume_mining();

    for ((kind, buyer, payment), pending) in rows.iter().zip(&answers) {
        assert_eq!(
            pending.problem(),
            refused(503, "settlement-pending"),
            "{kind}: {}",
            pending.text
        );
        let about = about(&shop, buyer);
        let by = |secret: &str, age| shop.payments.webhook(kind, secret, &about, age);
        let good = by(WEBHOOK_SECRET, 0);
        let mut changed = good.clone();
        changed.body.push(' ');
        let mut unsigned = good.clone();
        unsigned.headers.clear();
        for (what, webhook) in [
            ("forged", by(OTHER_SECRET, 0)),
            ("changed", changed),
            ("unsigned", unsigned),
            ("old", by(WEBHOOK_SECRET, 301)),
            // Time goes on between here and there, and it would be of the present.
            ("of the future", by(WEBHOOK_SECRET, -360)),
        ] {
            let answer = send(&shop, &webhook);
            assert_eq!(
                answer.problem(),
                refused(401, "bad-webhook"),
                "{kind}, {what}: {}",
                answer.text
            );
        }
        assert_eq!(shop.state_of(pending)["state"], "unknown", "{kind}");
        for _ in 0..3 {
            let answer = send(&shop, &good);
            assert_eq!(answer.status, 202, "{kind}: {}", answer.text);
            assert_eq!(shop.state_of(pending)["state"], "settled", "{kind}");
        }
        let made = Shop::insist(buyer, kind, payment);
        assert_eq!(made.status, 202, "{kind}: {}", made.text);
        assert_eq!(send(&shop, &good).status, 202, "{kind}: a replay does nothing");
        assert_eq!(buyer.n_spaces(), 1, "{kind}");
        buyer.tenant.wait_for(&made.field("id"), "running");
    }
    assert_eq!(shop.payments.n_transfers(), 4);
    shop.check_books(0);
}

/// The chain knows before the facilitator has told us.
#[test]
fn a_message_may_come_before_the_answer() {
    let payments = Payments::start();
    let conduct = Conduct::SettlesSlowly(Duration::from_secs(4));
    let facilitator = BadFacilitator::before(&payments.facilitator(), conduct);
    let mut shop = Shop::with(payments, &facilitator.url());
    let buyer = shop.buyer();
    let payment = shop.payment(Protocol::V2, &buyer, "garden");
    let made = thread::scope(|scope| {
        let asked = scope.spawn(|| buyer.ask("garden", &payment));
        let moved =
            within(Duration::from_secs(3), || (shop.payments.n_transfers() == 1).then_some(()));
        assert!(moved.is_some(), "the facilitator has not settled");
        let message = shop.payments.webhook("standard", WEBHOOK_SECRET, &about(&shop, &buyer), 0);
        assert_eq!(send(&shop, &message).status, 202);
        assert!(!asked.is_finished(), "it was to be before the answer");
        assert_ne!(buyer.credited(), 0, "the message was not believed");
        // Whoever asks again meanwhile waits for nobody.
        assert_eq!(buyer.ask("garden", &payment).status, 202);
        asked.join().unwrap()
    });
    assert_eq!(made.status, 202, "{}", made.text);
    assert_eq!((shop.payments.n_transfers(), facilitator.n_settles(), buyer.n_spaces()), (1, 1, 1));
    shop.check_books(0);
    buyer.tenant.wait_for(&made.field("id"), "running");
}

/// It says that somebody paid who did not.
#[test]
fn a_signed_lie_credits_nobody() {
    let payments = Payments::start();
    let facilitator = BadFacilitator::before(&payments.facilitator(), Conduct::Drops);
    let mut shop = Shop::with(payments, &facilitator.url());
    let buyer = shop.buyer();
    let asked = shop.asked(Protocol::V2, &buyer, "garden");
    let payment = shop.payments.sign(Protocol::V2, &buyer.key.key, &asked, &json!({}));
    let pending = buyer.ask("garden", &payment);
    assert_eq!(pending.problem(), refused(503, "settlement-pending"));
    let mut lie = about(&shop, &buyer);
    lie["transactionHash"] = json!(format!("0x{}", "11".repeat(32)));
    lie["nonce"] = payment.content["payload"]["authorization"]["nonce"].clone();
    lie["amount"] = json!(price(&asked).to_string());
    for kind in KINDS {
        let message = shop.payments.webhook(kind, WEBHOOK_SECRET, &lie, 0);
        assert_eq!(send(&shop, &message).status, 202, "{kind}");
        assert_eq!(shop.state_of(&pending)["state"], "unknown", "{kind}");
    }
    assert_eq!((buyer.credited(), buyer.n_spaces()), (0, 0));
    facilitator.becomes(Conduct::Forwards);
    let made = Shop::insist(&buyer, "garden", &payment);
    assert_eq!(made.status, 202, "{}", made.text);
    shop.check_books(0);
    buyer.tenant.wait_for(&made.field("id"), "running");
}
