//! From a payment that was checked to money in the books, or to what is known instead.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use evm::is_signed_by_contract;
use facilitator::{Answer, SettleRequest};
use ledger::Account;
use records::{Claim, NewPayment, PaymentRecord};
use x402::{Effect, NONCE_USED, Network, PaymentEvent, PaymentState, Signer, Verified};

use super::resolve::{Outcome, ask_chain, note};
use crate::{Edge, Platform, config::TillConfig, error::ApiError};

/// How long one who asks the facilitator has the payment to itself. Whoever died in the meantime is
/// not waited for any longer; whoever is slower than that may see it asked for twice, and the token
/// takes it once.
const LEASE: Duration = Duration::from_secs(15);
/// How long another request with the same payment waits for that one.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK_PERIOD: Duration = Duration::from_millis(50);

/// What was not even asked for. In the records only: the client reads 503.
const NOT_ASKED: &str = "facilitator_unavailable";

/// What `verified` is for, as it is kept.
pub(super) fn new_payment(verified: &Verified, purpose: Purpose) -> NewPayment {
    let payer = verified.payer.into();
    NewPayment {
        id: verified.id,
        version: verified.version.number(),
        chain_id: verified.network.chain_id,
        asset: verified.asset.into(),
        payer,
        nonce: verified.nonce.to_string(),
        pay_to: verified.pay_to.into(),
        amount: verified.amount,
        valid_before_s: verified.valid_before_s,
        question: purpose.question,
        account: purpose.account.unwrap_or(Account::Wallet(payer)),
        identifier: purpose.identifier,
        fingerprint: purpose.fingerprint,
    }
}

/// What a payment is for.
pub(super) struct Purpose {
    /// What a facilitator is asked.
    pub(super) question: String,
    /// Its identifier, if the payer gave it one.
    pub(super) identifier: Option<String>,
    /// Where the money is to go. The payer's wallet without it.
    pub(super) account: Option<Account>,
    /// SHA-256 of what is paid for, in hexadecimal.
    pub(super) fingerprint: String,
}

/// Whether the payer signed, as far as its key or its contract says. A contract that can't be asked
/// because no node of its chain is known has not said so.
///
/// # Errors
/// [`ApiError::ChainUnavailable`].
pub(super) async fn is_signed<P: Platform>(
    edge: &Edge<P>,
    verified: &Verified,
) -> Result<bool, ApiError> {
    let Signer::Contract { hash } = verified.signer else { return Ok(true) };
    let (network, endpoints) = (&*edge.platform, &edge.config.endpoints);
    let chain_id = verified.network.chain_id;
    if !endpoints.has(chain_id) {
        return Ok(false);
    }
    let (payer, signature) = (verified.payer, &verified.signature);
    is_signed_by_contract(network, endpoints, chain_id, payer, hash, signature)
        .await
        .map_err(|error| ApiError::ChainUnavailable(Arc::new(error)))
}

/// Takes a payment that was checked, whoever else is about it.
///
/// # Errors
/// A store failed. Whatever happened to the payment then is found out when it comes again.
pub(super) async fn settle<P: Platform>(
    edge: &Edge<P>,
    till: &TillConfig,
    new: &NewPayment,
) -> Result<Outcome, ApiError> {
    let give_up_at = edge.platform.now().plus(WAIT_MAX);
    loop {
        let now = edge.platform.now();
        let claim = edge.records().await?.claim_payment(new, now, LEASE).await?;
        match claim {
            Claim::Ours { record, effect } => return ask(edge, till, record, new, effect).await,
            Claim::Settled(record) => return Ok(Outcome::Settled(Box::new(record))),
            Claim::IdentifierReused => return Ok(Outcome::IdentifierReused),
            // Looked into a moment ago, or by somebody who takes too long.
            Claim::Busy(record) if record.state == PaymentState::Unknown || give_up_at <= now => {
                return Ok(Outcome::Pending(record.payment.id));
            }
            Claim::Busy(record) => wait(edge, &record, give_up_at).await?,
        }
    }
}

/// Waits until something happens to a payment that somebody is about, or may be done by others.
async fn wait<P: Platform>(
    edge: &Edge<P>,
    record: &PaymentRecord,
    give_up_at: Timestamp,
) -> Result<(), ApiError> {
    let PaymentState::Settling { until, .. } = record.state else { return Ok(()) };
    while edge.platform.now() < until.min(give_up_at) {
        edge.platform.sleep(LOOK_PERIOD).await;
        let now_known = edge.records().await?.payment(&record.payment.id).await?;
        if now_known.is_none_or(|it| it.state != record.state) {
            break;
        }
    }
    Ok(())
}

/// Has a payment settled that nobody else is about.
async fn ask<P: Platform>(
    edge: &Edge<P>,
    till: &TillConfig,
    mut record: PaymentRecord,
    new: &NewPayment,
    effect: Effect,
) -> Result<Outcome, ApiError> {
    if effect == Effect::LookThenAsk {
        // It was asked for before, and may have gone through.
        if let Some(outcome) = ask_chain(edge, &record, None).await? {
            return Ok(outcome);
        }
        if matches!(record.state, PaymentState::Settling { is_in_doubt: false, .. }) {
            record = edge.records().await?.change_purpose(&record, new).await?;
        }
    }
    let record = &record;
    let payment = &record.payment;
    let caip2 = format!("eip155:{}", payment.chain_id);
    let v1_name = Network::of_chain(payment.chain_id).and_then(|it| it.v1_name);
    let networks: Vec<&str> = std::iter::once(&*caip2).chain(v1_name).collect();
    let payer = payment.payer.address();
    let request = SettleRequest { body: &payment.question, networks: &networks, payer };
    let random = || edge.platform.random();
    match facilitator::settle(&*edge.platform, &till.facilitators, &request, random).await {
        Answer::Settled { transaction } => {
            note(edge, record, PaymentEvent::FacilitatorSettled, "", Some(transaction)).await
        }
        Answer::Refused { reason, message } => {
            let (id, message) = (payment.id.to_string(), message.unwrap_or_default());
            tracing::info!(payment.id = id, reason, message, "the facilitator refuses");
            note(edge, record, PaymentEvent::FacilitatorRefused, &reason, None).await
        }
        Answer::NonceUsed => match ask_chain(edge, record, None).await? {
            Some(outcome) => Ok(outcome),
            // Seen for the first time and used already, and nobody to say by whom.
            None if effect == Effect::Ask && !edge.config.endpoints.has(payment.chain_id) => {
                note(edge, record, PaymentEvent::FacilitatorRefused, NONCE_USED, None).await
            }
            None => note(edge, record, PaymentEvent::OutcomeUnknown, "", None).await,
        },
        Answer::Pending { transaction } => match ask_chain(edge, record, transaction).await? {
            Some(outcome) => Ok(outcome),
            None => note(edge, record, PaymentEvent::OutcomeUnknown, "", transaction).await,
        },
        Answer::NotAsked { why } => {
            let id = payment.id.to_string();
            tracing::error!(payment.id = id, why = why.join("; "), "no facilitator was asked");
            note(edge, record, PaymentEvent::NothingSent, NOT_ASKED, None).await
        }
    }
}
