//! Well-known accounts, and policies and statements about them.

use alloy_primitives::{U256, hex};
use domain::{Timestamp, Wallet};
use gate::{Policy, Statement};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

/// The first account of the mnemonic that development chains share.
pub(crate) const FIRST: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
/// The second one.
pub(crate) const SECOND: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Some contract.
pub(crate) const CONTRACT: &str = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";

const FIRST_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const SECOND_KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// 2026-11-18T11:06:40Z, in seconds and as a point in time.
pub(crate) const NOW_S: u64 = 1_795_000_000;
pub(crate) const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

pub(crate) fn first() -> Wallet {
    FIRST.parse().unwrap()
}

pub(crate) fn second() -> Wallet {
    SECOND.parse().unwrap()
}

pub(crate) fn first_key() -> SigningKey {
    SigningKey::from_slice(&hex::decode(FIRST_KEY).unwrap()).unwrap()
}

pub(crate) fn second_key() -> SigningKey {
    SigningKey::from_slice(&hex::decode(SECOND_KEY).unwrap()).unwrap()
}

/// A rule of this kind, with every field but the label.
pub(crate) fn rule(kind: &str) -> Value {
    match kind {
        "erc20" => json!({ "kind": kind, "chain_id": 8453, "contract": CONTRACT,
                           "required": "100", "decimals": 1 }),
        "erc721" => json!({ "kind": kind, "chain_id": 1, "contract": CONTRACT, "required": "1" }),
        "erc1155" => json!({ "kind": kind, "chain_id": 1, "contract": CONTRACT, "token_id": "7",
                             "required": "2" }),
        "allowlist" => json!({ "kind": kind, "addresses": [SECOND] }),
        "attestation" => json!({ "kind": kind, "issuer": FIRST, "ledger": "crdt-main",
                                 "required": "100", "decimals": 1 }),
        _ => panic!("{kind} is no kind"),
    }
}

pub(crate) fn policy(mode: &str, rules: &[Value]) -> Policy {
    Policy::parse(&json!({ "mode": mode, "rules": rules }).to_string()).unwrap()
}

/// The first account says that the second holds this many base units, until a second after `NOW`.
pub(crate) fn statement(amount: u64) -> Statement {
    let ledger = "crdt-main".to_owned().try_into().unwrap();
    Statement::sign(second(), ledger, U256::from(amount), NOW_S + 1, &first_key())
}
