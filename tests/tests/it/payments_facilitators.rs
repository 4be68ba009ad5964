//! Facilitators that fail, lie or take their time, and a chain that does: never two payments for one
//! space, and no money lost.

use std::time::Duration;

use e2e::{Answer, BadFacilitator, Conduct, Payments, Protocol, eventually};
use serde_json::{Value, json};

use crate::shop::{Buyer, FUNDS, Shop};

/// The longest it may take until the chain is asked again.
const LOOK_TIME_MAX: Duration = Duration::from_secs(20);
const EXPIRED: &str = "invalid_exact_evm_payload_authorization_valid_before";

/// A shop with one facilitator that does what it is told.
fn with_one() -> (Shop, BadFacilitator) {
    let payments = Payments::start();
    let facilitator = BadFacilitator::before(&payments.facilitator(), Conduct::Forwards);
    let shop = Shop::with(payments, &facilitator.url());
    (shop, facilitator)
}

/// What a facilitator does, and what is answered then: the status, and the code or reason.
#[rustfmt::skip]
fn conducts() -> Vec<(Conduct, u16, &'static str)> {
    let down = "facilitator-unavailable";
    let pending = "settlement-pending";
    let no = |reason: &str| json!({ "success": false, "errorReason": reason, "transaction": "",
        "network": "eip155:84532" });
    vec![
        (Conduct::Forwards,                                        202, ""),
        (Conduct::Slow(Duration::from_secs(2)),                    202, ""),
        (Conduct::SettlesSlowly(Duration::from_secs(3)),           202, ""),
        // It may take 20 seconds. Then the chain is asked.
        (Conduct::SettlesSlowly(Duration::from_secs(23)),          202, ""),
        (Conduct::SettlesAndDrops,                                 202, ""),
        (Conduct::Pending,                                         202, ""),
        // It has not looked at the payment, for sure.
        (Conduct::IsDown,                                          503, down),
        (Conduct::Redirects,                                       503, down),
        (Conduct::Html(401),                                       503, down),
        (Conduct::Html(403),                                       503, down),
        (Conduct::Html(404),                                       503, down),
        (Conduct::Answers(405, json!({})),                         503, down),
        (Conduct::Answers(429, json!({ "error": "slow down" })),   503, down),
        // It may have.
        (Conduct::Drops,                                           503, pending),
        (Conduct::Html(200),                                       503, pending),
        (Conduct::Html(502),                                       503, pending),
        (Conduct::Answers(200, json!({})),                         503, pending),
        (Conduct::Answers(200, json!({ "success": true })),        503, pending),
        (Conduct::Answers(500, json!({ "error": "oops" })),        503, pending),
        (Conduct::Answers(200, no("unexpected_settle_error")),     503, pending),
        (Conduct::Declines("settlement_pending"),                  503, pending),
        // A nonce that the chain does not know of as used.
        (Conduct::Declines("invalid_exact_evm_nonce_already_used"), 503, pending),
        // It says no.
        (Conduct::Declines("insufficient_funds"),                  402, "insufficient_funds"),
        (Conduct::Answers(400, no("invalid_payload")),             402, "invalid_payload"),
        (Conduct::Declines("a <b>word</b> of its own"),            402, "a <b>word</b> of its own"),
    ]
}

#[test]
fn whatever_a_facilitator_does_the_same_payment_leads_to_one_space() {
    let (mut shop, facilitator) = with_one();
    for (index, (conduct, status, code)) in conducts().into_iter().enumerate() {
        let protocol = [Protocol::V1, Protocol::V2][index % 2];
        let (buyer, name) = (shop.buyer(), format!("space-{index}"));
        let n_before = shop.payments.n_transfers();
        let payment = shop.payment(protocol, &buyer, &name);
        facilitator.becomes(conduct.clone());
        let first = buyer.ask(&name, &payment);
        let shown = format!("{conduct:?}, {protocol:?}: {} {}", first.status, first.text);
        assert_eq!(first.status, status, "{shown}");
        if status != 202 {
            check_refusal(&shop, &first, code, &shown);
            assert_eq!(buyer.n_spaces(), 0, "{shown}");
            assert_eq!(shop.payments.n_transfers(), n_before, "{shown}");
        }
        facilitator.becomes(Conduct::Forwards);
        let made = Shop::insist(&buyer, &name, &payment);
        assert_eq!(made.status, 202, "{shown}, then {}", made.text);
        assert_eq!(shop.payments.settlement(protocol, &made)["success"], true, "{shown}");
        check_paid_once(&shop, &buyer, n_before, &shown);
        assert_eq!(buyer.ask(&name, &payment).text, made.text, "{shown}: an answer is an answer");
        buyer.tenant.delete_and_wait(&made.field("id"));
        check_paid_once(&shop, &buyer, n_before, &shown);
    }
}

/// Checks what is said to whoever has not paid yet, or perhaps has.
fn check_refusal(shop: &Shop, answer: &Answer, code: &str, shown: &str) {
    let audit = shop.audit();
    assert_eq!(audit["books"]["balance"], true, "{shown}: {audit:#}");
    if answer.status == 402 {
        assert_eq!(answer.json["error"], code, "{shown}");
        assert_eq!(shop.payments.bill(Protocol::V2, answer)["error"], code, "{shown}");
        return;
    }
    assert_eq!(answer.problem(), (503, code.to_owned()), "{shown}");
    let _: u64 = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("{shown}"));
    let is_pending = code == "settlement-pending";
    assert_eq!(audit["ok"], !is_pending, "{shown}: {audit:#}");
    if is_pending {
        assert_eq!(shop.state_of(answer)["state"], "unknown", "{shown}");
        assert_eq!(audit["unresolved_payments"][0]["id"], answer.json["payment"], "{shown}");
    }
}

/// Checks that a buyer has one payment less and one space, or had.
fn check_paid_once(shop: &Shop, buyer: &Buyer, n_before: u64, shown: &str) {
    assert_eq!(shop.payments.n_transfers(), n_before + 1, "{shown}");
    let spent = FUNDS - shop.payments.balance(&buyer.key.address);
    assert_eq!(buyer.credited(), spent, "{shown}");
    shop.check_books(0);
}

/// A facilitator that says yes is believed: it is the one that the operator chose.
#[test]
fn a_yes_is_believed() {
    let (mut shop, facilitator) = with_one();
    facilitator.becomes(Conduct::Instant);
    let buyer = shop.buyer();
    let payment = shop.payment(Protocol::V2, &buyer, "garden");
    let made = buyer.ask("garden", &payment);
    assert_eq!(made.status, 202, "{}", made.text);
    assert_eq!((shop.payments.n_transfers(), facilitator.n_settles()), (0, 1));
    assert_eq!(buyer.ask("garden", &payment).text, made.text);
    assert_eq!(facilitator.n_settles(), 1);
    assert_eq!(shop.audit()["books"]["balance"], true);
    buyer.tenant.wait_for(&made.field("id"), "running");
}

#[test]
fn the_next_facilitator_is_asked_only_if_the_one_before_has_not_looked() {
    let payments = Payments::start();
    let start = || BadFacilitator::before(&payments.facilitator(), Conduct::Forwards);
    let (first, second) = (start(), start());
    let mut shop = Shop::with(payments, &format!("{} {}", first.url(), second.url()));
    #[rustfmt::skip]
    let rows = [
        // Conduct of the first, status, how often it was asked, and the second.
        (Conduct::Forwards,                       202, 1, 0),
        (Conduct::IsDown,                         202, 0, 1),
        (Conduct::Redirects,                      202, 1, 1),
        (Conduct::Html(403),                      202, 1, 1),
        (Conduct::SettlesAndDrops,                202, 1, 0),
        (Conduct::Pending,                        202, 1, 0),
        (Conduct::Drops,                          503, 1, 0),
        (Conduct::Html(500),                      503, 1, 0),
        (Conduct::Declines("insufficient_funds"), 402, 1, 0),
    ];
    for (index, (conduct, status, n_first, n_second)) in rows.into_iter().enumerate() {
        let protocol = [Protocol::V1, Protocol::V2][index % 2];
        let (buyer, name) = (shop.buyer(), format!("space-{index}"));
        let before = (first.n_settles(), second.n_settles(), shop.payments.n_transfers());
        let payment = shop.payment(protocol, &buyer, &name);
        first.becomes(conduct.clone());
        let answer = buyer.ask(&name, &payment);
        let shown = format!("{conduct:?}: {}", answer.text);
        assert_eq!(answer.status, status, "{shown}");
        let asked = (first.n_settles() - before.0, second.n_settles() - before.1);
        assert_eq!(asked, (n_first, n_second), "{shown}");
        first.becomes(Conduct::Forwards);
        let made = Shop::insist(&buyer, &name, &payment);
        assert_eq!(made.status, 202, "{shown}, then {}", made.text);
        check_paid_once(&shop, &buyer, before.2, &shown);
        // What it was sent is what the client signed, and what was asked for.
        for sent in first.settles().iter().skip(before.0) {
            let body: Value = serde_json::from_slice(&sent.body).unwrap();
            assert_eq!(body["paymentPayload"]["payload"], payment.content["payload"], "{shown}");
            assert_eq!(body["x402Version"], payment.content["x402Version"], "{shown}");
            assert_eq!(body["paymentRequirements"]["payTo"], shop.payments.pay_to(), "{shown}");
        }
        buyer.tenant.delete_and_wait(&made.field("id"));
    }
    first.becomes(Conduct::IsDown);
    second.becomes(Conduct::IsDown);
    let buyer = shop.buyer();
    let payment = shop.payment(Protocol::V2, &buyer, "nobody");
    let answer = buyer.ask("nobody", &payment);
    assert_eq!(answer.problem(), (503, "facilitator-unavailable".to_owned()));
    shop.check_books(0);
}

#[test]
fn a_payment_waits_for_a_chain_that_takes_its_time() {
    let mut shop = Shop::open();
    for (index, by_job) in [false, true].into_iter().enumerate() {
        let (buyer, name) = (shop.buyer(), format!("late-{index}"));
        let n_before = shop.payments.n_transfers();
        let payment = shop.payment(Protocol::V2, &buyer, &name);
        shop.payments.pause_mining();
        let first = buyer.ask(&name, &payment);
        assert_eq!(first.problem(), (503, "settlement-pending".to_owned()), "{}", first.text);
        shop.run_job();
        assert_eq!(shop.state_of(&first)["state"], "unknown");
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(buyer.ask(&name, &payment).status, 503, "never free");
        assert_eq!(buyer.n_spaces(), 0);
        assert_eq!(shop.audit()["books"]["balance"], true);
        shop.payments.resume_mining();
        if by_job {
            resolved_by_job(&shop, &first, "settled");
            assert_ne!(buyer.tenant.get("/v1/wallet").json["balance"], "0.00");
        }
        let made = Shop::insist(&buyer, &name, &payment);
        assert_eq!(made.status, 202, "{}", made.text);
        check_paid_once(&shop, &buyer, n_before, &name);
        buyer.tenant.wait_for(&made.field("id"), "running");
    }
}

/// Waits until the job has found out what became of a payment.
fn resolved_by_job(shop: &Shop, pending: &Answer, state: &str) -> Value {
    let mut payment = Value::Null;
    eventually(LOOK_TIME_MAX, || {
        shop.run_job();
        payment = shop.state_of(pending);
        if payment["state"] == state { Ok(()) } else { Err(payment.to_string()) }
    });
    payment
}

#[test]
fn a_payment_that_never_reaches_the_chain_is_refused_in_the_end() {
    let mut shop = Shop::open();
    let buyer = shop.buyer();
    // Good for five minutes; the chain's clock is put forward past that.
    let payment = shop.payment(Protocol::V2, &buyer, "garden");
    shop.payments.pause_mining();
    let first = buyer.ask("garden", &payment);
    assert_eq!(first.problem(), (503, "settlement-pending".to_owned()), "{}", first.text);
    shop.payments.put_clock_forward(300 + 61);
    shop.payments.resume_mining();
    let payment_view = resolved_by_job(&shop, &first, "refused");
    assert_eq!(payment_view["reason"], EXPIRED);
    assert_eq!((shop.payments.n_transfers(), buyer.credited(), buyer.n_spaces()), (0, 0, 0));
    shop.check_books(0);
    // By our own clock it is still good, and the chain knows better.
    let again = buyer.ask("garden", &payment);
    assert_eq!(
        (again.status.as_u16(), &again.json["error"]),
        (402, &json!(EXPIRED)),
        "{}",
        again.text
    );
    shop.check_books(0);
    assert_eq!(shop.payments.balance(&buyer.key.address), FUNDS);
}

/// Whoever sees a payment can bring it to the chain past us.
#[test]
fn a_payment_that_somebody_else_brought_to_the_chain_counts_if_we_have_heard_of_it() {
    let (mut shop, facilitator) = with_one();
    let buyer = shop.buyer();
    let payment = shop.payment(Protocol::V1, &buyer, "garden");
    facilitator.becomes(Conduct::Declines("insufficient_funds"));
    assert_eq!(buyer.ask("garden", &payment).status, 402);
    shop.payments.submit(&payment);
    facilitator.becomes(Conduct::Forwards);
    let n_settles = facilitator.n_settles();
    let made = Shop::insist(&buyer, "garden", &payment);
    assert_eq!(made.status, 202, "{}", made.text);
    assert_eq!(facilitator.n_settles(), n_settles, "the chain was asked first");
    check_paid_once(&shop, &buyer, 0, "past us");
    buyer.tenant.wait_for(&made.field("id"), "running");
}
