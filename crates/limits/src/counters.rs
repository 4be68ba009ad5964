//! Taking a token from a store that can only count.

use std::future::Future;

use domain::Timestamp;

use crate::{Allowance, Level, Subject, tokens::Tokens};

/// The port to a store of counters that several instances share.
pub trait Counters: Sync {
    /// Why the store could not be asked.
    type Error;

    /// Claims `key`, by an atomic increment: true for the first of all who ever ask.
    fn claim(&self, key: &str) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Whether `key` was claimed.
    fn exists(&self, key: &str) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

/// What became of asking for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The request may be made; this is left.
    Granted(Level),
    /// It may not be made before [`Level::next_in`].
    Limited(Level),
}

/// Whether nothing is left of `subject`'s bucket under the limit `name`. Takes nothing.
///
/// # Errors
/// Whatever the store fails with.
pub async fn is_spent<C: Counters>(
    counters: &C,
    name: &str,
    allowance: Allowance,
    subject: &Subject,
    now: Timestamp,
) -> Result<bool, C::Error> {
    let tokens = Tokens::at(name, allowance, subject, now);
    counters.exists(&tokens.key(tokens.newest)).await
}

/// Takes a token of `subject` under the limit `name` (lower-case letters and `-`), if one is left.
///
/// The oldest is taken first, so the taken ones are the first of those that live, and the first
/// free one is found by halving. It takes one call of the store if the bucket is full, two if it is
/// empty, and else about log2 of what the bucket holds; one more for each token that somebody else
/// takes meanwhile.
///
/// # Errors
/// Whatever the store fails with; a token may have been taken then.
pub async fn take<C: Counters>(
    counters: &C,
    name: &str,
    allowance: Allowance,
    subject: &Subject,
    now: Timestamp,
) -> Result<Taken, C::Error> {
    let tokens = Tokens::at(name, allowance, subject, now);
    let (oldest, newest) = (tokens.oldest, tokens.newest);
    if counters.claim(&tokens.key(oldest)).await? {
        return Ok(Taken::Granted(tokens.level(oldest)));
    }
    if counters.exists(&tokens.key(newest)).await? {
        return Ok(Taken::Limited(tokens.level(newest)));
    }
    let (mut taken, mut free) = (oldest, newest);
    while taken + 1 < free {
        let middle = u128::midpoint(taken, free);
        if counters.exists(&tokens.key(middle)).await? {
            taken = middle;
        } else {
            free = middle;
        }
    }
    for token in free..=newest {
        if counters.claim(&tokens.key(token)).await? {
            return Ok(Taken::Granted(tokens.level(token)));
        }
    }
    Ok(Taken::Limited(tokens.level(newest)))
}
