//! Money in the records: what the schema refuses, and what becomes of payments, spaces and balances.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod audit;
mod balances;
mod model;
mod payments;
mod scene;
mod schema;
mod serving;
mod spaces;
mod turns;
