//! The product from outside: see `docs/TESTING.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod attestations;
mod audit;
mod bad_input;
mod bad_rpc;
mod billing_kills;
mod billing_month;
mod caddy;
mod cli;
mod contract_wallets;
mod crashes;
mod custom_domains;
mod dev_payments;
mod edge;
mod failures;
mod gate;
mod isolation;
mod isolation_table;
mod keys;
mod limits;
mod main_job;
mod metering;
mod monitoring;
mod paid_kills;
mod payments;
mod payments_facilitators;
mod payments_refused;
mod payments_webhooks;
mod postiz;
mod postiz_scene;
mod postiz_shared;
mod sessions;
mod settings;
mod shared_services;
mod shop;
mod sign_in;
mod traces;
mod traefik;
mod updates;
