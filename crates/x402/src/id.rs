//! Names of payments.

use alloy_primitives::{Address, B256, Keccak256};
use domain::PaymentId;

/// The id of the payment that is authorized by this nonce, which the token takes once.
///
/// The first half of the Keccak-256 of chain id (8 bytes, big-endian), asset, payer and nonce.
#[must_use]
pub fn payment_id(chain_id: u64, asset: Address, from: Address, nonce: B256) -> PaymentId {
    let mut hasher = Keccak256::new();
    hasher.update(chain_id.to_be_bytes());
    hasher.update(asset);
    hasher.update(from);
    hasher.update(nonce);
    PaymentId::from_hash(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;

    use super::*;

    #[test]
    fn an_id_depends_on_all_that_makes_a_nonce_unique() {
        let asset = address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e");
        let from = address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
        let id = payment_id(84_532, asset, from, B256::ZERO);
        assert_eq!(id.to_string(), "pay_78dde41dfa4b19029417b65620159e13");
        let others = [
            payment_id(8_453, asset, from, B256::ZERO),
            payment_id(84_532, from, from, B256::ZERO),
            payment_id(84_532, asset, asset, B256::ZERO),
            payment_id(84_532, asset, from, B256::with_last_byte(1)),
        ];
        assert!(!others.contains(&id));
    }
}
