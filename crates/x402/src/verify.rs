//! Is this payment the one that was asked for?

use alloy_primitives::{Address, B256, U256, hex};
use domain::{Money, PaymentId, Timestamp};
use evm::{Signature, SignatureError};

use crate::{Authorization, Network, Payment, Refusal, Requirements, SignatureFlaw, Version};

/// How much time must be left to settle a payment, in seconds. Facilitators ask for as much.
pub const TIME_LEFT_SECONDS_MIN: u64 = 6;

/// How much time may be left at most, in seconds: what became of a payment can be told for good once its
/// time is over, so there must be an end.
pub const TIME_LEFT_SECONDS_MAX: u64 = 86_400;

/// `r`, `s` and `v`.
const SIGNATURE_LEN_BYTES: usize = 65;

/// The last bytes of a signature by a wallet that is still to be created.
///
/// Source: EIP-6492.
const WRAPPING: [u8; 32] = hex!("6492649264926492649264926492649264926492649264926492649264926492");

/// A payment that is what was asked for, as far as can be told without the chain: nobody knows yet
/// whether the money is there, or whether the nonce is still unused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its id.
    pub id: PaymentId,
    /// The version that it came in.
    pub version: Version,
    /// Where.
    pub network: &'static Network,
    /// The token's contract.
    pub asset: Address,
    /// Who pays.
    pub payer: Address,
    /// Who is paid.
    pub pay_to: Address,
    /// How much.
    pub amount: Money,
    /// What the token knows it by.
    pub nonce: B256,
    /// It counts before this time, in Unix seconds.
    pub valid_before_s: u64,
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// Who has to say that it is the payer's.
    pub signer: Signer,
}

/// Who says that a signature is the payer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The payer's key made it. Nobody else needs to be asked.
    Key,
    /// The payer's key did not make it. If the payer is a contract (EIP-1271), that may say yes.
    Contract {
        /// What is signed.
        hash: [u8; 32],
    },
}

/// All checks that need no chain, in this order, up to the first that fails. Version, scheme,
/// network and the form of the payload were checked when the payment was read.
///
/// 1. the network is one of those asked for;
/// 2. version 2: `accepted` is one of `requirements`;
/// 3. the money goes to us;
/// 4. the amount is exactly that of the requirements; in version 1, of any on that network;
/// 5. at least [`TIME_LEFT_SECONDS_MIN`] are left, and at most [`TIME_LEFT_SECONDS_MAX`];
/// 6. the time has come;
/// 7. the signature is one that the token takes, and is by the payer's key or may be by its contract.
///
/// # Errors
/// [`Refusal`], one variant a check.
pub fn verify(
    payment: &Payment,
    requirements: &[Requirements],
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let authorization = &payment.authorization;
    let requirements = choose(payment, requirements)?;
    check_time(authorization, now)?;
    let network = payment.network;
    let signer = signer(authorization, network, &payment.signature)?;
    Ok(Verified {
        id: payment.id(),
        version: payment.version,
        network,
        asset: network.usdc.address,
        payer: authorization.from,
        pay_to: requirements.pay_to,
        amount: requirements.amount,
        nonce: authorization.nonce,
        valid_before_s: seconds(authorization.valid_before),
        signature: payment.signature.clone(),
        signer,
    })
}

impl Payment {
    /// Whether the payer's key made the signature, whatever it is for.
    #[must_use]
    pub fn is_signed_by_key(&self) -> bool {
        signer(&self.authorization, self.network, &self.signature) == Ok(Signer::Key)
    }
}

/// Checks 1 to 4: which of the requirements does it meet?
fn choose<'a>(
    payment: &Payment,
    requirements: &'a [Requirements],
) -> Result<&'a Requirements, Refusal> {
    let here = requirements.iter().filter(|it| it.network == payment.network);
    let mut candidates: Vec<_> = here.collect();
    if candidates.is_empty() {
        return Err(Refusal::Network);
    }
    if let Some(accepted) = &payment.accepted {
        candidates.retain(|it| it.are(accepted));
        if candidates.is_empty() {
            return Err(Refusal::Requirements);
        }
    }
    let Authorization { to, value, .. } = payment.authorization;
    candidates.retain(|it| it.pay_to == to);
    if candidates.is_empty() {
        return Err(Refusal::Recipient);
    }
    let mut candidates = candidates.into_iter();
    candidates.find(|it| U256::from(it.amount.micros()) == value).ok_or(Refusal::Value)
}

/// Checks 5 and 6: can it be settled now?
fn check_time(authorization: &Authorization, now: Timestamp) -> Result<(), Refusal> {
    let now_s = u64::try_from(now.unix_s()).unwrap_or_default();
    let settled_by = U256::from(now_s.saturating_add(TIME_LEFT_SECONDS_MIN));
    let ends_by = U256::from(now_s.saturating_add(TIME_LEFT_SECONDS_MAX));
    if authorization.valid_before < settled_by || ends_by < authorization.valid_before {
        return Err(Refusal::Expired);
    }
    if U256::from(now_s) < authorization.valid_after {
        return Err(Refusal::NotYetValid);
    }
    Ok(())
}

/// Check 7: who signed?
fn signer(
    authorization: &Authorization,
    network: &Network,
    signature: &[u8],
) -> Result<Signer, SignatureFlaw> {
    if signature.ends_with(&WRAPPING) {
        return Err(SignatureFlaw::Wrapped);
    }
    let hash = authorization.hash(network);
    let len_bytes = signature.len();
    if SIGNATURE_LEN_BYTES < len_bytes {
        return Ok(Signer::Contract { hash });
    }
    let parsed: Signature = hex::encode_prefixed(signature).parse()?;
    if let Some(0 | 1) = signature.last() {
        return Err(SignatureFlaw::RecoveryByte);
    }
    match evm::recover(&hash, &parsed) {
        Ok(address) if address == authorization.from => Ok(Signer::Key),
        // A contract's owner has a key of its own.
        Ok(_) | Err(SignatureError::NoKey) => Ok(Signer::Contract { hash }),
        Err(error) => Err(error.into()),
    }
}

fn seconds(time: U256) -> u64 {
    u64::try_from(time).unwrap_or(u64::MAX)
}
