//! Paying: one payment, one credit, one space, whatever the facilitator and the chain do.

use axum::body::Body;
use domain::Money;
use http::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use testkit::{
    ADMIN_KEY, Client, TestWallet,
    payments::{Fate, PAY_TO, TestPayment, decode, encode},
};

use crate::shop::{Shop, space};

#[tokio::test]
async fn what_a_space_costs_is_said_to_both_versions() {
    let shop = Shop::open().await;
    let answer = shop.ask("garden", None).await;
    assert_eq!(answer.status, 402);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers.contains_key("x-request-id"));
    let v2 = decode(&answer.headers["payment-required"]);
    let asked = &v2["accepts"][0];
    assert_eq!(
        (&v2["x402Version"], &v2["resource"]["url"], &asked["payTo"], &asked["network"]),
        (
            &json!(2),
            &json!("http://127.0.0.1:3000/v1/spaces"),
            &json!(PAY_TO),
            &json!("eip155:84532")
        ),
    );
    assert_eq!(asked["extra"]["paymentFlow"], "upfront");
    let mut extensions: Vec<_> = v2["extensions"].as_object().unwrap().keys().collect();
    extensions.sort();
    assert_eq!(extensions, ["bazaar", "offer-receipt", "payment-identifier"]);
    let v1 = &answer.body;
    assert_eq!(
        (&v1["x402Version"], &v1["accepts"][0]["network"]),
        (&json!(1), &json!("base-sepolia"))
    );
    assert_eq!(v1["accepts"][0]["maxAmountRequired"], asked["amount"]);
    // It is the 18th of November, so something between nothing and five dollars.
    let amount: u64 = asked["amount"].as_str().unwrap().parse().unwrap();
    assert!((2_000_000..2_200_000).contains(&amount), "{amount}");
    assert_eq!(shop.client.get("/v1/spaces", Some(&shop.token)).await.body["items"], json!([]));
}

#[tokio::test]
async fn a_space_is_paid_for_in_either_version() {
    for version in [1, 2] {
        let shop = Shop::open().await;
        let challenge = shop.challenge().await;
        let payment = TestPayment::asked_by(&challenge, 7, shop.now_s());
        let (name, header) = if version == 1 {
            ("x-payment", encode(&payment.v1(&shop.buyer)))
        } else {
            ("payment-signature", encode(&payment.v2(&shop.buyer, &challenge)))
        };
        let answer = shop.ask("garden", Some((name, &header))).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        let settled = decode(
            &answer.headers[if version == 1 { "x-payment-response" } else { "payment-response" }],
        );
        assert_eq!(settled["success"], true);
        assert_eq!(settled["payer"], shop.buyer.wallet.to_string());
        assert_eq!(shop.chain.paid(), (payment.value, 1));

        // Held for the space until it runs, and shown as its own.
        let space = shop.client.get("/v1/spaces/garden", Some(&shop.token)).await.body;
        let price = Money::from_micros(payment.value).unwrap().to_string();
        assert_eq!(
            (&space["balance"], &space["paid_until"]),
            (&json!(price), &json!("2026-12-01T00:00:00Z"))
        );
        let wallet = shop.wallet().await;
        assert_eq!((&wallet["balance"], &wallet["held"]), (&json!("0.00"), &json!(price)));
        let ledger = shop.client.get("/v1/spaces/garden/ledger", Some(&shop.token)).await.body;
        assert_eq!(ledger["items"][0]["amount"], price);
        shop.check_books().await;
    }
}

#[tokio::test]
async fn the_same_payment_gets_the_same_answer() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    let first = shop.pay("garden", &payment).await;
    assert_eq!(first.status, 202, "{}", first.body);
    for _ in 0..2 {
        let again = shop.pay("garden", &payment).await;
        assert_eq!((again.status.as_u16(), &again.body), (202, &first.body));
        assert_eq!(decode(&again.headers["payment-response"])["success"], true);
    }
    // For something else it is used up.
    let other = shop.pay("orchard", &payment).await;
    assert_eq!(other.status, 402);
    let error = &decode(&other.headers["payment-required"])["error"];
    assert_eq!(error, "invalid_exact_evm_nonce_already_used");
    assert_eq!(shop.chain.n_asked(), 1);
    shop.check_books().await;
}

#[tokio::test]
async fn twenty_at_once_are_one_payment_and_one_space() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    let asked = (0..20).map(|_| shop.pay("garden", &payment));
    let answers = futures::future::join_all(asked).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.body), (202, &answers[0].body));
    }
    assert_eq!((shop.chain.n_asked(), shop.chain.paid().1), (1, 1));
    shop.check_books().await;
}

#[tokio::test]
async fn a_payment_that_is_not_what_was_asked_for_is_refused_before_anybody_is_asked() {
    let shop = Shop::open().await;
    let challenge = shop.challenge().await;
    let good = TestPayment::asked_by(&challenge, 7, shop.now_s());
    let now_s = u64::try_from(shop.now_s()).unwrap();
    let stranger = TestWallet::new(9).wallet;
    let signed = |payment: &TestPayment| payment.v2(&shop.buyer, &challenge);
    let with = |pointer: &str, value: Value| {
        let mut payment = signed(&good);
        *payment.pointer_mut(pointer).unwrap() = value;
        payment
    };
    #[rustfmt::skip]
    let rows = [
        (signed(&TestPayment { value: good.value - 1, ..good.clone() }),       "invalid_exact_evm_payload_authorization_value_mismatch"),
        (signed(&TestPayment { value: good.value + 1, ..good.clone() }),       "invalid_exact_evm_payload_authorization_value_mismatch"),
        (signed(&TestPayment { to: stranger, ..good.clone() }),                "invalid_exact_evm_payload_recipient_mismatch"),
        (signed(&TestPayment { valid_before_s: now_s + 5, ..good.clone() }),   "invalid_exact_evm_payload_authorization_valid_before"),
        (signed(&TestPayment { valid_after_s: now_s + 60, ..good.clone() }),   "invalid_exact_evm_payload_authorization_valid_after"),
        (with("/payload/authorization/value", json!((good.value - 1).to_string())), "invalid_exact_evm_payload_authorization_value_mismatch"),
        (with("/payload/authorization/nonce", json!(format!("0x{}", "1".repeat(64)))), "invalid_exact_evm_payload_signature"),
        (with("/accepted/amount", json!("1")),                                 "invalid_payment_requirements"),
        (with("/accepted/payTo", json!(stranger.to_string())),                 "invalid_payment_requirements"),
        (with("/accepted/network", json!("eip155:1")),                         "invalid_network"),
        (with("/accepted/scheme", json!("upto")),                              "invalid_scheme"),
        (with("/x402Version", json!(3)),                                       "invalid_x402_version"),
    ];
    for (payment, reason) in rows {
        let answer = shop.pay("garden", &encode(&payment)).await;
        assert_eq!(answer.status, 402, "{reason}: {}", answer.body);
        assert_eq!(decode(&answer.headers["payment-required"])["error"], reason);
        assert_eq!(answer.body["error"], reason);
    }
    for undecodable in ["%%%", "e30=", "bnVsbA==", &encode(&json!("x".repeat(20_000)))] {
        let answer = shop.pay("garden", undecodable).await;
        assert_eq!(answer.problem(), (400, "malformed-payment"), "{undecodable:.20}");
    }
    assert_eq!((shop.chain.n_asked(), shop.chain.paid()), (0, (0, 0)));
    shop.check_books().await;
}

#[tokio::test]
async fn what_else_is_wrong_with_a_request_comes_before_its_payment() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    let header = Some(("payment-signature", &*payment));
    let wrong = json!({ "name": "g", "app": "hello" });
    assert_eq!(shop.send("/v1/spaces", &wrong, header).await.problem(), (400, "invalid-name"));
    let wrong = json!({ "name": "garden", "app": "none" });
    assert_eq!(shop.send("/v1/spaces", &wrong, header).await.problem(), (404, "app-not-found"));
    let request = Request::post("/v1/spaces")
        .header("content-type", "application/json")
        .header("payment-signature", &payment)
        .body(Body::from(space("garden").to_string()))
        .unwrap();
    assert_eq!(shop.client.send(request).await.problem(), (401, "unauthenticated"));
    assert_eq!(shop.chain.n_asked(), 0);
}

/// How the facilitator may fail, what the first answer is, and what the second is to the same payment.
#[tokio::test]
async fn whatever_the_facilitator_does_the_same_payment_leads_to_one_space() {
    #[rustfmt::skip]
    let rows = [
        (Fate::Works,                                    202, "",                        202),
        (Fate::NotSent,                                  503, "facilitator-unavailable", 202),
        (Fate::Answers(308, ""),                         503, "facilitator-unavailable", 202),
        (Fate::Answers(401, "{}"),                       503, "facilitator-unavailable", 202),
        (Fate::Refuses("insufficient_funds"),            402, "insufficient_funds",      202),
        (Fate::Lies("invalid_transaction_state"),        402, "invalid_transaction_state", 202),
        (Fate::SettlesAndDrops,                          202, "",                        202),
        (Fate::Drops,                                    503, "settlement-pending",      202),
        (Fate::Pends,                                    503, "settlement-pending",      202),
        (Fate::Answers(200, "<html>hello</html>"),       503, "settlement-pending",      202),
        (Fate::Answers(500, r#"{"error":"oops"}"#),      503, "settlement-pending",      202),
        (Fate::Answers(200, r#"{"success":true}"#),      503, "settlement-pending",      202),
    ];
    for (fate, status, code, then) in rows {
        let shop = Shop::open().await;
        let payment = shop.payment(7).await;
        shop.chain.next([fate.clone()]);
        let first = shop.pay("garden", &payment).await;
        assert_eq!(first.status, status, "{fate:?}: {}", first.body);
        match status {
            402 => assert_eq!(first.body["error"], code, "{fate:?}"),
            503 => {
                assert_eq!(first.body["code"], code, "{fate:?}");
                assert!(first.headers.contains_key("retry-after"));
                let n_spaces =
                    &shop.client.get("/v1/spaces", Some(&shop.token)).await.body["items"];
                assert_eq!(*n_spaces, json!([]), "never free: {fate:?}");
            }
            _ => {}
        }
        if code == "settlement-pending" {
            assert_eq!(shop.state_of(&first).await, "unknown", "{fate:?}");
        }
        // A lie is believed until it is found out.
        if !matches!(fate, Fate::Lies(_)) {
            shop.check_books().await;
        }
        shop.wait(3).await;
        let second = shop.pay("garden", &payment).await;
        assert_eq!(second.status, then, "{fate:?}: {}", second.body);
        assert_eq!(shop.chain.paid().1, 1, "{fate:?}");
        shop.check_books().await;
    }
}

#[tokio::test]
async fn an_unclear_payment_waits_for_the_chain() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    shop.chain.next([Fate::SettlesAndDrops]);
    shop.chain.set_down(true);
    let first = shop.pay("garden", &payment).await;
    assert_eq!(first.body["code"], "settlement-pending");
    // Nobody knows: neither the same payment nor the job can do anything.
    shop.wait(3).await;
    assert_eq!(shop.pay("garden", &payment).await.status, 503);
    shop.run_job().await;
    assert_eq!(shop.state_of(&first).await, "unknown");
    let audit = shop.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
    assert_eq!((&audit["ok"], &audit["books"]["balance"]), (&json!(false), &json!(true)));
    assert_eq!(audit["unresolved_payments"][0]["id"], first.body["payment"]);

    shop.chain.set_down(false);
    shop.wait(120).await;
    assert_eq!(shop.run_job().await["settled"], 1);
    assert_eq!(shop.state_of(&first).await, "settled");
    shop.check_books().await;
    // The money waits on the wallet, and pays for what it was meant for without another payment.
    let wallet = shop.wallet().await;
    assert_ne!(wallet["balance"], "0.00");
    assert_eq!(shop.ask("garden", None).await.status, 202);
    assert_eq!(shop.chain.paid().1, 1);
    shop.check_books().await;
}

#[tokio::test]
async fn what_was_never_settled_is_refused_when_its_time_is_over() {
    for fate in [Fate::Drops, Fate::Refuses("insufficient_funds")] {
        let shop = Shop::open().await;
        let payment = shop.payment(7).await;
        shop.chain.next([fate]);
        assert_ne!(shop.pay("garden", &payment).await.status, 202);
        shop.wait(600).await;
        shop.run_job().await;
        let looked = shop.run_job().await;
        assert_eq!(looked["looked_into"], 0, "it was the last time");
        let audit = shop.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
        assert_eq!(audit["ok"], true, "{audit}");
        shop.check_books().await;
    }
}

/// The facilitator said no, and it was not true.
#[tokio::test]
async fn a_lie_is_found_out_when_the_time_of_the_payment_is_over() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    shop.chain.next([Fate::Lies("invalid_transaction_state")]);
    assert_eq!(shop.pay("garden", &payment).await.status, 402);
    assert_eq!(shop.wallet().await["balance"], "0.00");
    shop.wait(600).await;
    assert_eq!(shop.run_job().await["settled"], 1);
    assert_ne!(shop.wallet().await["balance"], "0.00");
    shop.check_books().await;
}

/// The client was told to send the same payment again, and came late.
#[tokio::test]
async fn a_pending_payment_is_not_asked_for_anew_when_it_comes_late() {
    for is_found_out_first in [false, true] {
        let shop = Shop::open().await;
        let payment = shop.payment(7).await;
        shop.chain.next([Fate::SettlesAndDrops]);
        shop.chain.set_down(true);
        assert_eq!(shop.pay("garden", &payment).await.status, 503);
        shop.run_job().await;
        shop.chain.set_down(false);
        shop.wait(400).await;
        if is_found_out_first {
            shop.run_job().await;
        }
        let answer = shop.pay("garden", &payment).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(shop.chain.paid().1, 1);
        shop.check_books().await;
    }
}

/// The job has just looked in vain. That is no reason to send the client away.
#[tokio::test]
async fn the_job_does_not_stand_in_the_way_of_the_client() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    shop.chain.next([Fate::Drops]);
    assert_eq!(shop.pay("garden", &payment).await.status, 503);
    shop.wait(3).await;
    shop.run_job().await;
    shop.wait(3).await;
    assert_eq!(shop.pay("garden", &payment).await.status, 202);
    shop.check_books().await;
}

#[tokio::test]
async fn a_top_up_is_made_once_however_often_it_is_sent() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    assert_eq!(shop.pay("garden", &payment).await.status, 202);
    let (path, body) = ("/v1/spaces/garden/payments", json!({ "amount": "1.00" }));
    let asked = shop.send(path, &body, None).await;
    let challenge = decode(&asked.headers["payment-required"]);
    let payment = TestPayment::asked_by(&challenge, 8, shop.now_s());
    let payment = encode(&payment.v2(&shop.buyer, &challenge));
    let header = Some(("payment-signature", &*payment));
    // Settled, and nobody here knows it before the job looks.
    shop.chain.next([Fate::SettlesAndDrops]);
    shop.chain.set_down(true);
    assert_eq!(shop.send(path, &body, header).await.status, 503);
    shop.chain.set_down(false);
    shop.wait(400).await;
    shop.run_job().await;
    // Meanwhile the wallet has got money, which is not for this.
    let challenge = shop.challenge_for("orchard").await;
    let other = TestPayment::asked_by(&challenge, 9, shop.now_s());
    shop.pay("orchard", &encode(&other.v2(&shop.buyer, &challenge))).await;
    shop.client.call(Method::DELETE, "/v1/spaces/orchard", Some(&shop.token), None).await;
    let before = shop.wallet().await["balance"].clone();
    assert_ne!(before, "0.00");
    for _ in 0..2 {
        let answer = shop.send(path, &body, header).await;
        assert_eq!((answer.status.as_u16(), &answer.body["kind"]), (201, &json!("payment")));
    }
    assert_eq!(shop.wallet().await["balance"], before);
    shop.check_books().await;
}

/// Whoever reads the chain knows everything of a payment.
#[tokio::test]
async fn a_payment_that_others_copy_gives_them_nothing() {
    let shop = Shop::open().await;
    let challenge = shop.challenge().await;
    let payment = TestPayment::asked_by(&challenge, 7, shop.now_s());
    let payment = payment.v2(&shop.buyer, &challenge);
    let header = encode(&payment);
    // The facilitator says no, and that is not so.
    shop.chain.next([Fate::Lies("invalid_transaction_state")]);
    assert_eq!(shop.pay("garden", &header).await.status, 402);
    let thief = shop.client.sign_in(&TestWallet::new(6)).await;
    let request = |path: &str, header: &str| {
        Request::post(path)
            .header("authorization", format!("Bearer {thief}"))
            .header("content-type", "application/json")
            .header("payment-signature", header)
            .body(Body::from(space("orchard").to_string()))
            .unwrap()
    };
    let stolen = shop.client.send(request("/v1/spaces", &header)).await;
    assert_eq!(stolen.status, 402, "{}", stolen.body);
    let wallet = shop.client.get("/v1/wallet", Some(&thief)).await;
    assert_eq!(wallet.text("balance"), "0.00");
    assert_ne!(shop.wallet().await["balance"], "0.00", "it is the buyer's");
    // And without the signature there is no proof of anything.
    let mut unsigned = payment;
    unsigned["payload"]["signature"] = json!(format!("0x{}1b", "11".repeat(64)));
    let answer = shop.client.send(request("/v1/spaces/nowhere/payments", &encode(&unsigned))).await;
    assert!(!answer.headers.contains_key("payment-response"), "{}", answer.body);
    shop.check_books().await;
}

/// One whose money came in long before we heard of it, by another's hand.
#[tokio::test]
async fn an_old_payment_shown_for_the_first_time_is_not_ours() {
    let shop = Shop::open().await;
    let challenge = shop.challenge().await;
    let payment = TestPayment {
        valid_before_s: u64::try_from(shop.now_s()).unwrap() + 3600,
        ..TestPayment::asked_by(&challenge, 7, shop.now_s())
    };
    let signed = payment.v2(&shop.buyer, &challenge);
    shop.chain.submit(&signed);
    shop.wait(180).await;
    let answer = shop.pay("garden", &encode(&signed)).await;
    assert_eq!(answer.status, 402, "{}", answer.body);
    assert_eq!(answer.body["error"], "invalid_exact_evm_nonce_already_used");
    assert_eq!(shop.wallet().await["balance"], "0.00");
}

#[tokio::test]
async fn money_whose_work_fails_is_on_the_balance_and_says_so() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    // Somebody takes the name while the facilitator is busy: here, before the answer that is lost.
    shop.chain.next([Fate::SettlesAndDrops]);
    shop.chain.set_down(true);
    assert_eq!(shop.pay("garden", &payment).await.status, 503);
    let rival = shop.client.sign_in(&TestWallet::new(99)).await;
    shop.client.create(&rival, "garden").await;
    shop.chain.set_down(false);
    shop.wait(3).await;
    let answer = shop.pay("garden", &payment).await;
    assert_eq!(answer.status, 409, "nobody pays for a name that is taken: {}", answer.body);
    assert_eq!(answer.body["payment"]["state"], "unknown", "{}", answer.body);
    shop.run_job().await;
    let answer = shop.pay("garden", &payment).await;
    assert_eq!(answer.body["payment"]["state"], "settled", "{}", answer.body);
    assert_ne!(shop.wallet().await["balance"], "0.00");
    assert_eq!(shop.ask("orchard", None).await.status, 202, "it pays for the next one");
    shop.check_books().await;
}

#[tokio::test]
async fn a_webhook_is_a_hint_and_only_a_signed_one() {
    let secret = "k".repeat(32);
    let shop = Shop::with(&[("facilitator_webhook_secret", &secret)]).await;
    let payment = shop.payment(7).await;
    shop.chain.next([Fate::SettlesAndDrops]);
    shop.chain.set_down(true);
    let pending = shop.pay("garden", &payment).await;
    assert_eq!(pending.status, 503);
    shop.chain.set_down(false);

    let now_ms = shop.now_s() * 1000;
    let body = json!({ "event": "payment.settled", "timestamp": now_ms, "transaction": {
        "fromAddress": shop.buyer.wallet.to_string(), "toAddress": PAY_TO } });
    let send = async |signature: String| {
        let request = Request::post("/webhooks/facilitator")
            .header("content-type", "application/json")
            .header("x-webhook-signature", signature)
            .header("x-webhook-timestamp", now_ms.to_string())
            .body(Body::from(body.to_string()))
            .unwrap();
        shop.client.send(request).await
    };
    let forged = send(hmac_sha256(&"x".repeat(32), &body.to_string())).await;
    assert_eq!(forged.problem(), (401, "bad-webhook"));
    assert_eq!(shop.state_of(&pending).await, "unknown");
    for _ in 0..3 {
        let answer = send(hmac_sha256(&secret, &body.to_string())).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(shop.state_of(&pending).await, "settled");
    }
    shop.check_books().await;
}

fn hmac_sha256(secret: &str, body: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    domain::hex(&mac.finalize().into_bytes())
}

#[tokio::test]
async fn anybody_may_pay_for_a_space() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    let space = shop.pay("garden", &payment).await;
    let before = space.text("balance");
    let stranger = TestWallet::new(5);
    let path = "/v1/spaces/garden/payments";
    let send = async |header: Option<&str>| {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(value) = header {
            request = request.header("payment-signature", value);
        }
        let body = Body::from(json!({ "amount": "10.00" }).to_string());
        shop.client.send(request.body(body).unwrap()).await
    };
    let asked = send(None).await;
    assert_eq!(asked.status, 402, "{}", asked.body);
    let challenge = decode(&asked.headers["payment-required"]);
    assert_eq!(challenge["accepts"][0]["amount"], "10000000");
    let payment = TestPayment::asked_by(&challenge, 8, shop.now_s());
    let header = encode(&payment.v2(&stranger, &challenge));
    let paid = send(Some(&header)).await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    assert_eq!((&paid.body["kind"], &paid.body["amount"]), (&json!("payment"), &json!("10.00")));
    assert_eq!(send(Some(&header)).await.body, paid.body, "the same again");
    let space = shop.client.get("/v1/spaces/garden", Some(&shop.token)).await;
    let after: Money = space.text("balance").parse().unwrap();
    let ten = "10.00".parse().unwrap();
    assert_eq!(before.parse::<Money>().unwrap().checked_add(ten), Some(after));
    shop.check_books().await;

    // Prepaid money goes first, and comes from a space that is deleted.
    shop.client.call(Method::DELETE, "/v1/spaces/garden", Some(&shop.token), None).await;
    assert_eq!(shop.wallet().await["balance"], after.to_string());
    assert_eq!(shop.ask("orchard", None).await.status, 202);
    let body = json!({ "amount": "3.00" });
    let moved = shop.send("/v1/spaces/orchard/payments", &body, None).await;
    assert_eq!(
        (moved.status.as_u16(), &moved.body["kind"]),
        (201, &json!("top-up")),
        "{}",
        moved.body
    );
    #[rustfmt::skip]
    let rows = [
        ("/v1/spaces/garden/payments",  json!({ "amount": "1.00" }), 404, "space-not-found"),
        ("/v1/spaces/orchard/payments", json!({ "amount": "0" }),    400, "invalid-amount"),
        ("/v1/spaces/orchard/payments", json!({ "amount": "-1" }),   400, "invalid-body"),
        ("/v1/spaces/orchard/payments", json!({ "amount": 1 }),      400, "invalid-body"),
        ("/v1/spaces/orchard/payments", json!({}),                   400, "invalid-body"),
    ];
    for (path, body, status, code) in rows {
        assert_eq!(shop.send(path, &body, None).await.problem(), (status, code), "{body}");
    }
    shop.check_books().await;
}

#[tokio::test]
async fn a_payment_identifier_names_a_purchase() {
    let shop = Shop::open().await;
    let challenge = shop.challenge().await;
    let identified = |nonce: u8| {
        let payment = TestPayment::asked_by(&challenge, nonce, shop.now_s());
        let mut payment = payment.v2(&shop.buyer, &challenge);
        payment["extensions"] = challenge["extensions"].clone();
        payment["extensions"]["payment-identifier"]["info"]["id"] = json!("order-0000000000001");
        encode(&payment)
    };
    let first = shop.pay("garden", &identified(7)).await;
    assert_eq!(first.status, 202, "{}", first.body);
    let again = shop.pay("garden", &identified(8)).await;
    assert_eq!((again.status.as_u16(), &again.body), (202, &first.body));
    assert_eq!(shop.chain.paid().1, 1, "the second was not taken");
    let other = shop.pay("orchard", &identified(9)).await;
    assert_eq!(other.problem(), (409, "payment-identifier-reused"));
    shop.check_books().await;
}

#[tokio::test]
async fn a_price_that_just_changed_is_still_good() {
    let shop = Shop::open().await;
    let payment = shop.payment(7).await;
    shop.wait(290).await;
    let answer = shop.pay("garden", &payment).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    shop.check_books().await;
}

/// A payment that goes in a second time was counted. One that is sent a second time was not.
#[tokio::test]
async fn a_paid_request_counts_once_each_time_it_is_sent() {
    let shop = Shop::with(&[("rate_general_per_min", "5")]).await;
    // Signing in took two requests of the address; these are the wallet's.
    let payment = shop.payment(7).await;
    for _ in 0..4 {
        assert_eq!(shop.pay("garden", &payment).await.status, 202);
    }
    assert_eq!(shop.pay("garden", &payment).await.status, 429);
    shop.check_books().await;
}

/// No facilitator would settle a millionth of a dollar.
#[tokio::test]
async fn at_least_a_cent_is_asked_for_and_nothing_of_it_is_lost() {
    let shop = Shop::with(&[("price_base_month", "0.000002")]).await;
    let payment = shop.payment(7).await;
    assert_eq!(shop.pay("garden", &payment).await.status, 202);
    assert_eq!(shop.chain.paid(), (10_000, 1));
    assert_eq!(shop.wallet().await["balance"], "0.009999");
    shop.check_books().await;
}

#[tokio::test]
async fn without_somebody_who_is_paid_nothing_costs_anything() {
    let client = Client::default();
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    client.create(&token, "garden").await;
    let pricing = client.get("/v1/pricing", None).await.body;
    assert_eq!((&pricing["enabled"], &pricing["pay_to"]), (&json!(false), &Value::Null));
    let body = json!({ "amount": "1.00" });
    let answer = client.post("/v1/spaces/garden/payments", Some(&token), body).await;
    assert_eq!(answer.problem(), (409, "payments-off"));
}

#[tokio::test]
async fn the_operator_pays_nobody() {
    let shop = Shop::open().await;
    let operator = shop.client.sign_in(&TestWallet::new(99)).await;
    shop.client.create(&operator, "garden").await;
    assert_eq!(shop.chain.n_asked(), 0);
}

#[tokio::test]
async fn what_only_the_till_may_say_does_not_come_from_outside() {
    let shop = Shop::open().await;
    let mut headers = HeaderMap::new();
    for name in ["spaceport-receipt", "spaceport-payment"] {
        headers.insert(name, "v4.local.anything".parse().unwrap());
    }
    let mut request = Request::post("/v1/spaces")
        .header("authorization", format!("Bearer {}", shop.token))
        .header("content-type", "application/json")
        .body(Body::from(space("garden").to_string()))
        .unwrap();
    request.headers_mut().extend(headers);
    assert_eq!(shop.client.send(request).await.status, 402);
}
