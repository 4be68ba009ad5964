//! `/v1/keys`: keys that a wallet makes for its agents and scripts.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use credentials::{ApiKey, KeyId, Scopes};
use domain::Timestamp;
use http::{StatusCode, header};
use records::{AddKey, KeyRecord, NewKey};
use serde::{Deserialize, Serialize};

use crate::{Edge, Platform, body::JsonBody, caller::SignedIn, error::ApiError, page::PageView};

/// Longest name, in characters.
const NAME_LEN_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeKeyBody {
    name: String,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct KeyView {
    id: KeyId,
    name: String,
    scopes: Scopes,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct MadeKeyView<'a> {
    #[serde(flatten)]
    view: KeyView,
    /// Shown this once; the edge keeps its hash.
    key: &'a str,
}

pub(super) async fn make<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: SignedIn,
    body: JsonBody<MakeKeyBody>,
) -> Result<Response, ApiError> {
    let now = edge.platform.now();
    let MakeKeyBody { name, scopes, expires_at } = body.value;
    let name = name.trim().to_owned();
    if name.is_empty() || NAME_LEN_MAX < name.chars().count() || name.contains(char::is_control) {
        return Err(ApiError::InvalidKey("a name has 1 to 64 characters, no control characters"));
    }
    if expires_at.is_some_and(|it| it <= now) {
        return Err(ApiError::InvalidKey("expires_at is in the past"));
    }
    let key = ApiKey::new(edge.platform.random());
    let new = NewKey {
        id: KeyId::new(now, edge.platform.random()),
        wallet: caller.session.wallet,
        name,
        key_sha256: key.hash(),
        scopes,
        expires_at,
    };
    match edge.records().await?.add_key(&new, now).await? {
        AddKey::TooMany => Err(ApiError::TooManyKeys),
        AddKey::Added(record) => {
            let view = MadeKeyView { view: record.into(), key: key.reveal() };
            let headers = [(header::CACHE_CONTROL, "no-store")];
            Ok((StatusCode::CREATED, headers, Json(view)).into_response())
        }
    }
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: SignedIn,
) -> Result<Response, ApiError> {
    let keys = edge.records().await?.keys_of(&caller.session.wallet, edge.platform.now()).await?;
    let items: Vec<KeyView> = keys.into_iter().map(KeyView::from).collect();
    Ok(Json(PageView::whole(items)).into_response())
}

pub(super) async fn revoke<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: KeyId = id.parse().map_err(|_| ApiError::KeyNotFound)?;
    let now = edge.platform.now();
    if edge.records().await?.revoke_key(&caller.session.wallet, &id, now).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::KeyNotFound)
    }
}

impl From<KeyRecord> for KeyView {
    fn from(record: KeyRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            scopes: record.scopes,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
        }
    }
}
