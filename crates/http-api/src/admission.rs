//! What the gate says of a wallet: from the cache, or from the chains.

use std::{collections::BTreeMap, time::Duration};

use domain::{Timestamp, Wallet};
use evm::{Call, Chains, Outcome as CallOutcome};
use futures::future;
use gate::{Outcome, Policy, Read, Readings, Statement, Verdict, judge};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{Edge, Platform, error::ApiError};

/// How long a reading is good for at most. A key of the cache is for a span of this length.
const READING_LIFETIME: Duration = Duration::from_secs(30);

/// How long it is good for if it does not open the gate: somebody may just have bought what is
/// missing.
const CLOSED_LIFETIME: Duration = Duration::from_secs(5);

/// How long it is good for if something could not be read: so that whoever asks again and again
/// does not have the nodes asked as often.
const INCOMPLETE_LIFETIME: Duration = Duration::from_secs(1);

/// A verdict and when it was true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Admission {
    /// The fingerprint of the policy.
    policy: String,
    pub(crate) verdict: Verdict,
    /// When the chains were read.
    pub(crate) checked_at: Timestamp,
    /// Whether that was for an earlier request.
    pub(crate) is_cached: bool,
}

/// What of a wallet was read, as it is kept in the cache.
#[derive(Serialize, Deserialize)]
struct Kept {
    checked_at: Timestamp,
    readings: Readings,
}

impl Admission {
    /// Whether the gate is open. What could not be decided is not.
    pub(crate) fn is_open(&self) -> bool {
        self.verdict.outcome == Outcome::Passed
    }

    /// Whether it is `policy` that said so.
    pub(crate) fn is_of(&self, policy: &Policy) -> bool {
        self.policy == policy.fingerprint()
    }

    /// # Errors
    /// [`ApiError::GateClosed`] or [`ApiError::GateUnavailable`] if the gate is not open.
    pub(crate) fn require(self) -> Result<(), ApiError> {
        match self.verdict.outcome {
            Outcome::Passed => Ok(()),
            Outcome::Closed => Err(ApiError::GateClosed(Box::new(self))),
            Outcome::Undecided => Err(ApiError::GateUnavailable),
        }
    }
}

/// What a verdict is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To decide: no chain is read that does not matter for that.
    Decide,
    /// To explain each rule: all of them are read.
    Explain,
}

/// What `policy` says of `wallet`, with the statements that came with the request.
///
/// # Errors
/// [`ApiError::MalformedAttestation`], or that the store failed. A chain that can't be asked is no
/// error here: the verdict may not depend on it.
pub(crate) async fn admission<P: Platform>(
    edge: &Edge<P>,
    policy: &Policy,
    wallet: Wallet,
    headers: &HeaderMap,
    purpose: Purpose,
) -> Result<Admission, ApiError> {
    let statements = statements(headers)?;
    let now = edge.platform.now();
    let decide = |kept: &Kept, is_cached| Admission {
        policy: policy.fingerprint(),
        verdict: judge(policy, wallet, &kept.readings, &statements, now),
        checked_at: kept.checked_at,
        is_cached,
    };
    let is_needed = purpose == Purpose::Explain || policy.needs_chain(wallet, &statements, now);
    let reads = policy.reads(wallet);
    if !is_needed || reads.is_empty() {
        return Ok(decide(&Kept { checked_at: now, readings: Readings::default() }, false));
    }
    let key = cache_key(policy, wallet, now);
    if let Some(kept) = load(edge, &key).await? {
        let cached = decide(&kept, true);
        let lifetime = match cached.verdict.outcome {
            Outcome::Passed => READING_LIFETIME,
            Outcome::Closed => CLOSED_LIFETIME,
            Outcome::Undecided => INCOMPLETE_LIFETIME,
        };
        if now.since(kept.checked_at) < lifetime {
            return Ok(cached);
        }
    }
    let readings = read(edge, &reads).await;
    let kept = Kept { checked_at: edge.platform.now(), readings };
    let text = serde_json::to_string(&kept).map_err(ApiError::internal)?;
    edge.platform.store(&key, text).await.map_err(ApiError::store)?;
    Ok(decide(&kept, false))
}

fn statements(headers: &HeaderMap) -> Result<Vec<Statement>, ApiError> {
    let lines = headers.get_all("gate-attestation").iter();
    let lines: Vec<&str> = lines.map(|it| it.to_str().unwrap_or("\u{fffd}")).collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    Statement::parse_header(&lines.join(",")).map_err(ApiError::MalformedAttestation)
}

/// Names the readings of a wallet in this span of time, and says itself until when they matter.
fn cache_key(policy: &Policy, wallet: Wallet, now: Timestamp) -> String {
    let seconds = i64::try_from(READING_LIFETIME.as_secs()).expect("a lifetime is short");
    let until = (now.unix_s().div_euclid(seconds) + 1) * seconds;
    let wallet = wallet.to_string().to_ascii_lowercase();
    format!("gate.{until}.{wallet}.{}", policy.fingerprint())
}

/// What is kept under `key`; nothing if it is not ours to read.
async fn load<P: Platform>(edge: &Edge<P>, key: &str) -> Result<Option<Kept>, ApiError> {
    let text = edge.platform.load(key).await.map_err(ApiError::store)?;
    Ok(text.and_then(|it| serde_json::from_str(&it).ok()))
}

/// Reads the balances, all chains at once.
async fn read<P: Platform>(edge: &Edge<P>, reads: &[Read]) -> Readings {
    let mut by_chain: BTreeMap<u64, Vec<(usize, Call)>> = BTreeMap::new();
    for (index, read) in reads.iter().enumerate() {
        let call = Call { to: Some(read.contract), data: read.data.clone().into(), gas: None };
        by_chain.entry(read.chain_id).or_default().push((index, call));
    }
    let mut balances = vec![None; reads.len()];
    let asked = by_chain.into_iter().map(async |(chain_id, calls)| {
        let (indexes, calls): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
        let chains = Chains::new(&*edge.platform, &edge.config.endpoints);
        match chains.call(chain_id, &calls).await {
            Ok(outcomes) => indexes.into_iter().zip(outcomes).collect(),
            Err(error) => {
                tracing::warn!(chain.id = chain_id, error = error.to_string(), "chain unavailable");
                Vec::new()
            }
        }
    });
    for (index, outcome) in future::join_all(asked).await.into_iter().flatten() {
        if let CallOutcome::Returned(bytes) = outcome {
            balances[index] = Read::balance(&bytes);
        }
        if balances[index].is_none() {
            let (chain_id, contract) = (reads[index].chain_id, reads[index].contract.to_string());
            tracing::warn!(chain.id = chain_id, contract, "this contract has no balances");
        }
    }
    balances.into_iter().collect()
}
