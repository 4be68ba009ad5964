//! Payments that published clients sent, and what published servers asked facilitators.

use domain::Timestamp;
use serde_json::{Value, json};
use x402::{DecodeError, Network, Payment, Refusal, Settled, Signer, Version, verify};

use crate::common::{BUYER, decode, files, terms, usd, vectors};

/// All payments of a captured file, decoded by us and as they were sent.
fn payments(file: &str) -> Vec<(Version, String)> {
    let exchanges = vectors(file);
    let headers = exchanges.as_array().unwrap().iter().map(|it| &it["request"]["headers"]);
    let payment = |headers: &Value| {
        let text = |name: &str| headers[name].as_str().map(str::to_owned);
        let v1 = text("x-payment").map(|it| (Version::V1, it));
        text("payment-signature").map(|it| (Version::V2, it)).or(v1)
    };
    headers.filter_map(payment).collect()
}

#[test]
fn every_payment_that_was_sent_is_read() {
    let mut n_payments = 0;
    for file in files("client-to-server") {
        for (version, header) in payments(&file) {
            let got = Payment::from_header(version, header.as_bytes());
            n_payments += 1;
            match header.as_str() {
                "%%%" | "e30=" => assert!(matches!(got, Err(DecodeError::Malformed(_))), "{file}"),
                _ if file.contains("permit2") => {
                    let refusal = Refusal::Payload;
                    assert_eq!(got, Err(DecodeError::Refused { version, refusal }), "{file}");
                }
                _ if file.contains("upto") => {
                    let refusal = Refusal::Scheme;
                    assert_eq!(got, Err(DecodeError::Refused { version, refusal }), "{file}");
                }
                _ => {
                    let payment = got.unwrap();
                    assert_eq!(payment.payer(), BUYER, "{file}");
                    assert_eq!(payment.network().chain_id, 84_532, "{file}");
                    assert_eq!(payment.identifier().is_some(), file.contains("identifier"));
                }
            }
        }
    }
    assert!(14 <= n_payments, "{n_payments}");
}

/// Verifies the first payment of `file` at the time it was made, and gives what we would have asked
/// the facilitator.
fn settle_request(file: &str, url: &str, bazaar: Option<Value>) -> Value {
    let mut terms = terms(url);
    terms.bazaar = bazaar;
    let (version, header) = payments(file).into_iter().next().unwrap();
    let payment = Payment::from_header(version, header.as_bytes()).unwrap();
    let now = Timestamp::from_unix_ms(1_795_402_840_000);
    let verified = verify(&payment, &terms.requirements(), now).unwrap();
    assert_eq!((verified.signer, verified.amount), (Signer::Key, usd(10_000)));
    assert_eq!(verified.id, payment.id());
    serde_json::from_str(&terms.settle_request(&payment, &verified)).unwrap()
}

fn captured_settle(file: &str) -> Value {
    let exchanges = vectors(file);
    let requests = exchanges.as_array().unwrap().iter().map(|it| &it["request"]);
    let mut settles = requests.filter(|it| it["url"] == "/settle");
    settles.next().unwrap()["body"].clone()
}

#[test]
fn a_facilitator_is_asked_what_a_published_server_asks_it() {
    let url = "http://127.0.0.1:14121/v1/upfront";
    let ours = settle_request("v2-upfront.client-to-server.json", url, None);
    assert_eq!(ours, captured_settle("v2-upfront.server-to-facilitator.json"));

    let url = "http://127.0.0.1:15121/v1/spaces";
    let ours = settle_request("v1-exact-eip3009.client-to-server.json", url, None);
    let mut want = captured_settle("v1-exact-eip3009.server-to-facilitator.json");
    want["paymentRequirements"]["maxTimeoutSeconds"] = json!(300);
    want["paymentRequirements"].as_object_mut().unwrap().remove("outputSchema");
    assert_eq!(ours, want);
}

#[test]
fn what_a_payer_adds_does_not_reach_the_facilitator() {
    let terms = terms("http://x/");
    let mut value = crate::common::good(Version::V2, &terms);
    let id = "pay_7d5d747be160e280";
    value["extensions"] = json!({
        "payment-identifier": { "info": { "required": true, "id": id, "more": 1 }, "schema": {} },
        "bazaar": { "info": { "input": "theirs" } },
        "unknown": { "info": {} },
    });
    value["resource"] = json!({ "url": "http://theirs/" });
    value["accepted"]["extra"]["more"] = json!(1);
    value["payload"]["more"] = json!(1);
    value["payload"]["authorization"]["more"] = json!(1);
    let payment = crate::common::read(Version::V2, &value).unwrap();
    let verified = verify(&payment, &terms.requirements(), crate::common::now()).unwrap();
    let request: Value = serde_json::from_str(&terms.settle_request(&payment, &verified)).unwrap();
    assert!(!request.to_string().contains("more") && !request.to_string().contains("their"));
    assert_eq!(request["paymentPayload"]["accepted"], request["paymentRequirements"]);
    assert_eq!(
        request["paymentPayload"]["extensions"]["payment-identifier"]["info"],
        json!({ "required": false, "id": id })
    );
    assert_eq!(request["paymentPayload"]["extensions"].as_object().unwrap().len(), 1);
}

#[test]
fn a_facilitator_is_told_how_to_catalogue_what_it_settles() {
    let siwx = vectors("v2-siwx-1-first-pays.client-to-server.json");
    let required = decode(siwx[0]["response"]["headers"]["payment-required"].as_str().unwrap());
    let bazaar = &required["extensions"]["bazaar"];
    let url = "http://127.0.0.1:14121/v1/upfront";
    let ours = settle_request("v2-upfront.client-to-server.json", url, Some(bazaar.clone()));
    assert_eq!(ours["paymentPayload"]["extensions"], json!({ "bazaar": bazaar }));
}

#[test]
fn a_client_is_told_what_a_published_server_tells_it() {
    #[rustfmt::skip]
    let rows = [
        // version     file                                        field
        (Version::V1, "v1-exact-eip3009.client-to-server.json",  "x-payment-response"),
        (Version::V2, "v2-upfront.client-to-server.json",        "payment-response"),
    ];
    for (version, file, field) in rows {
        let exchanges = vectors(file);
        let want = decode(exchanges[1]["response"]["headers"][field].as_str().unwrap());
        let network = Network::of_chain(84_532).unwrap();
        let transaction = want["transaction"].as_str().unwrap();
        let settled = Settled { version, network, payer: BUYER, transaction };
        assert_eq!(decode(&settled.to_header(None)), want, "{file}");
        assert_eq!(version.response_header(), field);
    }
}
