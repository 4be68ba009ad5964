//! Why a payment is not the one that was asked for.

use evm::SignatureError;

/// Why a payment that can be read does not pay. In the order of the checks.
///
/// `Display` is for people, [`Refusal::reason`] for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The version is not that of the header.
    #[error("the payment is of another version of x402 than its header")]
    Version,
    /// The scheme is another one.
    #[error("only the scheme exact is taken")]
    Scheme,
    /// The network is unknown, or not one that is asked for.
    #[error("the payment is on a network that is not asked for")]
    Network,
    /// The money is to move in another way than by EIP-3009.
    #[error("only authorizations of EIP-3009 are taken")]
    Payload,
    /// What was accepted was not offered.
    #[error("what the payment accepts is not what is asked for")]
    Requirements,
    /// The money goes to somebody else.
    #[error("the payment is to another address")]
    Recipient,
    /// It is more or less money.
    #[error("the payment is of another amount")]
    Value,
    /// It is too late for it, or would never be.
    #[error("the payment's time is over, too short to settle it, or longer than a day")]
    Expired,
    /// It is too early for it.
    #[error("the payment's time has not come")]
    NotYetValid,
    /// Nobody signed it, as far as this can be told without the chain.
    #[error("the payer did not sign this")]
    Signature(#[from] SignatureFlaw),
}

/// The reason in x402's words for a payment whose nonce is used.
///
/// Source: `@x402/evm` 2.27.0, which has it beyond the specification.
pub const NONCE_USED: &str = "invalid_exact_evm_nonce_already_used";

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFlaw {
    /// It is not of a form that the token takes.
    #[error("not a signature that the token takes")]
    Form(#[from] SignatureError),
    /// `v` is 0 or 1. Others read that as 27 or 28; the token does not.
    #[error("v is 27 or 28")]
    RecoveryByte,
    /// It is by a wallet that is still to be created (EIP-6492). The token can't ask that.
    #[error("wallets that are still to be created can't pay")]
    Wrapped,
}

impl Refusal {
    /// The reason in x402's words.
    ///
    /// Source: the x402 specification, version 2, §9.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Version => "invalid_x402_version",
            Self::Scheme => "invalid_scheme",
            Self::Network => "invalid_network",
            Self::Payload => "invalid_payload",
            Self::Requirements => "invalid_payment_requirements",
            Self::Recipient => "invalid_exact_evm_payload_recipient_mismatch",
            Self::Value => "invalid_exact_evm_payload_authorization_value_mismatch",
            Self::Expired => "invalid_exact_evm_payload_authorization_valid_before",
            Self::NotYetValid => "invalid_exact_evm_payload_authorization_valid_after",
            Self::Signature(_) => "invalid_exact_evm_payload_signature",
        }
    }
}
