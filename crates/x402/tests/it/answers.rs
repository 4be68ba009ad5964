//! What clients are told of a payment, and signed receipts.

use domain::Timestamp;
use serde_json::json;
use x402::{Network, Receipt, Settled, Version, refused_header};

use crate::{
    challenges::OFFER_KEY,
    common::{BUYER, decode, key, now, vectors},
};

#[test]
fn a_receipt_is_what_a_published_server_writes() {
    let exchanges = vectors("v2-siwx-1-first-pays.client-to-server.json");
    let headers = &exchanges[2]["response"]["headers"];
    let want = decode(headers["payment-response"].as_str().unwrap());
    let want = &want["extensions"]["offer-receipt"];
    let payload = &want["info"]["receipt"]["payload"];
    let issued_at = Timestamp::from_unix_ms(payload["issuedAt"].as_i64().unwrap() * 1000);
    let network = Network::of_chain(84_532).unwrap();
    // That server keeps the transaction to itself.
    let settled = Settled { version: Version::V2, network, payer: BUYER, transaction: "" };
    let url = payload["resourceUrl"].as_str().unwrap();
    let receipt = Receipt::sign(&settled, url, &key(OFFER_KEY), issued_at);
    let ours = decode(&settled.to_header(Some(&receipt)));
    assert_eq!(&ours["extensions"]["offer-receipt"], want);
}

#[test]
fn a_receipt_names_the_transaction() {
    let transaction = format!("0x{}", "ab".repeat(32));
    let network = Network::of_chain(8_453).unwrap();
    let settled =
        Settled { version: Version::V2, network, payer: BUYER, transaction: &transaction };
    let receipt = Receipt::sign(&settled, "http://x/", &key(0), now());
    let ours = decode(&settled.to_header(Some(&receipt)));
    let payload = &ours["extensions"]["offer-receipt"]["info"]["receipt"]["payload"];
    assert_eq!(payload["transaction"], json!(transaction));
    assert_eq!(payload["network"], "eip155:8453");
    // Version 1 has no extensions.
    let settled = Settled { version: Version::V1, ..settled };
    let ours = decode(&settled.to_header(Some(&receipt)));
    let want = json!({
        "success": true, "transaction": transaction, "network": "base", "payer": BUYER.to_string(),
    });
    assert_eq!(ours, want);
}

#[test]
fn a_refusal_says_why() {
    let network = Network::of_chain(8_453).unwrap();
    for (version, name) in [(Version::V1, "base"), (Version::V2, "eip155:8453")] {
        let ours = decode(&refused_header(version, network, BUYER, "insufficient_funds"));
        let want = json!({
            "success": false, "errorReason": "insufficient_funds", "transaction": "",
            "network": name, "payer": BUYER.to_string(),
        });
        assert_eq!(ours, want);
    }
}

#[test]
fn a_version_is_its_number() {
    assert_eq!((Version::V1.number(), Version::V2.number()), (1, 2));
}
