//! Asking facilitators to settle a payment.

use std::time::Duration;

use alloy_primitives::Address;
use evm::{Limits, Network};

use crate::{
    Answer, Facilitators,
    answer::{self, Heard},
    facilitators::Facilitator,
};

/// How long a facilitator may take. It waits for the chain.
const TIME_MAX: Duration = Duration::from_secs(20);
/// How large its answer may be.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A payment to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleRequest<'a> {
    /// What is sent: `x402Version`, `paymentPayload` and `paymentRequirements`, as JSON.
    pub body: &'a str,
    /// The names that the network may have in an answer: `["eip155:8453", "base"]`.
    pub networks: &'a [&'a str],
    /// Who pays.
    pub payer: Address,
}

/// Has a payment settled by the first facilitator that takes it.
///
/// The next one is asked only if it is certain that the payment has not been looked at: nothing was
/// sent, or the status says so. Otherwise two of them might bring it to the chain, and the one that
/// comes second would say that it failed. Each one gets 20 seconds.
///
/// - `random`: fresh at every call. It goes into tokens that are used once.
pub async fn settle<N: Network>(
    network: &N,
    facilitators: &Facilitators,
    request: &SettleRequest<'_>,
    random: impl Fn() -> [u8; 16] + Send + Sync,
) -> Answer {
    let mut why = Vec::new();
    for Facilitator { endpoint, credentials } in facilitators.iter() {
        let url = endpoint.url();
        let authorization = credentials.authorization(url, network.now(), &random);
        let headers: Vec<_> = authorization.into_iter().map(|it| ("authorization", it)).collect();
        let limits = Limits { time: TIME_MAX, bytes: ANSWER_BYTES_MAX };
        let reply = network.post(url, &headers, request.body.into(), limits).await;
        match answer::read(reply, request) {
            Heard::Answer(answer) => return answer,
            Heard::NotLookedAt(reason) => {
                why.push(format!("{}: {}", endpoint.origin(), endpoint.fit_for_log(&reason)));
            }
        }
    }
    Answer::NotAsked { why }
}
