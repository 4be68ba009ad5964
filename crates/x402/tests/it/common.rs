//! The captured exchanges, and payments made by a buyer with a key of the development chain.

use alloy_primitives::{Address, B256, U256, address};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Money, Timestamp};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use x402::{Authorization, Decoded, Network, Payment, Requirements, Resource, Terms, Version};

/// The moment of most captured payments.
pub(crate) const NOW_S: i64 = 1_795_402_877;

pub(crate) const BUYER: Address = address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
pub(crate) const PAY_TO: Address = address!("0x90F79bf6EB2c4f870365E785982E1f101E93b906");

/// Keys of the development chain's accounts.
const KEYS: [&str; 4] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
];

pub(crate) fn key(index: usize) -> SigningKey {
    let key: B256 = KEYS[index].parse().unwrap();
    SigningKey::from_slice(key.as_slice()).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_ms(NOW_S * 1000)
}

pub(crate) fn usd(micros: u64) -> Money {
    Money::from_micros(micros).unwrap()
}

/// Reads a captured file.
pub(crate) fn vectors(file: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The names of captured files that contain `part`.
pub(crate) fn files(part: &str) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|it| it.contains(part)).collect()
}

/// What the captured servers asked for, with `url` as the resource.
pub(crate) fn terms(url: &str) -> Terms {
    Terms {
        pay_to: PAY_TO,
        networks: vec![Network::of_chain(84_532).unwrap()],
        amount: usd(10_000),
        honoured: Vec::new(),
        resource: Resource {
            url: url.to_owned(),
            description: "Create a space".to_owned(),
            mime_type: "application/json".to_owned(),
            service_name: None,
            tags: Vec::new(),
        },
        bazaar: None,
    }
}

pub(crate) fn encode(value: &Value) -> String {
    STANDARD.encode(value.to_string())
}

pub(crate) fn decode(header: &str) -> Value {
    serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap()
}

pub(crate) fn read(version: Version, value: &Value) -> Decoded {
    Payment::from_header(version, encode(value).as_bytes())
}

/// What a buyer authorizes for `requirements`, valid from a minute ago for five minutes.
pub(crate) fn authorization(requirements: &Requirements) -> Authorization {
    let now_s = u64::try_from(NOW_S).unwrap();
    Authorization {
        from: BUYER,
        to: requirements.pay_to,
        value: U256::from(requirements.amount.micros()),
        valid_after: U256::from(now_s - 60),
        valid_before: U256::from(now_s + 300),
        nonce: B256::repeat_byte(7),
    }
}

/// The buyer's signature.
pub(crate) fn sign(authorization: &Authorization, network: &Network) -> String {
    evm::sign(&authorization.hash(network), &key(2))
}

/// The JSON of a payment that accepts `requirements`.
pub(crate) fn document(
    version: Version,
    requirements: &Requirements,
    authorization: &Authorization,
    signature: &str,
) -> Value {
    let payload = json!({ "signature": signature, "authorization": authorization });
    let network = requirements.network;
    match version {
        Version::V1 => json!({
            "x402Version": 1, "scheme": "exact", "network": network.v1_name, "payload": payload,
        }),
        Version::V2 => json!({
            "x402Version": 2,
            "payload": payload,
            "accepted": {
                "scheme": "exact",
                "network": network.caip2(),
                "amount": requirements.amount.micros().to_string(),
                "asset": network.usdc.address,
                "payTo": requirements.pay_to,
                "maxTimeoutSeconds": 300,
                "extra": {
                    "name": network.usdc.name,
                    "version": network.usdc.version,
                    "paymentFlow": "upfront",
                },
            },
        }),
    }
}

/// A payment that is what `terms` ask for first.
pub(crate) fn good(version: Version, terms: &Terms) -> Value {
    let requirements = terms.requirements()[0];
    let authorization = authorization(&requirements);
    let signature = sign(&authorization, requirements.network);
    document(version, &requirements, &authorization, &signature)
}
