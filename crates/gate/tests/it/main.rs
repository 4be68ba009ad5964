//! The crate from outside: tables, properties, and vectors made by somebody else's code.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy.toml cannot say")]

mod amounts;
mod common;
mod headers;
mod policies;
mod properties;
mod reads;
mod statements;
mod verdicts;
