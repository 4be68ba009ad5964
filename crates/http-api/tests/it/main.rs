//! The routes, called as the manifest lays them out, over real SQLite.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod auth;
mod billing;
mod common;
mod contact;
mod contract_wallets;
mod credentials;
mod domains;
mod fleet;
mod gate;
mod keys;
mod limits;
mod operator;
mod payments;
mod pipeline;
mod proxies;
mod readings;
mod shop;
mod spaces;
mod till;
mod updates;
