//! x402: what a request costs, said so that both versions of the protocol understand it, and
//! whether a payment that came with a request is the one that was asked for.
//!
//! - [`Terms`] become a [`Challenge`]; headers become a [`Payment`]; [`verify`] says whether it
//!   pays; [`Terms::settle_request`] is what a facilitator is asked; [`Settled`] what is answered.
//! - [`advance`] has the rules of a payment's life.
//!
//! Scheme `exact` with EIP-3009 on EVM networks, in USDC. Nothing here does I/O or reads a clock.
//!
//! Source: the x402 specification, versions 1 and 2; EIP-712, EIP-3009.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod authorization;
mod challenge;
mod decode;
mod extensions;
mod fields;
mod id;
mod identifier;
mod malformed;
mod network;
mod offer;
mod payment;
mod receipt;
mod refusal;
mod requirements;
mod response;
mod settle_request;
mod state;
mod terms;
mod verify;
mod version;

pub use authorization::Authorization;
pub use challenge::{Challenge, HEADER_LEN_BYTES_MAX};
pub use decode::{DecodeError, Decoded};
pub use domain::PaymentId;
pub use id::payment_id;
pub use identifier::{Identifier, IdentifierError};
pub use malformed::{Malformed, PAYMENT_LEN_BYTES_MAX};
pub use network::{Asset, Network};
pub use payment::Payment;
pub use receipt::Receipt;
pub use refusal::{NONCE_USED, Refusal, SignatureFlaw};
pub use requirements::{Requirements, Resource, TIMEOUT_SECONDS_MAX};
pub use response::{Settled, refused_header};
pub use state::{Effect, PaymentEvent, PaymentState, Transition, advance};
pub use terms::Terms;
pub use verify::{Signer, TIME_LEFT_SECONDS_MAX, TIME_LEFT_SECONDS_MIN, Verified, verify};
pub use version::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, Version, X_PAYMENT, X_PAYMENT_RESPONSE,
};
