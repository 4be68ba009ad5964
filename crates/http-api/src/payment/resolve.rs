//! Finding out what became of a payment, and noting it.

use std::time::Duration;

use alloy_primitives::B256;
use domain::PaymentId;
use evm::eip3009::{self, Settlement};
use records::{News, PaymentRecord};
use x402::{NONCE_USED, PaymentEvent, PaymentState, Refusal};

use crate::{Edge, Platform, error::ApiError};

/// How long after the chain had nothing to say it is not asked again by itself: the job comes every
/// minute.
const PERIOD: Duration = Duration::from_secs(50);
/// A payment whose time was over before it was settled.
const EXPIRED: &str = Refusal::Expired.reason();

/// What became of a payment.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The money is in the books.
    Settled(Box<PaymentRecord>),
    /// It was not taken, for this reason in x402's words.
    Refused(String),
    /// Nobody knows yet.
    Pending(PaymentId),
    /// It could not be asked for.
    Unavailable,
    /// Its identifier was used by the payer for another request.
    IdentifierReused,
}

impl Outcome {
    pub(crate) const fn is_settled(&self) -> bool {
        matches!(self, Self::Settled(_))
    }
}

/// What the chain says of a payment. `None` if it does not say for sure, or can't be asked.
///
/// # Errors
/// A store failed.
pub(super) async fn ask_chain<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    hint: Option<B256>,
) -> Result<Option<Outcome>, ApiError> {
    let payment = &record.payment;
    let (network, endpoints) = (&*edge.platform, &edge.config.endpoints);
    if !endpoints.has(payment.chain_id) {
        return Ok(None);
    }
    let known = record.transaction.as_deref().and_then(|it| it.parse().ok());
    let query = eip3009::Query {
        chain_id: payment.chain_id,
        asset: payment.asset.address(),
        from: payment.payer.address(),
        nonce: payment.nonce.parse().map_err(ApiError::internal)?,
        pay_to: payment.pay_to.address(),
        value: payment.amount.micros(),
        since: record.created_at,
        valid_before_s: payment.valid_before_s,
        transaction_hint: hint.or(known),
    };
    let (event, reason, transaction) = match eip3009::settlement(network, endpoints, &query).await {
        Ok(Settlement::Ours { transaction }) => {
            (PaymentEvent::ChainUsedForUs, "", Some(transaction))
        }
        Ok(Settlement::Other) => (PaymentEvent::ChainUsedOtherwise, NONCE_USED, None),
        Ok(Settlement::Unused { expired: true }) => (PaymentEvent::ChainExpired, EXPIRED, None),
        Ok(Settlement::Unused { expired: false }) => return Ok(None),
        Err(error) => {
            let (id, error) = (payment.id.to_string(), error.to_string());
            tracing::warn!(payment.id = id, error, "the chain does not say what became of it");
            return Ok(None);
        }
    };
    note(edge, record, event, reason, transaction).await.map(Some)
}

/// Looks into a payment because of `event`, and leaves it for a while if the chain has nothing to say;
/// for good if it was refused and there is nobody to ask.
///
/// # Errors
/// A store failed.
pub(crate) async fn resolve<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    event: PaymentEvent,
    hint: Option<B256>,
) -> Result<Option<Outcome>, ApiError> {
    let now = edge.platform.now();
    let news = News { event, reason: "", transaction: None };
    let id = record.payment.id;
    let record = edge.records().await?.note_payment(&id, news, now).await?;
    if let Some(outcome) = ask_chain(edge, &record, hint).await? {
        return Ok(Some(outcome));
    }
    let can_be_asked = edge.config.endpoints.has(record.payment.chain_id);
    let is_over = record.state == PaymentState::Refused && !can_be_asked;
    let check_at = (!is_over).then(|| now.plus(PERIOD));
    edge.records().await?.postpone_payment(&id, check_at).await?;
    Ok(None)
}

/// Notes what happened, and says where that leaves the payment.
pub(super) async fn note<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    event: PaymentEvent,
    reason: &str,
    transaction: Option<B256>,
) -> Result<Outcome, ApiError> {
    let (records, now) = (edge.records().await?, edge.platform.now());
    let hash = transaction.map(|it| it.to_string());
    let news = News { event, reason, transaction: hash.as_deref() };
    let record = records.note_payment(&record.payment.id, news, now).await?;
    Ok(match record.state {
        PaymentState::Settled => Outcome::Settled(Box::new(record)),
        PaymentState::Refused if event == PaymentEvent::NothingSent => Outcome::Unavailable,
        PaymentState::Refused => Outcome::Refused(record.reason.unwrap_or_default()),
        PaymentState::Unknown | PaymentState::Settling { .. } => {
            Outcome::Pending(record.payment.id)
        }
    })
}
