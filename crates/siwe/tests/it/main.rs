//! The crate from outside: public vectors, tables and properties.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy.toml cannot say")]

mod common;
mod parsing;
mod properties;
mod signatures;
mod verification;
