//! What a payer signs.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct as _, eip712_domain};
use serde::{Serialize, Serializer};

use crate::Network;

mod typed {
    //! What is signed.

    alloy_sol_types::sol! {
        struct TransferWithAuthorization {
            address from;
            address to;
            uint256 value;
            uint256 validAfter;
            uint256 validBefore;
            bytes32 nonce;
        }
    }
}

/// "Whoever shows this may move `value` base units from `from` to `to`, once."
///
/// Source: EIP-3009.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// Who pays.
    #[serde(serialize_with = "plain")]
    pub from: Address,
    /// Who is paid.
    #[serde(serialize_with = "plain")]
    pub to: Address,
    /// How much, in base units of the token.
    #[serde(serialize_with = "plain")]
    pub value: U256,
    /// It counts after this time, in Unix seconds.
    #[serde(serialize_with = "plain")]
    pub valid_after: U256,
    /// It counts before this time, in Unix seconds.
    #[serde(serialize_with = "plain")]
    pub valid_before: U256,
    /// What the token knows it by, so that it counts once.
    #[serde(serialize_with = "plain")]
    pub nonce: B256,
}

impl Authorization {
    /// The hash that is signed.
    ///
    /// Source: EIP-712.
    #[must_use]
    pub fn hash(&self, network: &Network) -> [u8; 32] {
        let typed = typed::TransferWithAuthorization {
            from: self.from,
            to: self.to,
            value: self.value,
            validAfter: self.valid_after,
            validBefore: self.valid_before,
            nonce: self.nonce,
        };
        typed.eip712_signing_hash(&token_domain(network)).0
    }
}

/// The domain that the network's token checks signatures in.
pub(crate) fn token_domain(network: &Network) -> Eip712Domain {
    eip712_domain! {
        name: network.usdc.name,
        version: network.usdc.version,
        chain_id: network.chain_id,
        verifying_contract: network.usdc.address,
    }
}

/// Addresses with their checksum, numbers in decimal digits.
fn plain<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&value.to_string())
}
