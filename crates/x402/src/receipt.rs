//! Signed receipts: proof that somebody has paid for something.
//!
//! Source: x402, extension `offer-receipt`, EIP-712 format.

use alloy_primitives::U256;
use alloy_sol_types::{Eip712Domain, SolStruct as _, eip712_domain};
use domain::Timestamp;
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use crate::Settled;

mod typed {
    //! What is signed.

    alloy_sol_types::sol! {
        struct Receipt {
            uint256 version;
            string network;
            string resourceUrl;
            string payer;
            uint256 issuedAt;
            string transaction;
        }
    }
}

/// Whatever the network of the payment is.
const DOMAIN: Eip712Domain = eip712_domain! {
    name: "x402 receipt",
    version: "1",
    chain_id: 1,
};

/// A signed receipt, which the answer to a payment of version 2 may carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt(pub(crate) Value);

impl Receipt {
    /// Signs that `settled` was for the resource at this URL. It names the transaction, which is
    /// public, so that the receipt can be checked against the chain.
    #[must_use]
    pub fn sign(
        settled: &Settled<'_>,
        resource_url: &str,
        key: &SigningKey,
        now: Timestamp,
    ) -> Self {
        let issued_at = u64::try_from(now.unix_s()).unwrap_or_default();
        let receipt = typed::Receipt {
            version: U256::ONE,
            network: settled.network.caip2(),
            resourceUrl: resource_url.to_owned(),
            payer: settled.payer.to_string(),
            issuedAt: U256::from(issued_at),
            transaction: settled.transaction.to_owned(),
        };
        let signature = evm::sign(&receipt.eip712_signing_hash(&DOMAIN).0, key);
        Self(json!({
            "format": "eip712",
            "payload": {
                "version": 1,
                "network": receipt.network,
                "resourceUrl": receipt.resourceUrl,
                "payer": receipt.payer,
                "issuedAt": issued_at,
                "transaction": receipt.transaction,
            },
            "signature": signature,
        }))
    }
}
