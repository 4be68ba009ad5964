//! What the rest needs to know of Ethereum and its like: whose a signature is, be it a key's or a
//! contract's, what contracts answer, and whether a payment has been made.
//!
//! Nothing here opens a socket or reads a clock: [`Network`] is the port.
//!
//! Source: EIP-191, EIP-2, EIP-1271, EIP-3009, EIP-6492; the execution API of Ethereum's nodes.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod breaker;
mod call;
mod chain_data;
mod chains;
pub mod eip3009;
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
pub use call::{Call, Outcome};
pub use chains::Chains;
pub use endpoint::{Endpoint, UrlError};
pub use endpoints::{Endpoints, EndpointsError};
pub use failure::{Attempt, Failure, Unavailable};
pub use network::{Limits, Network, Reply, SendError, StoreError};
pub use signature::{Signature, SignatureError, address_of, recover, sign};
pub use wallet::{SIGNATURE_LEN_BYTES_MAX, is_signed_by_contract};
