//! Whose money is where: accounts, and the rules of moving it.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod account;
mod book;
mod totals;
mod transfer;

pub use account::{Account, AccountError};
pub use book::{Balance, Ledger};
pub use transfer::{EndError, HoldEnd, Kind, Recorded, Transfer, TransferError};
