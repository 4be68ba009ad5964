//! What a facilitator's answer means.
//!
//! What is not plainly a yes or a no is taken for neither: the chain knows.

use alloy_primitives::{Address, B256};
use evm::{Reply, SendError};
use serde::Deserialize;

use crate::{SettleRequest, one_line::one_line};

/// What came of asking to settle a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The payment is on the chain.
    Settled {
        /// In this transaction.
        transaction: B256,
    },
    /// It will not be brought there by this facilitator, as it is now.
    Refused {
        /// What is wrong with it, in the words of the facilitator: one line of at most 200
        /// characters.
        reason: String,
        /// The same for people, if the facilitator says so.
        message: Option<String>,
    },
    /// The payer's nonce has been used, for this payment or for another one. The chain knows.
    NonceUsed,
    /// It may be on its way to the chain. The chain will know.
    Pending {
        /// In this transaction, says the facilitator.
        transaction: Option<B256>,
    },
    /// It is certain that no facilitator has looked at it.
    NotAsked {
        /// What each of them said, in one line, for the log.
        why: Vec<String>,
    },
}

/// What one facilitator did.
pub(crate) enum Heard {
    /// It has looked at the payment, or may have.
    Answer(Answer),
    /// It is certain that it has not, and this is why.
    NotLookedAt(String),
}

/// The answer of a facilitator, as far as it has this form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settlement {
    success: bool,
    /// One facilitator writes it in snake case.
    #[serde(alias = "error_reason")]
    error_reason: Option<String>,
    #[serde(alias = "error_message")]
    error_message: Option<String>,
    transaction: Option<String>,
    network: Option<String>,
    payer: Option<String>,
}

/// What stands in a reason that leaves open what became of the payment: it was sent and nobody
/// waited for the end, or something broke, perhaps after it was sent.
#[rustfmt::skip]
const DOUBTFUL: [&str; 6] =
    ["pending", "timed_out", "timed out", "timeout", "unexpected", "node_failure"];

/// What stands in the reason if the transaction there is failed.
const FAILED: [&str; 4] = ["transaction_failed", "failed_onchain", "reverted", "transaction_state"];

/// The longest text of a facilitator that is kept, in characters.
const TEXT_LEN_MAX: usize = 200;

/// Reads what came back.
pub(crate) fn read(reply: Result<Reply, SendError>, request: &SettleRequest<'_>) -> Heard {
    let Reply { status, body } = match reply {
        Ok(reply) => reply,
        Err(SendError::NotSent(why)) => return Heard::NotLookedAt(format!("not sent: {why}")),
        Err(_) => return Heard::Answer(Answer::Pending { transaction: None }),
    };
    let settlement = serde_json::from_slice::<Settlement>(&body).ok();
    match settlement {
        Some(it) if it.success || it.transaction().is_some() => Heard::Answer(it.read(request)),
        _ if matches!(status, 300..=399 | 401 | 403 | 404 | 405 | 429) => {
            Heard::NotLookedAt(format!("status {status}"))
        }
        Some(it) => Heard::Answer(it.read(request)),
        None => Heard::Answer(Answer::Pending { transaction: None }),
    }
}

impl Settlement {
    fn read(self, request: &SettleRequest<'_>) -> Answer {
        let transaction = self.transaction();
        if self.success {
            return match transaction {
                Some(transaction) if self.is_about(request) => Answer::Settled { transaction },
                _ => Answer::Pending { transaction },
            };
        }
        let reason = self.error_reason.unwrap_or_default();
        let says = |marks: &[&str]| marks.iter().any(|mark| reason.contains(mark));
        if says(&["nonce_already_used"]) {
            return Answer::NonceUsed;
        }
        let is_plain = transaction.is_none() || says(&FAILED);
        if reason.is_empty() || says(&DOUBTFUL) || !is_plain {
            return Answer::Pending { transaction };
        }
        Answer::Refused {
            reason: one_line(&reason, TEXT_LEN_MAX),
            message: self.error_message.map(|it| one_line(&it, TEXT_LEN_MAX)),
        }
    }

    fn transaction(&self) -> Option<B256> {
        let text = self.transaction.as_deref().filter(|it| it.starts_with("0x"));
        text.and_then(|it| it.parse().ok())
    }

    /// Whether the network and, if there is one, the payer are those of the payment.
    fn is_about(&self, request: &SettleRequest<'_>) -> bool {
        let is_payer = |it: &str| it.parse::<Address>().is_ok_and(|it| it == request.payer);
        self.network.as_deref().is_some_and(|it| request.networks.contains(&it))
            && self.payer.as_deref().is_none_or(is_payer)
    }
}
