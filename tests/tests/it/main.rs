//! The product from outside: see `docs/TESTING.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod attestations;
mod bad_input;
mod bad_rpc;
mod cli;
mod contract_wallets;
mod crashes;
mod edge;
mod failures;
mod gate;
mod isolation;
mod keys;
mod limits;
mod main_job;
mod sessions;
mod settings;
mod sign_in;
