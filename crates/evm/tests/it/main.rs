//! The crate from outside: tables over scripted nodes, and programs on a real machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy.toml cannot say")]

mod answers;
mod breaker;
mod chain;
mod endpoints;
mod fail_over;
mod machine;
mod payments;
mod vectors;
mod wallets;
mod world;
mod wrapped;
