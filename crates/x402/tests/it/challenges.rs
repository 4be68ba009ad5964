//! The answer 402, beside what published servers answer.

use alloy_primitives::Address;
use domain::Timestamp;
use serde_json::{Value, json};
use x402::{Challenge, HEADER_LEN_BYTES_MAX, Network, Terms};

use crate::common::{PAY_TO, decode, key, now, terms, usd, vectors};

/// What a captured server asked for, in version 2.
fn captured(file: &str) -> Value {
    let exchanges = vectors(file);
    decode(exchanges[0]["response"]["headers"]["payment-required"].as_str().unwrap())
}

fn header(challenge: &Challenge) -> Value {
    decode(&challenge.header)
}

fn body(challenge: &Challenge) -> Value {
    serde_json::from_str(&challenge.body).unwrap()
}

#[test]
fn version_2_reads_what_a_published_server_writes() {
    let mut want = captured("v2-upfront.client-to-server.json");
    let terms = terms("http://127.0.0.1:14121/v1/upfront");
    let ours = header(&terms.challenge(Some("Payment required"), None, now()));
    want["extensions"] =
        captured("v2-payment-identifier.client-to-server.json")["extensions"].clone();
    assert_eq!(ours, want);
}

#[test]
fn version_1_reads_what_a_published_server_writes() {
    let exchanges = vectors("v1-exact-eip3009.client-to-server.json");
    let mut want = exchanges[0]["response"]["body"].clone();
    want["accepts"][0]["maxTimeoutSeconds"] = json!(300);
    let input = want["accepts"][0]["outputSchema"]["input"].clone();
    let bazaar = json!({ "info": { "input": input }, "schema": {} });
    let terms = Terms { bazaar: Some(bazaar), ..terms("http://127.0.0.1:15121/v1/spaces") };
    assert_eq!(body(&terms.challenge(None, None, now())), want);
}

#[test]
fn offers_and_bazaar_are_what_a_published_server_writes() {
    let want = captured("v2-siwx-1-first-pays.client-to-server.json");
    let bazaar = want["extensions"]["bazaar"].clone();
    let terms = Terms { bazaar: Some(bazaar), ..terms("http://127.0.0.1:14131/v1/siwx") };
    let offer = &want["extensions"]["offer-receipt"]["info"]["offers"][0];
    let valid_until_s = offer["payload"]["validUntil"].as_i64().unwrap();
    let now = Timestamp::from_unix_ms((valid_until_s - 300) * 1000);
    let challenge = terms.challenge(None, Some(&key(OFFER_KEY)), now);
    let ours = header(&challenge);
    for name in ["offer-receipt", "bazaar"] {
        assert_eq!(ours["extensions"][name], want["extensions"][name], "{name}");
    }
    let info = &want["extensions"]["bazaar"]["info"];
    let schema = json!({ "input": info["input"], "output": info["output"] });
    assert_eq!(body(&challenge)["accepts"][0]["outputSchema"], schema);
}

/// Which account of the development chain signed the captured offers and receipts.
pub(crate) const OFFER_KEY: usize = 3;

#[test]
fn both_versions_say_why() {
    let terms = terms("http://x/");
    let first = terms.challenge(None, None, now());
    assert_eq!(header(&first)["error"], "PAYMENT-SIGNATURE header is required");
    assert_eq!(body(&first)["error"], "X-PAYMENT header is required");
    let refused = terms.challenge(Some("invalid_network"), None, now());
    assert_eq!(header(&refused)["error"], "invalid_network");
    assert_eq!(body(&refused)["error"], "invalid_network");
}

#[test]
fn only_what_is_asked_now_is_said_and_in_version_1_only_where_it_has_a_name() {
    let networks = [8_453, 1, 43_114, 10].map(|it| Network::of_chain(it).unwrap());
    let honoured = vec![usd(9_000)];
    let terms = Terms { networks: networks.to_vec(), honoured, ..terms("http://x/") };
    assert_eq!(terms.requirements().len(), 8);
    let challenge = terms.challenge(None, None, now());
    let named = |value: &Value| -> Vec<String> {
        let accepts = value["accepts"].as_array().unwrap().iter();
        accepts.map(|it| it["network"].as_str().unwrap().to_owned()).collect()
    };
    let v2 = header(&challenge);
    assert_eq!(named(&v2), ["eip155:8453", "eip155:1", "eip155:43114", "eip155:10"]);
    assert!(v2["accepts"].as_array().unwrap().iter().all(|it| it["amount"] == "10000"));
    assert_eq!(named(&body(&challenge)), ["base", "avalanche"]);
}

#[test]
fn what_is_no_bazaar_is_left_out() {
    let input = json!({ "type": "http", "method": "POST" });
    #[rustfmt::skip]
    let rows = [
        (json!(null),                                                           false),
        (json!("bazaar"),                                                       false),
        (json!({ "info": { "input": input } }),                                 false),
        (json!({ "info": { "input": "http" }, "schema": {} }),                  false),
        (json!({ "info": { "output": {} }, "schema": {} }),                     false),
        (json!({ "info": { "input": input }, "schema": true }),                 false),
        (json!({ "info": { "input": input }, "schema": {} }),                   true),
        (json!({ "info": { "input": input }, "schema": {}, "more": "of it" }),  true),
    ];
    for (bazaar, want) in rows {
        let terms = Terms { bazaar: Some(bazaar.clone()), ..terms("http://x/") };
        let challenge = terms.challenge(None, None, now());
        let got = &header(&challenge)["extensions"]["bazaar"];
        assert_eq!(got.is_object(), want, "{bazaar}");
        assert_eq!(got["more"], Value::Null);
        let schema = &body(&challenge)["accepts"][0]["outputSchema"];
        assert_eq!(schema.is_object(), want, "{bazaar}");
    }
}

#[test]
fn the_header_stays_short_enough_for_proxies() {
    let networks = [8_453, 1, 42_161, 10].map(|it| Network::of_chain(it).unwrap());
    let url = "https://api.spaces.example.org/v1/spaces";
    let bazaar =
        captured("v2-siwx-1-first-pays.client-to-server.json")["extensions"]["bazaar"].clone();
    let mut terms = Terms {
        pay_to: PAY_TO,
        networks: networks.to_vec(),
        amount: usd(999_999_999),
        bazaar: Some(bazaar),
        ..terms(url)
    };
    terms.resource.description = "A space of your own for the rest of this month".to_owned();
    terms.resource.service_name = Some("s".repeat(32));
    terms.resource.tags = vec!["t".repeat(32); 5];
    let challenge = terms.challenge(None, Some(&key(0)), now());
    assert!(challenge.header.len() <= HEADER_LEN_BYTES_MAX, "{}", challenge.header.len());
    let extensions = |challenge: &Challenge| -> Vec<String> {
        let header = header(challenge);
        header["extensions"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(extensions(&challenge), ["bazaar", "offer-receipt", "payment-identifier"]);

    // What would make it longer is left out, that which matters least first.
    terms.bazaar.as_mut().unwrap()["info"]["output"] = json!("o".repeat(4_000));
    let challenge = terms.challenge(None, Some(&key(0)), now());
    assert!(challenge.header.len() <= HEADER_LEN_BYTES_MAX, "{}", challenge.header.len());
    assert_eq!(extensions(&challenge), ["offer-receipt", "payment-identifier"]);
    assert_eq!(body(&challenge)["accepts"][0]["outputSchema"]["output"], "o".repeat(4_000));

    terms.networks = Network::all().iter().collect();
    let challenge = terms.challenge(None, Some(&key(0)), now());
    assert!(challenge.header.len() <= HEADER_LEN_BYTES_MAX, "{}", challenge.header.len());
    assert_eq!(extensions(&challenge), ["payment-identifier"]);
    assert_eq!(header(&challenge)["accepts"].as_array().unwrap().len(), Network::all().len());
}

#[test]
fn terms_without_a_network_ask_for_nothing() {
    let terms = Terms { networks: Vec::new(), pay_to: Address::ZERO, ..terms("http://x/") };
    assert_eq!(terms.requirements(), []);
    let challenge = terms.challenge(None, Some(&key(0)), now());
    assert_eq!(header(&challenge)["accepts"], json!([]));
    assert_eq!(body(&challenge)["accepts"], json!([]));
}
