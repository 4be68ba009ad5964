//! Being paid: what a handler asks for becomes a challenge, what is paid becomes money in the books.

pub(crate) mod bazaar;
mod challenge;
mod in_place;
mod kept;
mod layer;
mod quote;
mod receipt;
mod resolve;
mod settle;
mod visit;

pub use layer::{Till, TillLayer};
pub(crate) use quote::Quote;
pub(crate) use receipt::{goes_in_again, payment_of};
pub(crate) use resolve::resolve;
