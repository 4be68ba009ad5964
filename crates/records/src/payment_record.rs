//! Payments as they are kept.

use std::time::Duration;

use domain::{Money, PaymentId, Timestamp, Wallet};
use ledger::Account;
use x402::PaymentState;

use crate::database::{DatabaseError, Row};

/// How long after an unclear answer a payment is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// A payment that was checked, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    /// Its id.
    pub id: PaymentId,
    /// The version of x402 that it came in.
    pub version: u8,
    /// The chain of its network.
    pub chain_id: u64,
    /// The token's contract.
    pub asset: Wallet,
    /// Who pays.
    pub payer: Wallet,
    /// The authorization's nonce: `0x` and 64 hexadecimal digits.
    pub nonce: String,
    /// Who is paid.
    pub pay_to: Wallet,
    /// How much.
    pub amount: Money,
    /// From when on it can't be settled any more, in Unix seconds.
    pub valid_before_s: u64,
    /// What a facilitator is asked: JSON.
    pub question: String,
    /// Where the money goes.
    pub account: Account,
    /// How the payer named the purchase, if it did.
    pub identifier: Option<String>,
    /// SHA-256, in hexadecimal, of what is paid for.
    pub fingerprint: String,
}

/// What is known of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// What it is and what it is for.
    pub payment: NewPayment,
    /// How far it is.
    pub state: PaymentState,
    /// Why it was refused, in x402's words.
    pub reason: Option<String>,
    /// The transaction that settled it, or that may: `0x` and 64 hexadecimal digits.
    pub transaction: Option<String>,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}

impl PaymentRecord {
    /// Whether an unclear answer came just now, so that it is left alone for a moment.
    pub(crate) fn is_paused(&self, now: Timestamp) -> bool {
        self.state == PaymentState::Unknown && now < self.updated_at.plus(PAUSE)
    }

    /// The name of its state.
    #[must_use]
    pub const fn state_name(&self) -> &'static str {
        name_of(self.state)
    }
}

/// The name of a state in the records and to clients.
pub(crate) const fn name_of(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Settling { .. } => "settling",
        PaymentState::Unknown => "unknown",
        PaymentState::Refused => "refused",
        PaymentState::Settled => "settled",
    }
}

pub(crate) const SELECT: &str = "SELECT id, version, chain_id, asset, payer, nonce, pay_to, amount, \
    valid_before, question, account, identifier, fingerprint, state, reason, transaction_hash, \
    created_at, updated_at, lease_until, is_in_doubt FROM payments";

/// Reads a row of [`SELECT`].
pub(crate) fn record(row: &Row) -> Result<PaymentRecord, DatabaseError> {
    read(row)
        .ok_or_else(|| DatabaseError(format!("the row of payment {:?} can't be read", row.text(0))))
}

fn read(row: &Row) -> Option<PaymentRecord> {
    Some(PaymentRecord {
        payment: NewPayment {
            id: row.text(0).parse().ok()?,
            version: u8::try_from(row.integer(1)).ok()?,
            chain_id: row.unsigned(2),
            asset: row.text(3).parse().ok()?,
            payer: row.text(4).parse().ok()?,
            nonce: row.text(5).to_owned(),
            pay_to: row.text(6).parse().ok()?,
            amount: Money::from_micros(row.unsigned(7))?,
            valid_before_s: row.unsigned(8),
            question: row.text(9).to_owned(),
            account: row.text(10).parse().ok()?,
            identifier: row.optional_text(11).map(str::to_owned),
            fingerprint: row.text(12).to_owned(),
        },
        state: match row.text(13) {
            "settling" => PaymentState::Settling {
                until: Timestamp::from_unix_ms(row.integer(18)),
                is_in_doubt: row.integer(19) != 0,
            },
            "unknown" => PaymentState::Unknown,
            "refused" => PaymentState::Refused,
            "settled" => PaymentState::Settled,
            _ => return None,
        },
        reason: row.optional_text(14).map(str::to_owned),
        transaction: row.optional_text(15).map(str::to_owned),
        created_at: Timestamp::from_unix_ms(row.integer(16)),
        updated_at: Timestamp::from_unix_ms(row.integer(17)),
    })
}
