//! What the rest needs to know of Ethereum and its like: whose a signature is, be it a key's or a
//! contract's, and what contracts answer.
//!
//! Nothing here opens a socket or reads a clock: [`Network`] is the port.
//!
//! Source: EIP-191, EIP-2, EIP-1271, EIP-6492; the execution API of Ethereum's nodes.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod breaker;
mod chains;
mod endpoint;
mod endpoints;
mod failure;
mod network;
mod program;
mod revert;
mod rpc;
mod signature;
mod wallet;

pub use breaker::{BREAKER_KEY_PREFIX, is_breaker_stale};
pub use chains::Chains;
pub use endpoint::UrlError;
pub use endpoints::{Endpoints, EndpointsError};
pub use failure::{Attempt, Failure, Unavailable};
pub use network::{Limits, Network, Reply, SendError, StoreError};
pub use rpc::{Call, Outcome};
pub use signature::{Signature, SignatureError, address_of, recover, sign};
pub use wallet::{SIGNATURE_LEN_BYTES_MAX, is_signed_by_contract};
