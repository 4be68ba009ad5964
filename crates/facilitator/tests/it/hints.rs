//! What messages of facilitators are about.

use alloy_primitives::{Address, B256, hex};
use domain::Timestamp;
use facilitator::{Hint, WebhookSecrets, verify_webhook};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

fn hint(body: &str) -> Hint {
    let secret = "k".repeat(32);
    let secrets: WebhookSecrets = secret.parse().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("1795000000.{body}").as_bytes());
    let signature = format!("t=1795000000,v0={}", hex::encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert("x-hook0-signature", signature.parse().unwrap());
    let now = Timestamp::from_unix_ms(1_795_000_000_000);
    verify_webhook(&headers, body.as_bytes(), &secrets, now).unwrap()
}

#[test]
fn messages_of_those_who_send_some() {
    let transaction = Some(B256::repeat_byte(0xf1));
    let payer = Some(Address::repeat_byte(0xaa));
    let all = |event: &str, network: &str| Hint {
        event: event.to_owned(),
        transaction,
        network: Some(network.to_owned()),
        payer,
        nonce: None,
    };
    #[rustfmt::skip]
    let rows = [
        // OpenFacilitator
        (r#"{"event":"payment.settled","facilitatorId":"f","timestamp":"2026-11-18T11:06:40Z","transaction":{"id":"t","fromAddress":"PAYER","toAddress":"0x0505050505050505050505050505050505050505","amount":"5000000","asset":"0x70","network":"base","transactionHash":"HASH","settledAt":"2026-11-18T11:06:40Z"}}"#,
            all("payment.settled", "base")),
        // Silverback
        (r#"{"event":"settlement.success","timestamp":1795000000000,"data":{"transactionId":"t","txHash":"HASH","payer":"PAYER","receiver":"0x0505050505050505050505050505050505050505","token":"USDC","amount":"5","fee":"0","network":"eip155:8453","status":"confirmed"}}"#,
            all("settlement.success", "eip155:8453")),
        // Coinbase's Developer Platform, activity on a chain
        (r#"{"eventType":"onchain.activity.detected","network":"base-mainnet","data":{"eventName":"Transfer","from":"PAYER","to":"0x0505050505050505050505050505050505050505","transactionHash":"HASH","blockNumber":7}}"#,
            all("onchain.activity.detected", "base-mainnet")),
        // The answer of a facilitator, with its nonce
        (r#"{"type":"x402.settled","data":[{"transaction":"HASH","payer":"PAYER","network":"base","authorization":{"nonce":"NONCE"}}]}"#,
            Hint { nonce: Some(B256::repeat_byte(0x0e)), ..all("x402.settled", "base") }),
        // What is the least deep counts, and what can't be read doesn't.
        (r#"{"a":{"transactionHash":"0x00"},"transaction":"HASH","hash":7,"network":["base"]}"#,
            Hint { transaction, ..Hint::default() }),
        (r#"{"event":{"type":"inner"},"nonce":7,"payer":"me"}"#,
            Hint { event: "inner".to_owned(), ..Hint::default() }),
        ("{}", Hint::default()),
    ];
    for (body, want) in rows {
        let body = body
            .replace("PAYER", &Address::repeat_byte(0xaa).to_string())
            .replace("NONCE", &B256::repeat_byte(0x0e).to_string())
            .replace("HASH", &B256::repeat_byte(0xf1).to_string());
        assert_eq!(hint(&body), want, "{body}");
    }
}

#[test]
fn texts_are_short_and_in_one_line() {
    let body =
        format!(r#"{{"event":"a\nb{}","network":"\u001b{}"}}"#, "x".repeat(200), "y".repeat(200));
    let Hint { event, network, .. } = hint(&body);
    assert_eq!(event, format!("a b{}", "x".repeat(97)));
    assert_eq!(network.unwrap(), format!(" {}", "y".repeat(99)));
}
