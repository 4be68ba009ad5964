//! `scripts/dev-payments`: what payments are tried with.

use std::{fs, process::Command, time::Duration};

use e2e::{Client, Payment, Payments, Process, Protocol, repository};
use serde_json::{Value, json};

const PRICE: u64 = 10_000;

/// What a server asks of whoever is to pay the price.
fn requirements(payments: &Payments, protocol: Protocol) -> Value {
    let (network, amount) = match protocol {
        Protocol::V1 => ("base-sepolia".to_owned(), "maxAmountRequired"),
        Protocol::V2 => (payments.network(), "amount"),
    };
    json!({ "scheme": "exact", "network": network, amount: PRICE.to_string(),
        "asset": payments.usdc(), "payTo": payments.pay_to(), "maxTimeoutSeconds": 300,
        "resource": "https://example.org/", "description": "", "mimeType": "application/json",
        "extra": { "name": "USDC", "version": "2" } })
}

/// What the facilitator says of a payment.
fn settle(payments: &Payments, payment: &Payment, requirements: &Value) -> Value {
    let body = json!({ "x402Version": payment.content["x402Version"],
        "paymentPayload": payment.content, "paymentRequirements": requirements });
    Client::new(&payments.facilitator()).post("/settle", None, &body).json
}

#[test]
fn a_payment_moves_the_money_once() {
    let payments = Payments::start();
    let mut n_paid = 0;
    for protocol in [Protocol::V1, Protocol::V2] {
        let requirements = requirements(&payments, protocol);
        let buyer = payments.fresh_buyer(2 * PRICE);
        let payment = payments.sign(protocol, &buyer.key, &requirements, &json!({}));
        let settled = settle(&payments, &payment, &requirements);
        assert_eq!(settled["success"], true, "{settled}");
        let again = settle(&payments, &payment, &requirements);
        assert_eq!(again["success"], false, "{again}");
        n_paid += 1;
        assert_eq!(payments.n_transfers(), n_paid);
        assert_eq!(payments.balance(&buyer.address), PRICE);
        assert_eq!(payments.balance(&payments.pay_to()), n_paid * PRICE);
    }
}

#[test]
fn it_says_one_line_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script = repository().join("scripts/dev-payments");
    let mut process = Process::start(&mut Command::new(script), &log).unwrap();
    let ready = process.ready.clone();
    for field in ["rpc", "usdc", "gate_token", "facilitator", "pay_to", "buyer_private_key"] {
        assert!(ready[field].is_string(), "no {field} in {ready}");
    }
    assert_eq!(ready["chain_id"], 84532);
    let status = process.stop(Duration::from_secs(10)).expect("it ends");
    assert!(status.success(), "{status} {}", process.log());
    let pids = ready["pids"].as_array().expect("a list");
    assert_eq!(pids[0], process.id());
    for pid in pids {
        // It may be that nobody has asked yet how it ended.
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "still there: {state}");
    }
}
