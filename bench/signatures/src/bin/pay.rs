//! Pays as many times as it is told: the bill (the content of `PAYMENT-REQUIRED`) on standard input,
//! a value of `PAYMENT-SIGNATURE` on each line of standard output. No two have the same nonce.
//!
//! `pay <private key in hex> <number>`

use std::io::{BufWriter, Write as _};

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct as _, sol};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use time::OffsetDateTime;

sol! {
    struct TransferWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let key = SigningKey::from_slice(&hex::decode(arguments.next().context("no key")?)?)?;
    let n_payments: u64 = arguments.next().context("no number")?.parse()?;
    let bill: Value = serde_json::from_reader(std::io::stdin().lock())?;
    let accepted = &bill["accepts"][0];
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned).context("the bill is no bill");
    let chain_id = text(&accepted["network"])?;
    let chain_id: u64 = chain_id.strip_prefix("eip155:").context("not an EVM chain")?.parse()?;
    let asset: Address = text(&accepted["asset"])?.parse()?;
    let domain = Eip712Domain::new(
        Some(text(&accepted["extra"]["name"])?.into()),
        Some(text(&accepted["extra"]["version"])?.into()),
        Some(U256::from(chain_id)),
        Some(asset),
        None,
    );
    let now = OffsetDateTime::now_utc();
    let timeout = accepted["maxTimeoutSeconds"].as_u64().context("no time")?;
    let mut authorization = TransferWithAuthorization {
        from: evm::address_of(key.verifying_key()),
        to: text(&accepted["payTo"])?.parse()?,
        value: text(&accepted["amount"])?.parse()?,
        validAfter: U256::ZERO,
        validBefore: U256::from(u64::try_from(now.unix_timestamp())? + timeout),
        nonce: B256::ZERO,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for number in 0..n_payments {
        let seed =
            [now.unix_timestamp_nanos().to_be_bytes().as_slice(), &number.to_be_bytes()].concat();
        authorization.nonce = keccak256(seed);
        let signature = evm::sign(&authorization.eip712_signing_hash(&domain).0, &key);
        let mut payment = json!({
            "x402Version": 2,
            "resource": bill["resource"],
            "accepted": accepted,
            "payload": { "signature": signature, "authorization": {
                "from": authorization.from,
                "to": authorization.to,
                "value": authorization.value.to_string(),
                "validAfter": authorization.validAfter.to_string(),
                "validBefore": authorization.validBefore.to_string(),
                "nonce": authorization.nonce,
            } },
        });
        if let Some(extensions) = bill.get("extensions") {
            payment["extensions"] = extensions.clone();
        }
        writeln!(out, "{}", STANDARD.encode(payment.to_string()))?;
    }
    out.flush()?;
    Ok(())
}
