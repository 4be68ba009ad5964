//! Bills in the records: what follows from what happened, what the audit finds of faults that were put
//! there, and what happens without money.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod audit;
mod dunning;
mod recompute;
#[path = "../ledger/scene.rs"]
#[expect(dead_code, reason = "the tests of the ledger use the rest")]
mod scene;
mod simulate;
mod world;
