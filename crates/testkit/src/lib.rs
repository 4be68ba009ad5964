//! What tests need: the records on a real SQLite, a world whose clock stands still, wallets that
//! sign, and a client that calls the routers without a server.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod client;
mod database;
pub mod dns;
pub mod payments;
mod platform;
mod wallet;

pub use client::{ADMIN_KEY, Answer, CRON_KEY, Client};
pub use database::TestDatabase;
pub use platform::TestPlatform;
pub use wallet::TestWallet;
