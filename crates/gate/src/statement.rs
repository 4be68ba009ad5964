//! A signed statement on a balance that is on no chain.

use alloy_primitives::{B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct as _, eip712_domain};
use domain::{Timestamp, Wallet};
use evm::{SignatureError, address_of, recover};
use k256::ecdsa::SigningKey;

use crate::Ledger;

mod typed {
    //! What is signed.

    alloy_sol_types::sol! {
        struct BalanceStatement {
            address issuer;
            address subject;
            string ledger;
            uint256 amount;
            uint64 expiry;
        }
    }
}

/// No chain and no contract: the statement is about neither.
const DOMAIN: Eip712Domain = eip712_domain! {
    name: "Balance Statement",
    version: "1",
};

/// "`issuer` says: until `expiry`, `subject` holds at least `amount` in `ledger`."
///
/// A value of this type is well formed. Whether the issuer signed it is for [`Statement::verify`].
///
/// Source: EIP-712; vectors in `tests/vectors/attestation.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub(crate) issuer: Wallet,
    pub(crate) subject: Wallet,
    pub(crate) ledger: Ledger,
    pub(crate) amount: U256,
    pub(crate) expiry: u64,
    pub(crate) signature: String,
}

impl Statement {
    /// Makes a statement: what an issuer does.
    ///
    /// - `amount`: in base units.
    /// - `expiry`: the first second in which it is no longer valid, since the Unix epoch.
    #[must_use]
    pub fn sign(
        subject: Wallet,
        ledger: Ledger,
        amount: U256,
        expiry: u64,
        key: &SigningKey,
    ) -> Self {
        let issuer = address_of(key.verifying_key()).into();
        let unsigned = Self { issuer, subject, ledger, amount, expiry, signature: String::new() };
        let signature = evm::sign(&unsigned.signing_hash().0, key);
        Self { signature, ..unsigned }
    }

    /// Whether the issuer's key signed this.
    ///
    /// # Errors
    /// [`SignatureError`], with [`SignatureError::WrongSigner`] for a sound signature by somebody
    /// else or over something else.
    pub fn verify(&self) -> Result<(), SignatureError> {
        let signer = recover(&self.signing_hash().0, &self.signature.parse()?)?;
        if signer == self.issuer.address() { Ok(()) } else { Err(SignatureError::WrongSigner) }
    }

    /// The hash that the issuer signs.
    #[must_use]
    pub fn signing_hash(&self) -> B256 {
        let typed = typed::BalanceStatement {
            issuer: self.issuer.address(),
            subject: self.subject.address(),
            ledger: self.ledger.to_string(),
            amount: self.amount,
            expiry: self.expiry,
        };
        typed.eip712_signing_hash(&DOMAIN)
    }

    /// Whether `now` is too late for it: at its expiry it is.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        let now = u64::try_from(now.unix_s()).unwrap_or_default();
        self.expiry <= now
    }
}
