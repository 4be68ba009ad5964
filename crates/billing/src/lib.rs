//! What things cost, and what happens to those who have no money left.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod dunning;
mod meter;
mod month;
mod periods;
mod rates;

pub use dunning::{DunningPolicy, DunningStep, MoneyStanding, SuspendedBy, Suspension, next_step};
pub use meter::{KIB_OF_GIB, Meter, storage_quantity};
pub use month::{Month, MonthError};
pub use periods::{Period, Valid, base_quantity};
pub use rates::{FirstMonth, Rates};
