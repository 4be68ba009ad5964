//! What a message of a facilitator is about.
//!
//! There is no form that facilitators agree on, so what matters is looked for by the names that it
//! has with one of them, wherever it stands. Whoever takes the hint asks the chain.

use alloy_primitives::{Address, B256};
use domain::Timestamp;
use serde::Deserialize as _;
use serde_json::Value;

use crate::one_line::one_line;

/// Where to look for a payment that somebody says has been made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// What is said to have happened, in one line of at most 100 characters; empty if that is not
    /// said.
    pub event: String,
    /// The transaction.
    pub transaction: Option<B256>,
    /// The network, by the name that it has with whoever says so.
    pub network: Option<String>,
    /// Who paid.
    pub payer: Option<Address>,
    /// The payer's number of the payment.
    pub nonce: Option<B256>,
}

const EVENT: [&str; 4] = ["event", "eventType", "event_type", "type"];
const TRANSACTION: [&str; 6] =
    ["transactionHash", "transaction_hash", "txHash", "tx_hash", "transaction", "hash"];
const NETWORK: [&str; 1] = ["network"];
const PAYER: [&str; 4] = ["payer", "fromAddress", "from_address", "from"];
const NONCE: [&str; 1] = ["nonce"];
const SENT_AT: [&str; 4] = ["timestamp", "createdAt", "created_at", "sentAt"];

/// The longest text that is kept, in characters.
const TEXT_LEN_MAX: usize = 100;

/// A time in seconds is below this, one in milliseconds is not: it is in the year 5138 or 1973.
const SECONDS_MAX: i64 = 100_000_000_000;

impl Hint {
    /// Reads the body of a message, and when that says it was sent. `None` if it is not a JSON
    /// object.
    pub(crate) fn read(body: &[u8]) -> Option<(Self, Option<Timestamp>)> {
        let body: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
        let hint = Self {
            event: find(&body, &EVENT, text).unwrap_or_default(),
            transaction: find(&body, &TRANSACTION, word),
            network: find(&body, &NETWORK, text),
            payer: find(&body, &PAYER, |it| it.as_str()?.parse().ok()),
            nonce: find(&body, &NONCE, word),
        };
        Some((hint, find(&body, &SENT_AT, time)))
    }
}

/// The first value of one of these names that can be read, of those that are the least deep.
fn find<T>(body: &Value, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let mut level = vec![body];
    while !level.is_empty() {
        let mut values =
            names.iter().flat_map(|name| level.iter().filter_map(move |it| it.get(*name)));
        if let Some(found) = values.find_map(&read) {
            return Some(found);
        }
        level = level.into_iter().flat_map(children).collect();
    }
    None
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(|it| one_line(it, TEXT_LEN_MAX))
}

/// 32 bytes in hex.
fn word(value: &Value) -> Option<B256> {
    value.as_str().filter(|it| it.starts_with("0x")).and_then(|it| it.parse().ok())
}

/// RFC 3339, or Unix seconds or milliseconds as a number.
fn time(value: &Value) -> Option<Timestamp> {
    match value.as_i64() {
        Some(number) if number < SECONDS_MAX => {
            Some(Timestamp::from_unix_ms(number.saturating_mul(1000)))
        }
        Some(number) => Some(Timestamp::from_unix_ms(number)),
        None => Timestamp::deserialize(value).ok(),
    }
}
