//! The nouns of the product and the rules that hold for them whoever asks.
//!
//! No I/O, no clock, no randomness: time and random bytes come in as arguments.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod custom_domain;
mod generation;
mod hex;
mod id;
mod lifecycle;
mod money;
mod name;
mod payment_id;
mod progress;
mod timestamp;
mod wallet;

pub use custom_domain::{CustomDomain, DomainError};
pub use generation::Generation;
pub use hex::hex;
pub use id::{IdError, RequestId, SpaceId, is_ulid, ulid};
pub use lifecycle::{Desired, IllegalTransition, ObservedState, Phase, PhaseEvent, transition};
pub use money::{Money, MoneyError};
pub use name::{NameError, ReservedNames, SpaceName};
pub use payment_id::PaymentId;
pub use progress::{StepRecord, StepState};
pub use timestamp::Timestamp;
pub use wallet::{Wallet, WalletError};
