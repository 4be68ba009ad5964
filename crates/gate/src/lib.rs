//! The gate: which wallets a community lets in, and a middleware that lets a request through with
//! a passport, or answers itself.
//!
//! - [`Policy`] is what is asked for, [`Policy::reads`] what has to be read of chains for it,
//!   [`Statement`] what an issuer says of a balance that is on no chain, and [`judge`] the verdict.
//!   Nothing of it does I/O or reads a clock.
//! - [`GateLayer`] asks a [`Guard`] and makes sure of the way: a passport that came from outside
//!   never reaches the handler, and a refused request doesn't either.
//!
//! Source: ERC-20, ERC-721, ERC-1155, EIP-712.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod amount;
mod header;
mod judge;
mod layer;
mod ledger;
mod one_line;
mod policy;
mod policy_error;
mod reads;
mod statement;
mod verdict;
mod wire;

pub use amount::{Amount, AmountError, Decimals, DecimalsError};
pub use header::{StatementError, StatementFlaw};
pub use judge::judge;
pub use layer::{Admission, Gate, GateLayer, Guard, WALLET_HEADER};
pub use ledger::{Ledger, LedgerError};
pub use policy::{Kind, Mode, Policy};
pub use policy_error::{PolicyError, PolicyFlaw};
pub use reads::{Read, Readings};
pub use statement::Statement;
pub use verdict::{Outcome, RuleVerdict, Verdict};
