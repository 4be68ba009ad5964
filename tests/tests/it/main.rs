//! The product from outside: see `docs/TESTING.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod bad_input;
mod cli;
mod crashes;
mod edge;
mod failures;
mod isolation;
mod main_job;
mod sessions;
