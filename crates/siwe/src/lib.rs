//! Sign-In with Ethereum (EIP-4361): read a message, judge whether it signs somebody in, write one.
//!
//! Nothing here does I/O or reads a clock: the time and what is expected come in as arguments, and
//! the text that was signed is the text that is verified, never a re-serialised copy of it.
//!
//! - [`verify`] does everything for a wallet that is a key pair. [`check`] stops before the
//!   signature, for a caller that judges signatures otherwise (contract wallets).
//! - [`Fields`], [`Message`] and [`sign`] are the client's side.
//!
//! Source: EIP-4361, EIP-191, EIP-55, EIP-2, RFC 3986, RFC 3339.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod fields;
mod message;
mod origin;
mod parse;
mod signature;
mod timestamp;
mod verify;

pub use fields::{FieldError, Fields};
pub use message::Message;
pub use origin::{Origin, OriginError};
pub use parse::ParseError;
pub use signature::{eip191_hash, recover, sign};
pub use timestamp::TimestampError;
pub use verify::{
    Checked, Expected, ISSUED_AT_LEEWAY_SECONDS, Verified, VerifyError, check, verify,
};
