//! The routes, called as the manifest lays them out, over real SQLite.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod auth;
mod common;
mod contract_wallets;
mod credentials;
mod domains;
mod fleet;
mod gate;
mod keys;
mod limits;
mod payments;
mod pipeline;
mod proxies;
mod readings;
mod spaces;
mod till;
mod updates;
