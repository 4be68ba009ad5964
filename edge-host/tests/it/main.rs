//! The embedded edge, driven over HTTP, with components that do what a test asks for.

mod cron;
mod http;
mod limits;
mod middleware;
mod outbound;
mod standalone;
mod start;
mod stores;
mod support;
