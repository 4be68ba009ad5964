//! How many requests a caller may make, as token buckets.
//!
//! No I/O, no clock: what was taken comes in as a list of times, or through the port [`Counters`].

mod allowance;
mod counters;
mod header;
mod level;
mod subject;
mod tokens;

pub use allowance::Allowance;
pub use counters::{Counters, Taken, is_spent, take};
pub use header::{Standing, policy_header, standing_header};
pub use level::Level;
pub use subject::Subject;
pub use tokens::{KEY_KIND, dies_at};
