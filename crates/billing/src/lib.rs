//! What things cost.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod month;
mod rates;

pub use rates::{FirstMonth, Rates};
