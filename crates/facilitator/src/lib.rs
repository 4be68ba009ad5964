//! Facilitators of x402: who puts a signed payment on a chain for us, what they answer, and what
//! they tell us of their own accord.
//!
//! - [`settle`] asks one facilitator after the other, as long as it is certain that none of them
//!   has the payment.
//! - [`verify_webhook`] says whether a message is from somebody who knows our secret, and what it
//!   is about. It is a hint where to look, never a proof of a payment.
//!
//! Nothing here opens a socket or reads a clock: [`evm::Network`] is the port.
//!
//! Source: x402 specification, version 2 and 1, `POST /settle`; RFC 7515, RFC 8037; Standard
//! Webhooks; the documentation of Coinbase's, `OpenFacilitator`'s and Silverback's webhooks.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod answer;
mod cdp;
mod credentials;
mod error;
mod facilitators;
mod hint;
mod one_line;
mod settle;
mod signature;
mod webhook;

pub use answer::Answer;
pub use error::{CredentialsError, FacilitatorsError};
pub use facilitators::Facilitators;
pub use hint::Hint;
pub use settle::{SettleRequest, settle};
pub use webhook::{WebhookError, WebhookSecrets, WebhookSecretsError, verify_webhook};
