//! Any text as a payment header of either version, and any text as the JSON in it: what is read and
//! verified is sent to a facilitator as a payment that is read as the same, and what is wrong is said
//! on one short line.

#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Money, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use x402::{DecodeError, Network, Payment, Resource, Terms, Version, verify};

fuzz_target!(|text: &str| {
    for version in [Version::V1, Version::V2] {
        read(version, text);
        read(version, &STANDARD.encode(text));
    }
});

fn read(version: Version, value: &str) {
    let payment = match Payment::from_header(version, value.as_bytes()) {
        Ok(payment) => payment,
        Err(DecodeError::Malformed(error)) => {
            let line = error.to_string();
            assert!(line.len() < 200 && !line.contains('\n'), "{line}");
            return;
        }
        Err(DecodeError::Refused { .. }) => return,
    };
    // What the vectors pay: 0.01 USD to an account of the development chain.
    let terms = Terms {
        pay_to: "0x90F79bf6EB2c4f870365E785982E1f101E93b906".parse().unwrap(),
        networks: Network::all().iter().collect(),
        amount: Money::from_micros(10_000).unwrap(),
        honoured: Vec::new(),
        resource: Resource {
            url: "https://example.org/".to_owned(),
            description: String::new(),
            mime_type: "application/json".to_owned(),
            service_name: None,
            tags: Vec::new(),
        },
        bazaar: None,
    };
    let now = Timestamp::from_unix_ms(1_795_402_877_000);
    let Ok(verified) = verify(&payment, &terms.requirements(), now) else { return };
    let request: Value = serde_json::from_str(&terms.settle_request(&payment, &verified)).unwrap();
    let sent = STANDARD.encode(request["paymentPayload"].to_string());
    let sent = Payment::from_header(version, sent.as_bytes()).unwrap();
    let again = verify(&sent, &terms.requirements(), now);
    assert_eq!(again, Ok(verified), "{value:?} is sent as {request}");
    assert_eq!(sent.identifier(), payment.identifier());
}
