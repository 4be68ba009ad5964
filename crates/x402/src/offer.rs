//! Signed offers: proof of what was asked, by whom, until when.
//!
//! Source: x402, extension `offer-receipt`, EIP-712 format.

use alloy_primitives::U256;
use alloy_sol_types::{Eip712Domain, SolStruct as _, eip712_domain};
use domain::Timestamp;
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use crate::{Requirements, TIMEOUT_SECONDS_MAX};

mod typed {
    //! What is signed.

    alloy_sol_types::sol! {
        struct Offer {
            uint256 version;
            string resourceUrl;
            string scheme;
            string network;
            string asset;
            string payTo;
            string amount;
            uint256 validUntil;
        }
    }
}

/// Whatever the network of the payment is.
const DOMAIN: Eip712Domain = eip712_domain! {
    name: "x402 offer",
    version: "1",
    chain_id: 1,
};

/// Signs that `requirements`, the entry `index` of `accepts`, are good for [`TIMEOUT_SECONDS_MAX`].
pub(crate) fn sign(
    requirements: &Requirements,
    index: usize,
    resource_url: &str,
    key: &SigningKey,
    now: Timestamp,
) -> Value {
    let now_s = u64::try_from(now.unix_s()).unwrap_or_default();
    let valid_until = now_s.saturating_add(TIMEOUT_SECONDS_MAX);
    let wire = requirements.v2();
    let offer = typed::Offer {
        version: U256::ONE,
        resourceUrl: resource_url.to_owned(),
        scheme: "exact".to_owned(),
        network: wire.network,
        asset: wire.asset,
        payTo: wire.pay_to,
        amount: wire.amount,
        validUntil: U256::from(valid_until),
    };
    let signature = evm::sign(&offer.eip712_signing_hash(&DOMAIN).0, key);
    json!({
        "format": "eip712",
        "acceptIndex": index,
        "payload": {
            "version": 1,
            "resourceUrl": offer.resourceUrl,
            "scheme": offer.scheme,
            "network": offer.network,
            "asset": offer.asset,
            "payTo": offer.payTo,
            "amount": offer.amount,
            "validUntil": valid_until,
        },
        "signature": signature,
    })
}
