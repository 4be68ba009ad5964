//! Signatures of key pairs over a hash: read, made, and traced to an address.

use std::str::FromStr;

use alloy_primitives::{Address, hex};
use k256::ecdsa::{RecoveryId, SigningKey, VerifyingKey};

/// A signature as wallets send it: `0x` and 65 bytes in hex, `r`, `s` and `v`.
///
/// A value of this type has `r` and `s` in range and `s` in the lower half of it, so nobody can
/// turn one signature into another that is as good.
///
/// Source: EIP-191, EIP-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    scalars: k256::ecdsa::Signature,
    recovery_id: RecoveryId,
}

/// Why a signature does not prove that an address signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text does not begin with `0x`.
    #[error("a signature begins with 0x")]
    NoPrefix,
    /// A character is not a hex digit.
    #[error("a signature has only hex digits after 0x, not {found:?}")]
    NotHex {
        /// The first offending character.
        found: char,
    },
    /// The number of hex digits is odd.
    #[error("a signature has two hex digits for each byte")]
    HalfByte,
    /// There are not 65 bytes. Compact ones of 64 (EIP-2098) are not taken.
    #[error("a signature has {LEN_BYTES} bytes, this one has {len_bytes}")]
    Length {
        /// Length of the rejected signature.
        len_bytes: usize,
    },
    /// The last byte is none of 0, 1, 27 and 28.
    #[error("the recovery byte is 0, 1, 27 or 28, not {found}")]
    RecoveryByte {
        /// The last byte.
        found: u8,
    },
    /// `r` or `s` is zero or not below the order of the curve.
    #[error("r or s is out of range")]
    ScalarRange,
    /// `s` is in the upper half of its range (EIP-2).
    #[error("s is in the upper half of its range")]
    HighS,
    /// There is no key that could have made this signature.
    #[error("no key can have made this signature")]
    NoKey,
    /// The signature is sound, and by the key of another address.
    #[error("the signature is by another address")]
    WrongSigner,
}

/// `r` and `s` of 32 bytes each, and `v`.
const LEN_BYTES: usize = 65;

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let digits = text.strip_prefix("0x").ok_or(SignatureError::NoPrefix)?;
        if let Some(found) = digits.chars().find(|it| !it.is_ascii_hexdigit()) {
            return Err(SignatureError::NotHex { found });
        }
        let bytes = hex::decode(digits).map_err(|_| SignatureError::HalfByte)?;
        let len_bytes = bytes.len();
        let bytes: [u8; LEN_BYTES] =
            bytes.try_into().map_err(|_| SignatureError::Length { len_bytes })?;
        let [scalars @ .., v] = bytes;
        let is_y_odd = match v {
            0 | 27 => false,
            1 | 28 => true,
            found => return Err(SignatureError::RecoveryByte { found }),
        };
        let scalars = k256::ecdsa::Signature::from_slice(&scalars)
            .map_err(|_| SignatureError::ScalarRange)?;
        if scalars.normalize_s() != scalars {
            return Err(SignatureError::HighS);
        }
        Ok(Self { scalars, recovery_id: RecoveryId::new(is_y_odd, false) })
    }
}

/// The address whose key signed this hash.
///
/// There is one for almost every signature, so this proves nothing until it is compared.
///
/// # Errors
/// [`SignatureError::NoKey`].
pub fn recover(hash: &[u8; 32], signature: &Signature) -> Result<Address, SignatureError> {
    let key = VerifyingKey::recover_from_prehash(hash, &signature.scalars, signature.recovery_id);
    key.map(|it| address_of(&it)).map_err(|_| SignatureError::NoKey)
}

/// The address of a key.
#[must_use]
pub fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    // The first byte says that the point is not compressed.
    Address::from_raw_public_key(&point.as_bytes()[1..])
}

/// Signs this hash: `0x`, 65 bytes in hex, `v` 27 or 28.
///
/// The same key and hash give the same signature (RFC 6979), so no randomness is needed.
#[must_use]
pub fn sign(hash: &[u8; 32], key: &SigningKey) -> String {
    let (scalars, recovery_id) = key.sign_prehash_recoverable(hash);
    // That `r` was reduced, which `v` has no value for, happens once in 2^127 signatures.
    let v: u8 = if recovery_id.is_y_odd() { 28 } else { 27 };
    hex::encode_prefixed([scalars.to_bytes().as_slice(), &[v]].concat())
}
