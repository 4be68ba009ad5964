//! The crate from outside: tables over scripted facilitators, and messages with signatures.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy.toml cannot say")]

mod answers;
mod facilitators;
mod hints;
mod tokens;
mod turns;
mod webhooks;
mod world;
