//! Paying: the official clients, one payment many times, contract wallets, and who pays for others.

use e2e::{Client, Protocol, Visitor};
use serde_json::{Value, json};

use crate::{
    edge::{at_once, hello},
    shop::{Buyer, FUNDS, Shop, micros, price, sum},
};

/// The least that is asked for, in µUSD.
const CENT: u64 = 10_000;
/// More than a space costs a second, in µUSD: it is five dollars a month.
const MICROS_A_SECOND: u64 = 3;
/// Longer than a space runs in these tests.
const SECONDS_MAX: u64 = 90;

#[test]
fn the_official_clients_pay_for_a_space_that_then_runs() {
    let mut shop = Shop::open();
    for (index, protocol) in [Protocol::V1, Protocol::V2].into_iter().enumerate() {
        let (buyer, name) = (shop.buyer(), format!("garden-{index}"));
        let n_before = shop.payments.n_transfers();
        let (pay_to, url) = (shop.payments.pay_to(), format!("{}/v1/spaces", shop.edge().origin()));
        let before = shop.payments.balance(&pay_to);
        let bearer = json!({ "authorization": format!("Bearer {}", buyer.tenant.token) });
        let paid = shop.payments.pay(protocol, &buyer.key.key, &url, &bearer, &hello(&name));
        assert_eq!(paid.answer.status, 202, "{protocol:?}: {}", paid.answer.text);
        let statuses: Vec<u16> =
            paid.exchanges.iter().map(|it| it.answer.status.as_u16()).collect();
        assert_eq!(statuses, [402, 202], "{protocol:?}");
        assert_eq!(paid.answer.json["name"], name);

        // Once, and exactly that.
        let price = price(&shop.payments.bill(protocol, &paid.exchanges[0].answer)["accepts"][0]);
        assert_eq!(shop.payments.balance(&pay_to), before + price);
        assert_eq!(shop.payments.balance(&buyer.key.address), FUNDS - price);
        assert_eq!(shop.payments.n_transfers(), n_before + 1);

        let settled = shop.payments.settlement(protocol, &paid.answer);
        assert_eq!(
            (&settled["success"], &settled["payer"]),
            (&json!(true), &json!(buyer.key.address))
        );
        let receipt = &settled["extensions"]["offer-receipt"]["info"];
        assert_eq!(receipt.is_null(), protocol == Protocol::V1, "{settled}");

        let space = paid.answer.field("id");
        let running = buyer.tenant.wait_for(&space, "running");
        assert_eq!(Visitor::of(&shop.installation.gateway()).get(&name, "/").status, 200);
        check_accounts(&shop, &buyer, &running, price, &settled);
        shop.check_books(0);
        check_moving(&shop, &buyer, &space, price);
    }
}

/// Checks what is said of the money of a space that runs, by all who say something.
fn check_accounts(shop: &Shop, buyer: &Buyer, space: &Value, price: u64, settled: &Value) {
    let id = space["id"].as_str().unwrap();
    let price = i64::try_from(price).unwrap();
    assert_eq!(micros(&space["balance"]), price, "{space:#}");
    let until = space["paid_until"].as_str().unwrap();
    assert!(until.ends_with("-01T00:00:00Z"), "not to the end of a month: {space:#}");
    assert!(until > space["created_at"].as_str().unwrap(), "{space:#}");
    let ledger = buyer.tenant.get(&format!("/v1/spaces/{id}/ledger")).json;
    assert_eq!(sum(&ledger["items"]), price, "{ledger:#}");
    let wallet = buyer.tenant.get("/v1/wallet").json;
    let said = (&wallet["balance"], &wallet["held"], sum(&wallet["ledger"]));
    assert_eq!(said, (&json!("0.00"), &json!("0.00"), 0), "{wallet:#}");
    let lines = wallet["ledger"].as_array().unwrap();
    let line = lines.iter().find(|it| it["kind"] == "payment").unwrap();
    assert_eq!(micros(&line["amount"]), price, "{line}");
    let path = format!("/v1/payments/{}", line["payment"].as_str().unwrap());
    let payment = shop.edge().get(&path, None).json;
    assert_eq!((&payment["state"], &payment["reason"]), (&json!("settled"), &Value::Null));
    for (field, want) in [
        ("network", &json!(shop.payments.network())),
        ("asset", &json!(shop.payments.usdc())),
        ("payer", &json!(buyer.key.address)),
        ("transaction", &settled["transaction"]),
    ] {
        assert_eq!(&payment[field], want, "{payment:#}");
    }
    assert_eq!(micros(&payment["amount"]), price);
}

/// Deletes a space and makes another with the money that comes back from it. What it ran for is missing, if
/// that is anything.
fn check_moving(shop: &Shop, buyer: &Buyer, space: &str, price: u64) {
    let n_before = shop.payments.n_transfers();
    buyer.tenant.delete_and_wait(space);
    let used = charged(buyer, space);
    assert!(used < SECONDS_MAX * MICROS_A_SECOND, "{used} µUSD");
    let wallet = buyer.tenant.get("/v1/wallet").json;
    assert_eq!(micros(&wallet["balance"]), i64::try_from(price - used).unwrap(), "{wallet:#}");
    assert_eq!(sum(&wallet["ledger"]), micros(&wallet["balance"]), "{wallet:#}");
    shop.check_books(0);

    let name = format!("next-{n_before}");
    let mut next = buyer.tenant.post("/v1/spaces", &hello(&name));
    if next.status == 402 {
        let asked = &next.json["accepts"][0];
        assert!(self::price(asked) <= used.max(CENT), "what is missing: {asked}");
        let payment = shop.payments.sign(Protocol::V1, &buyer.key.key, asked, &json!({}));
        next = buyer.ask(&name, &payment);
    }
    assert_eq!(next.status, 202, "{}", next.text);
    shop.check_books(0);
    let next = next.field("id");
    buyer.tenant.wait_for(&next, "running");
    buyer.tenant.delete_and_wait(&next);
    shop.check_books(0);
}

/// What a space was charged for the time that it ran, in µUSD.
fn charged(buyer: &Buyer, space: &str) -> u64 {
    let ledger = buyer.tenant.get(&format!("/v1/spaces/{space}/ledger")).json;
    assert_eq!(sum(&ledger["items"]), 0, "nothing is left on it: {ledger:#}");
    let lines = ledger["items"].as_array().unwrap().iter();
    let charges = lines.filter(|it| it["kind"] == "charge");
    charges.map(|it| micros(&it["amount"]).unsigned_abs()).sum()
}

#[test]
fn one_signature_twenty_times_at_once_is_one_payment_and_one_space() {
    let mut shop = Shop::open();
    for protocol in [Protocol::V1, Protocol::V2] {
        let buyer = shop.buyer();
        let n_before = shop.payments.n_transfers();
        let payment = shop.payment(protocol, &buyer, "garden");
        let answers = at_once(20, |_| buyer.ask("garden", &payment));
        for answer in &answers {
            let got = (answer.status.as_u16(), &answer.text);
            assert_eq!(got, (202, &answers[0].text), "{protocol:?}");
            let settled = shop.payments.settlement(protocol, answer);
            assert_eq!(settled["success"], true, "{settled}");
        }
        assert_eq!((shop.payments.n_transfers() - n_before, buyer.n_spaces()), (1, 1));
        // Nor does it matter by which name the edge is called.
        let port = shop.edge().origin().rsplit(':').next().unwrap().to_owned();
        let elsewhere = Client::new(&format!("http://localhost:{port}"));
        let again = buyer.try_ask(&elsewhere, "garden", &payment).unwrap();
        assert_eq!((again.status.as_u16(), &again.text), (202, &answers[0].text));
        // For another space it is used up.
        let other = buyer.ask("orchard", &payment);
        assert_eq!(other.status, 402, "{}", other.text);
        assert_eq!(other.json["error"], "invalid_exact_evm_nonce_already_used");
        assert_eq!((shop.payments.n_transfers() - n_before, buyer.n_spaces()), (1, 1));
        shop.check_books(0);
        buyer.tenant.delete_and_wait(&answers[0].field("id"));
        shop.check_books(0);
    }
}

/// The money of a wallet that is a contract, for somebody else's space.
#[test]
fn a_contract_wallet_pays() {
    let mut shop = Shop::open();
    for protocol in [Protocol::V1, Protocol::V2] {
        let buyer = shop.buyer();
        let wallet = shop.payments.wallet(&buyer.key.address);
        shop.payments.fund(&wallet, FUNDS);
        let asked = shop.asked(protocol, &buyer, "garden");
        let by_wallet = json!({ "authorization": { "from": wallet } });
        // Not by its owner.
        let stranger = shop.payments.fresh_buyer(FUNDS);
        let forged = shop.payments.sign(protocol, &stranger.key, &asked, &by_wallet);
        let refused = buyer.ask("garden", &forged);
        assert_eq!(refused.status, 402, "{}", refused.text);
        assert_eq!(refused.json["error"], "invalid_exact_evm_payload_signature");

        let payment = shop.payments.sign(protocol, &buyer.key.key, &asked, &by_wallet);
        let made = buyer.ask("garden", &payment);
        assert_eq!(made.status, 202, "{protocol:?}: {}", made.text);
        assert_eq!(shop.payments.settlement(protocol, &made)["payer"], wallet);
        assert_eq!(shop.payments.balance(&wallet), FUNDS - price(&asked));
        assert_eq!(shop.payments.balance(&buyer.key.address), FUNDS);
        assert_eq!(buyer.ask("garden", &payment).text, made.text);
        shop.check_books(0);
        buyer.tenant.delete_and_wait(&made.field("id"));
    }
}

#[test]
fn a_stranger_without_a_session_pays_for_a_space() {
    let mut shop = Shop::open();
    let buyer = shop.buyer();
    let payment = shop.payment(Protocol::V2, &buyer, "garden");
    let space = buyer.ask("garden", &payment).field("id");
    let path = format!("/v1/spaces/{space}/payments");
    let before = micros(&buyer.tenant.wait_for(&space, "running")["balance"]);
    let body = json!({ "amount": "10.00" });
    for (n_paid, protocol) in [(1, Protocol::V1), (2, Protocol::V2)] {
        let stranger = shop.payments.fresh_buyer(FUNDS);
        let client = shop.edge();
        let asked = client.post(&path, None, &body);
        assert_eq!(asked.status, 402, "{}", asked.text);
        let asked = shop.payments.bill(protocol, &asked)["accepts"][0].take();
        assert_eq!(price(&asked), 10_000_000);
        let payment = shop.payments.sign(protocol, &stranger.key, &asked, &json!({}));
        let pay = || {
            let request = client.request(http::Method::POST, &path);
            let request = request.header("content-type", "application/json");
            client.send(payment.with(request), Some(body.to_string().into_bytes()))
        };
        let paid = pay();
        assert_eq!(paid.status, 201, "{protocol:?}: {}", paid.text);
        assert_eq!(
            (&paid.json["kind"], &paid.json["amount"]),
            (&json!("payment"), &json!("10.00"))
        );
        assert_eq!(shop.payments.settlement(protocol, &paid)["payer"], stranger.address);
        let again = pay();
        assert_eq!((again.status.as_u16(), &again.text), (201, &paid.text), "the same again");
        assert_eq!(shop.payments.balance(&stranger.address), FUNDS - 10_000_000);

        let topped_up = before + n_paid * 10_000_000;
        assert_eq!(micros(&buyer.tenant.space(&space)["balance"]), topped_up);
        let ledger = buyer.tenant.get(&format!("/v1/spaces/{space}/ledger")).json;
        assert_eq!(sum(&ledger["items"]), topped_up, "{ledger:#}");
        shop.check_books(u64::try_from(n_paid).unwrap() * 10_000_000);
    }

    buyer.tenant.delete_and_wait(&space);
    let wallet = buyer.tenant.get("/v1/wallet").json;
    let used = i64::try_from(charged(&buyer, &space)).unwrap();
    let left = before + 20_000_000 - used;
    assert_eq!(micros(&wallet["balance"]), left, "what is left goes to its owner");
    shop.check_books(20_000_000);
}
