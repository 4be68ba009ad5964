//! `/v1/spaces/{id}/domains`: domains that the owner of a space brings along, and
//! `POST /internal/cron/domains`, which looks for their proofs.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::{CustomDomain, Timestamp, Wallet};
use futures::future::join_all;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use records::{
    Answer, ClaimError, Database, DomainRecord, DomainState, NewClaim, Records, RemoveError,
    SpaceRecord,
};
use serde::{Deserialize, Serialize};

use crate::{
    Config, Edge, Platform,
    body::JsonBody,
    caller::{CronCaller, Reader, Writer},
    domain_proof::{Claim, ProofView, parse},
    error::ApiError,
    idempotency,
    page::PageView,
};

/// How long after one look a reader can have another.
const LOOK_PAUSE: Duration = Duration::from_secs(5);
/// How many claims one job looks at.
const BATCH: u32 = 64;
/// How many of them at once.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddDomainBody {
    domain: String,
}

/// A domain as clients see it.
#[derive(Serialize)]
struct DomainView<'a> {
    domain: &'a CustomDomain,
    state: DomainState,
    proofs: [ProofView; 2],
    created_at: Timestamp,
    proven_at: Option<Timestamp>,
    checked_at: Option<Timestamp>,
    problem: Option<&'a str>,
}

/// How many of each.
#[derive(Serialize)]
pub(super) struct LookedView {
    looked_at: usize,
    proven: usize,
    expired: usize,
}

impl<'a> DomainView<'a> {
    fn of(record: &'a DomainRecord, config: &Config) -> Self {
        let claim = Claim { space: &record.space, domain: &record.domain, config };
        Self {
            domain: &record.domain,
            state: record.state,
            proofs: claim.proofs(),
            created_at: record.created_at,
            proven_at: record.proven_at,
            checked_at: record.checked_at,
            problem: record.problem.as_deref(),
        }
    }
}

pub(super) async fn add<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: JsonBody<AddDomainBody>,
) -> Result<Response, ApiError> {
    let (config, wallet, now) = (&edge.config, &caller.wallet, edge.platform.now());
    let key = idempotency::key(&headers, wallet, &method, uri.path(), &body.bytes)?;
    let domain = parse(&body.value.domain, config)?;
    let records = edge.records().await?;
    let space = owned(&records, wallet, &id, now).await?;
    if let Some(answer) = records.first_answer::<ClaimError>(key.as_ref(), now).await? {
        return Ok(idempotency::respond(answer));
    }
    records.check_claim(&space.id, &domain).await?;
    let resolver = config.resolver.as_ref().ok_or(ApiError::DomainsUnavailable)?;
    let claim = Claim { space: &space.id, domain: &domain, config };
    // Nothing is held while DNS is asked.
    let look = claim.look(&*edge.platform, resolver.url()).await;
    let actor = wallet.to_string();
    let new = NewClaim { space: &space.id, domain: &domain, actor: &actor, look };
    let answer = |record: &DomainRecord| Answer {
        status: 201,
        location: Some(format!("/v1/spaces/{}/domains/{}", record.space, record.domain)),
        body: serde_json::to_string(&DomainView::of(record, config)).expect("it is plain data"),
    };
    let answer = records.claim_domain(&new, edge.platform.now(), key.as_ref(), answer).await?;
    Ok(idempotency::respond(answer))
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let records = edge.records().await?;
    let space = records.space_of(&caller.wallet, &id, edge.platform.now()).await?;
    let domains = records.domains_of(&space.ok_or(ApiError::SpaceNotFound)?.id).await?;
    let items = domains.iter().map(|it| DomainView::of(it, &edge.config)).collect();
    Ok(Json(PageView::whole(items)).into_response())
}

/// Looks for the proof, too, if there is none yet: whoever asks has just written it into DNS.
pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path((id, domain)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let domain: CustomDomain = domain.parse().map_err(|_| ApiError::DomainNotFound)?;
    let (records, now) = (edge.records().await?, edge.platform.now());
    let space = records.space_of(&caller.wallet, &id, now).await?.ok_or(ApiError::SpaceNotFound)?;
    let record = records.domain_of(&space.id, &domain).await?.ok_or(ApiError::DomainNotFound)?;
    let is_looked_for = record.state == DomainState::Pending
        && edge.config.resolver.is_some()
        && records.begin_look(&space.id, &domain, LOOK_PAUSE, now).await?;
    drop(records);
    let record = if is_looked_for {
        look(&edge, &record).await?.ok_or(ApiError::DomainNotFound)?
    } else {
        record
    };
    let view = Json(DomainView::of(&record, &edge.config));
    Ok(([(header::CACHE_CONTROL, "no-store")], view).into_response())
}

pub(super) async fn remove<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    Path((id, domain)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (wallet, now) = (&caller.wallet, edge.platform.now());
    let key = idempotency::key(&headers, wallet, &method, uri.path(), b"")?;
    let domain: CustomDomain = domain.parse().map_err(|_| ApiError::DomainNotFound)?;
    let records = edge.records().await?;
    let space = owned(&records, wallet, &id, now).await?;
    let answer = Answer { status: 204, location: None, body: String::new() };
    let actor = wallet.to_string();
    records.remove_domain(&space.id, &domain, &actor, now, key.as_ref(), answer).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Looks for the proofs that are due, and lets claims go that waited too long. Doing so twice, or at
/// once with another, does no harm.
pub(super) async fn look_for_all<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _caller: CronCaller,
) -> Result<Json<LookedView>, ApiError> {
    let (records, now) = (edge.records().await?, edge.platform.now());
    let expired = records.expire_claims(now).await?;
    let due = match edge.config.resolver {
        Some(_) => records.claims_to_look_for(now, BATCH).await?,
        None => Vec::new(),
    };
    drop(records);
    let mut proven = 0;
    for some in due.chunks(AT_ONCE) {
        for looked in join_all(some.iter().map(|it| look(&edge, it))).await {
            proven += usize::from(looked?.is_some_and(|it| it.state == DomainState::Proven));
        }
    }
    Ok(Json(LookedView { looked_at: due.len(), proven, expired }))
}

/// The space, if `wallet` may change it.
async fn owned<D: Database>(
    records: &Records<D>,
    wallet: &Wallet,
    id: &str,
    now: Timestamp,
) -> Result<SpaceRecord, ApiError> {
    let space = records.space_of(wallet, id, now).await?.ok_or(ApiError::SpaceNotFound)?;
    match (space.is_owned_by(wallet), space.desired) {
        (false, _) => Err(ApiError::OwnerOnly),
        (true, domain::Desired::Deleted) => Err(ApiError::SpaceDeleting),
        (true, _) => Ok(space),
    }
}

/// Looks for the proof of a claim now, and takes note. Nothing if the claim is gone.
async fn look<P: Platform>(
    edge: &Edge<P>,
    record: &DomainRecord,
) -> Result<Option<DomainRecord>, ApiError> {
    let resolver = edge.config.resolver.as_ref().ok_or(ApiError::DomainsUnavailable)?;
    let DomainRecord { space, domain, .. } = record;
    let claim = Claim { space, domain, config: &edge.config };
    let look = claim.look(&*edge.platform, resolver.url()).await;
    let records = edge.records().await?;
    Ok(records.note_look(space, domain, &look, edge.platform.now()).await?)
}

impl From<ClaimError> for ApiError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::TooMany => Self::TooManyDomains,
            ClaimError::Taken => Self::DomainTaken,
            ClaimError::Gone => Self::SpaceDeleting,
            ClaimError::KeyReused(_) => Self::IdempotencyKeyReused,
            ClaimError::Database(error) => error.into(),
        }
    }
}

impl From<RemoveError> for ApiError {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::NotThere => Self::DomainNotFound,
            RemoveError::KeyReused(_) => Self::IdempotencyKeyReused,
            RemoveError::Database(error) => error.into(),
        }
    }
}
