//! The crate from outside: captured exchanges, tables and properties.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy.toml cannot say")]

mod answers;
mod captured;
mod challenges;
mod common;
mod decoding;
mod life;
mod matrix;
mod properties;
mod states;
mod verification;
