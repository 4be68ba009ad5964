//! Money as clients see it.

use domain::{Money, PaymentId, Timestamp, Wallet};
use ledger::{Account, HoldEnd};
use records::{Entry, PaymentRecord};
use serde::Serialize;

/// A line of an account's ledger as clients see it.
#[derive(Debug, Serialize)]
pub(crate) struct EntryView {
    id: String,
    at: Timestamp,
    kind: &'static str,
    /// `voided` or `expired` on the line that takes back a hold that came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    debit: Account,
    credit: Account,
    /// What it changes of the account, with `-` if it goes away. The sum over all is the balance.
    amount: String,
    payment: Option<PaymentId>,
}

impl EntryView {
    /// How clients see a line of `account`.
    pub(crate) fn of(entry: Entry, account: &Account) -> Self {
        let sign = if entry.debit == *account { "-" } else { "" };
        Self {
            id: entry.id,
            at: entry.at,
            kind: entry.kind.as_str(),
            outcome: entry.outcome.map(HoldEnd::as_str),
            amount: format!("{sign}{}", entry.amount),
            debit: entry.debit,
            credit: entry.credit,
            payment: entry.payment,
        }
    }
}

/// A payment as clients see it.
#[derive(Debug, Serialize)]
pub(crate) struct PaymentView {
    id: PaymentId,
    state: &'static str,
    /// Why it was refused, in x402's words.
    reason: Option<String>,
    network: String,
    asset: Wallet,
    payer: Wallet,
    amount: Money,
    transaction: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<PaymentRecord> for PaymentView {
    fn from(record: PaymentRecord) -> Self {
        let state = record.state_name();
        let payment = record.payment;
        Self {
            id: payment.id,
            state,
            reason: record.reason,
            network: format!("eip155:{}", payment.chain_id),
            asset: payment.asset,
            payer: payment.payer,
            amount: payment.amount,
            transaction: record.transaction,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}
