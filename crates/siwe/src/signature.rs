//! What a wallet makes of a text before it signs it, and signing one.

use alloy_primitives::{Address, eip191_hash_message};
use evm::{Signature, SignatureError};
use k256::ecdsa::SigningKey;

/// What a wallet signs when asked to `personal_sign` this text.
///
/// Source: EIP-191, version `0x45`.
#[must_use]
pub fn eip191_hash(raw: &str) -> [u8; 32] {
    eip191_hash_message(raw).0
}

/// The address whose key signed this text.
///
/// There is one for almost every signature, so this proves nothing until it is compared.
///
/// # Errors
/// [`SignatureError::NoKey`].
pub fn recover(raw: &str, signature: &Signature) -> Result<Address, SignatureError> {
    evm::recover(&eip191_hash(raw), signature)
}

/// Signs this text as `personal_sign` does: `0x`, 65 bytes in hex, `v` 27 or 28.
#[must_use]
pub fn sign(raw: &str, key: &SigningKey) -> String {
    evm::sign(&eip191_hash(raw), key)
}
