//! Payments that are not what was asked for: the reason, nobody is asked to settle them, nothing changes.

use e2e::{Answer, BadFacilitator, Conduct, Payments, Protocol};
use serde_json::{Value, json};

use crate::{
    edge::{hello, refused},
    shop::{FUNDS, Shop, price},
};

const SIGNATURE: &str = "invalid_exact_evm_payload_signature";
const VALUE: &str = "invalid_exact_evm_payload_authorization_value_mismatch";
const RECIPIENT: &str = "invalid_exact_evm_payload_recipient_mismatch";
const BEFORE: &str = "invalid_exact_evm_payload_authorization_valid_before";
const AFTER: &str = "invalid_exact_evm_payload_authorization_valid_after";
const REQUIREMENTS: &str = "invalid_payment_requirements";
/// Not a reason, but the code of a 400.
const MALFORMED: &str = "malformed-payment";

/// The address of nobody in particular.
const SOMEBODY: &str = "0x00000000000000000000000000000000000000aa";
/// In a thousand years and more.
const NEVER: &str = "99999999999";
/// What ends a signature of a wallet that is still to be created (EIP-6492).
const WRAPPING: &str = "6492649264926492649264926492649264926492649264926492649264926492";

/// What is wrong with payments of either version, and what is said of it.
#[rustfmt::skip]
fn in_both() -> Vec<(Value, &'static str)> {
    let one = format!("0x{}", "11".repeat(32));
    let with = |member: &str, changes: Value| json!({ member: changes });
    vec![
        // Signed so.
        (with("authorization", json!({ "value": "1" })),               VALUE),
        (with("authorization", json!({ "value": "0" })),               VALUE),
        (with("authorization", json!({ "to": SOMEBODY })),             RECIPIENT),
        (with("authorization", json!({ "from": SOMEBODY })),           SIGNATURE),
        (with("authorization", json!({ "validBefore": "1" })),         BEFORE),
        (with("authorization", json!({ "validBefore": NEVER })),       BEFORE),
        (with("authorization", json!({ "validAfter": NEVER })),        AFTER),
        (with("domain", json!({ "name": "USD Coin" })),                SIGNATURE),
        (with("domain", json!({ "version": "1" })),                    SIGNATURE),
        (with("domain", json!({ "chainId": 8453 })),                   SIGNATURE),
        (with("domain", json!({ "verifyingContract": SOMEBODY })),     SIGNATURE),
        // Changed afterwards.
        (with("changes", json!({ "nonce": one })),                     SIGNATURE),
        (with("changes", json!({ "from": SOMEBODY })),                 SIGNATURE),
        (with("changes", json!({ "validAfter": "1" })),                SIGNATURE),
        (with("changes", json!({ "to": SOMEBODY })),                   RECIPIENT),
        (with("changes", json!({ "value": "1" })),                     VALUE),
        // Written otherwise.
        (with("form", json!("parity")),                                SIGNATURE),
        (with("form", json!("otherV")),                                SIGNATURE),
        (with("form", json!("highS")),                                 SIGNATURE),
        (with("form", json!("compact")),                               SIGNATURE),
        (with("signature", json!("0x")),                               SIGNATURE),
        (with("signature", json!(format!("0x{}1b", "11".repeat(64)))), SIGNATURE),
        (with("signature", json!(format!("0x{}", "00".repeat(65)))),   SIGNATURE),
        (with("signature", json!(format!("0x{}{WRAPPING}", "11".repeat(96)))), SIGNATURE),
        // Of another form.
        (with("signature", json!("0xzz")),                             MALFORMED),
        (with("signature", json!(7)),                                  MALFORMED),
        (with("changes", json!({ "value": 1 })),                       MALFORMED),
        (with("changes", json!({ "value": "-1" })),                    MALFORMED),
        (with("changes", json!({ "value": "0x01" })),                  MALFORMED),
        (with("changes", json!({ "value": "9".repeat(79) })),          MALFORMED),
        (with("changes", json!({ "from": "0x12" })),                   MALFORMED),
        (with("changes", json!({ "nonce": "0x12" })),                  MALFORMED),
        (with("changes", json!({ "validBefore": null })),              MALFORMED),
        (with("outside", json!({ "payload": {} })),                    MALFORMED),
        (with("outside", json!({ "payload": null })),                  MALFORMED),
        (with("outside", json!({ "x402Version": null })),              MALFORMED),
        (with("outside", json!({ "x402Version": "2" })),               MALFORMED),
        (with("outside", json!({ "x402Version": 3 })),                 "invalid_x402_version"),
        (with("outside", json!({ "x402Version": 0 })),                 "invalid_x402_version"),
        (with("outside", json!({ "payload": { "permit2Authorization": {} } })), "invalid_payload"),
    ]
}

#[rustfmt::skip]
fn in_v1() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "outside": { "x402Version": 2 } }),          "invalid_x402_version"),
        (json!({ "outside": { "scheme": "upto" } }),          "invalid_scheme"),
        (json!({ "outside": { "network": "base" } }),         "invalid_network"),
        (json!({ "outside": { "network": "eip155:84532" } }), "invalid_network"),
        (json!({ "outside": { "network": "no-such" } }),      "invalid_network"),
        (json!({ "outside": { "scheme": null } }),            MALFORMED),
    ]
}

#[rustfmt::skip]
fn in_v2() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "outside": { "x402Version": 1 } }),              "invalid_x402_version"),
        (json!({ "accepted": { "scheme": "upto" } }),             "invalid_scheme"),
        (json!({ "accepted": { "network": "eip155:1" } }),        "invalid_network"),
        (json!({ "accepted": { "network": "eip155:999999" } }),   "invalid_network"),
        (json!({ "accepted": { "network": "base-sepolia" } }),    "invalid_network"),
        (json!({ "accepted": { "amount": "1" } }),                REQUIREMENTS),
        (json!({ "accepted": { "payTo": SOMEBODY } }),            REQUIREMENTS),
        (json!({ "accepted": { "asset": SOMEBODY } }),            REQUIREMENTS),
        (json!({ "accepted": { "extra": {} } }),                  REQUIREMENTS),
        (json!({ "outside": { "accepted": null } }),              MALFORMED),
        (json!({ "outside": { "extensions": {
            "payment-identifier": { "info": { "id": "short" } } } } }), MALFORMED),
    ]
}

/// Headers that are no payment at all.
fn unreadable() -> Vec<String> {
    // `{}`, `null`, `[]` and `{"x":1}` in base64; base64 of the other alphabet.
    let mut rows: Vec<String> =
        ["", "%%%", "e30=", "bnVsbA==", "W10=", "eyJ4IjoxfQ==", "-_-_", "e30= e30="]
            .map(str::to_owned)
            .to_vec();
    // One byte more than 16 KiB, and many more.
    rows.extend([16 * 1024 + 1, 60_000].map(|length| "A".repeat(length)));
    rows
}

/// What an answer says is wrong with a payment; checks that both versions are told.
fn reason(shop: &Shop, answer: &Answer) -> String {
    if answer.status == 400 {
        return answer.problem().1;
    }
    assert_eq!(answer.status, 402, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    let bill = shop.payments.bill(Protocol::V2, answer);
    assert_eq!(bill["error"], answer.json["error"], "{}", answer.text);
    assert_eq!(price(&bill["accepts"][0]), price(&answer.json["accepts"][0]));
    answer.field("error")
}

#[test]
fn what_is_not_what_was_asked_for_is_refused_and_nobody_is_asked_to_settle_it() {
    let payments = Payments::start();
    let facilitator = BadFacilitator::before(&payments.facilitator(), Conduct::Forwards);
    let mut shop = Shop::with(payments, &facilitator.url());
    let buyer = shop.buyer();
    for (protocol, only_there) in [(Protocol::V1, in_v1()), (Protocol::V2, in_v2())] {
        let asked = shop.asked(protocol, &buyer, "garden");
        for (spoilt, want) in in_both().into_iter().chain(only_there) {
            let payment = shop.payments.sign(protocol, &buyer.key.key, &asked, &spoilt);
            let answer = buyer.ask("garden", &payment);
            assert_eq!(reason(&shop, &answer), want, "{protocol:?} {spoilt}: {}", answer.text);
        }
        let header = if protocol == Protocol::V1 { "x-payment" } else { "payment-signature" };
        for value in unreadable() {
            let answer =
                buyer.tenant.post_with("/v1/spaces", &hello("garden"), &[(header, &value)]);
            let shown = format!("{header}: {value:.40}: {}", answer.text);
            assert_eq!(answer.problem(), refused(400, MALFORMED), "{shown}");
        }
        let payment = shop.payments.sign(protocol, &buyer.key.key, &asked, &json!({}));
        let twice = [(&*payment.header, &*payment.value), (&payment.header, &payment.value)];
        let answer = buyer.tenant.post_with("/v1/spaces", &hello("garden"), &twice);
        assert_eq!(answer.problem(), refused(400, MALFORMED), "two payments");
    }
    nothing_was_taken(&shop, &facilitator);

    // What is wrong with a request otherwise comes first, and costs nothing.
    let payment = shop.payment(Protocol::V2, &buyer, "garden");
    let header = [(&*payment.header, &*payment.value)];
    #[rustfmt::skip]
    let rows = [
        (json!({ "name": "g", "app": "hello" }),                  400, "invalid-name"),
        (json!({ "name": "garden", "app": "none" }),              404, "app-not-found"),
        (json!({ "name": "garden", "app": "hello", "x": 1 }),     400, "unknown-field"),
    ];
    for (body, status, code) in rows {
        let answer = buyer.tenant.post_with("/v1/spaces", &body, &header);
        assert_eq!(answer.problem(), refused(status, code), "{}", answer.text);
    }
    let anonymous = e2e::Tenant::with_bearer(&shop.edge(), "nobody", "");
    let answer = anonymous.post_with("/v1/spaces", &hello("garden"), &header);
    assert_eq!(answer.problem(), refused(401, "unauthenticated"));
    nothing_was_taken(&shop, &facilitator);

    // Nor does it matter what else is known of a payment: this one is as good as ever.
    let made = buyer.ask("garden", &payment);
    assert_eq!(made.status, 202, "{}", made.text);
    shop.check_books(0);
    buyer.tenant.wait_for(&made.field("id"), "running");
}

fn nothing_was_taken(shop: &Shop, facilitator: &BadFacilitator) {
    assert_eq!(facilitator.n_settles(), 0);
    assert_eq!(shop.payments.n_transfers(), 0);
    shop.check_books(0);
}

/// Addresses in any case, more in `extra`, and no padding are as good.
#[test]
fn clients_write_a_payment_in_ways_of_their_own() {
    let mut shop = Shop::open();
    let buyer = shop.buyer();
    let lower = |it: &Value| it.as_str().unwrap().to_ascii_lowercase();
    let mut paid = 0;
    for (name, way) in [("lower", 0), ("extra", 1), ("unpadded", 2), ("both", 3)] {
        let asked = shop.asked(Protocol::V2, &buyer, name);
        let mut extra = asked["extra"].clone();
        extra["more"] = json!({ "of": "it" });
        let spoilt = match way {
            0 => {
                json!({ "accepted": { "payTo": lower(&asked["payTo"]), "asset": lower(&asked["asset"]) } })
            }
            1 => json!({ "accepted": { "extra": extra } }),
            _ => json!({}),
        };
        let mut payment = shop.payments.sign(Protocol::V2, &buyer.key.key, &asked, &spoilt);
        if way == 2 {
            payment.value = payment.value.trim_end_matches('=').to_owned();
        }
        let made = if way == 3 {
            // V2 counts, whatever is in the other header.
            let headers = [("x-payment", "%%%"), (&*payment.header, &*payment.value)];
            buyer.tenant.post_with("/v1/spaces", &hello(name), &headers)
        } else {
            buyer.ask(name, &payment)
        };
        assert_eq!(made.status, 202, "{name}: {}", made.text);
        paid += price(&asked);
        assert_eq!(shop.payments.balance(&buyer.key.address), FUNDS - paid, "{name}");
        shop.check_books(0);
        buyer.tenant.wait_for(&made.field("id"), "running");
    }
}
