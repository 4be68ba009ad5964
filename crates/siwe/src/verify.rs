//! Does this message sign somebody in here and now?

use alloy_primitives::Address;
use evm::{Signature, SignatureError};
use iri_string::types::UriStr;
use time::{Duration, OffsetDateTime};

use crate::{Fields, Message, Origin, ParseError, signature::eip191_hash};

/// How far, in seconds, the clock of the one who made the message may be ahead of ours.
pub const ISSUED_AT_LEEWAY_SECONDS: i64 = 60;

/// What a message must say to be meant for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Our authority as browsers write it: lower case, no default port. `localhost:3000`.
    pub domain: String,
    /// Our origin. `http://localhost:3000`.
    pub origin: Origin,
    /// The chains a session may be bound to. Empty: any.
    pub chain_ids: Vec<u64>,
}

/// Why a message does not sign anybody in. In the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The text does not follow the grammar of EIP-4361, version 1.
    #[error("this is not a sign-in message")]
    Malformed(#[from] ParseError),
    /// The domain is not ours.
    #[error("the message is for another domain, {found:?}")]
    WrongDomain {
        /// The domain of the message.
        found: String,
    },
    /// The origin of the URI is not ours.
    #[error("the message is for another origin, that of {found:?}")]
    WrongUri {
        /// The URI of the message.
        found: String,
    },
    /// There is a scheme before the domain, and it is not ours.
    #[error("the message is for another scheme, {found:?}")]
    WrongScheme {
        /// The scheme of the message.
        found: String,
    },
    /// The chain is none of those allowed.
    #[error("sign-in is not possible for chain {chain_id}")]
    ChainNotAllowed {
        /// The chain of the message.
        chain_id: u64,
    },
    /// The nonce is not one of ours, or too old.
    #[error("the nonce is not one that was given out lately")]
    NonceUnknown,
    /// The message was made in the future.
    #[error("the message was issued in the future")]
    IssuedInFuture,
    /// The expiration time has come.
    #[error("the message has expired")]
    Expired,
    /// The not-before time has not come.
    #[error("the message is not valid yet")]
    NotYetValid,
    /// The signature is not one, or not that of the address in the message.
    #[error("the signature does not prove that the address signed this")]
    BadSignature(#[from] SignatureError),
}

/// A message for us, valid now, of which nobody knows yet whether its address signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is proven until the signature is verified"]
pub struct Checked {
    message: Message,
    hash: [u8; 32],
}

/// A message for us, valid at the time of the check, that the key of its address signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified(Message);

/// All checks, in this order, up to the first that fails:
///
/// 1. the grammar of EIP-4361 on the raw text, which has the version in it;
/// 2. the domain is ours, byte for byte;
/// 3. the origin of the URI is ours;
/// 4. the scheme, if there is one, is ours;
/// 5. the chain is allowed;
/// 6. `nonce_is_ours` says so: we made the nonce, and it has not expired. Claim it only after this
///    function has returned `Ok`, so that it is used up by nobody but a wallet that signs in;
/// 7. issued-at is at most [`ISSUED_AT_LEEWAY_SECONDS`] ahead of `now`;
/// 8. `now` is before the expiration time, if there is one;
/// 9. `now` is not before the not-before time, if there is one;
/// 10. the signature is a sound one, by the key of the address in the message.
///
/// # Errors
/// [`VerifyError`], one variant a check.
pub fn verify(
    raw: &str,
    signature: &str,
    expected: &Expected,
    now: OffsetDateTime,
    nonce_is_ours: impl FnOnce(&str) -> bool,
) -> Result<Verified, VerifyError> {
    let checked = check(raw, expected, now, nonce_is_ours)?;
    Ok(checked.signed_by_key(signature)?)
}

/// The checks 1 to 9 of [`verify`]: all but the signature.
///
/// # Errors
/// [`VerifyError`], but never [`VerifyError::BadSignature`].
pub fn check(
    raw: &str,
    expected: &Expected,
    now: OffsetDateTime,
    nonce_is_ours: impl FnOnce(&str) -> bool,
) -> Result<Checked, VerifyError> {
    let message: Message = raw.parse()?;
    check_place(message.fields(), expected)?;
    if !nonce_is_ours(&message.fields().nonce) {
        return Err(VerifyError::NonceUnknown);
    }
    check_time(message.fields(), now)?;
    Ok(Checked { message, hash: eip191_hash(raw) })
}

impl Checked {
    /// The message. Not proven to be by its address.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// What the wallet signed: [`eip191_hash`] of the raw text.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Check 10 of [`verify`]: the key of the address signed the raw text.
    ///
    /// # Errors
    /// [`SignatureError`]. The address may still be a contract's, which has no key and signs in
    /// ways that this crate does not judge.
    pub fn signed_by_key(&self, signature: &str) -> Result<Verified, SignatureError> {
        let signature: Signature = signature.parse()?;
        let signer = evm::recover(&self.hash, &signature)?;
        if signer != self.message.fields().address {
            return Err(SignatureError::WrongSigner);
        }
        Ok(Verified(self.message.clone()))
    }

    /// Check 10 of [`verify`] for a contract wallet, which the caller has made: the contract at the
    /// address, asked on the chain of the message, takes the signature of [`Self::hash`] for its own.
    ///
    /// Source: EIP-1271, EIP-6492.
    #[must_use]
    pub fn signed_by_contract(self) -> Verified {
        Verified(self.message)
    }
}

impl Verified {
    /// Who signed in.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.0.fields().address
    }

    /// All that was signed.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.0
    }
}

/// Checks 2 to 5: made for us?
fn check_place(fields: &Fields, expected: &Expected) -> Result<(), VerifyError> {
    if fields.domain != expected.domain {
        return Err(VerifyError::WrongDomain { found: fields.domain.clone() });
    }
    let origin = UriStr::new(&fields.uri).ok().and_then(Origin::of_uri);
    if origin.as_ref() != Some(&expected.origin) {
        return Err(VerifyError::WrongUri { found: fields.uri.clone() });
    }
    if let Some(scheme) = &fields.scheme
        && !scheme.eq_ignore_ascii_case(expected.origin.scheme())
    {
        return Err(VerifyError::WrongScheme { found: scheme.clone() });
    }
    if !expected.chain_ids.is_empty() && !expected.chain_ids.contains(&fields.chain_id) {
        return Err(VerifyError::ChainNotAllowed { chain_id: fields.chain_id });
    }
    Ok(())
}

/// Checks 7 to 9: valid now?
fn check_time(fields: &Fields, now: OffsetDateTime) -> Result<(), VerifyError> {
    let leeway = Duration::seconds(ISSUED_AT_LEEWAY_SECONDS);
    if now < fields.issued_at.saturating_sub(leeway) {
        return Err(VerifyError::IssuedInFuture);
    }
    if fields.expiration_time.is_some_and(|it| it <= now) {
        return Err(VerifyError::Expired);
    }
    if fields.not_before.is_some_and(|it| now < it) {
        return Err(VerifyError::NotYetValid);
    }
    Ok(())
}
