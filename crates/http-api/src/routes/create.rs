//! `POST /v1/spaces`: a wallet wants a space.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use credentials::{PASSPORT_HEADER, Passport};
use domain::{SpaceId, SpaceName, Wallet};
use http::{HeaderMap, Method, Uri};
use records::{CreateError, Database, NewSpace, Records};
use serde::Deserialize;
use settings::Schema;

use crate::{
    Edge, Platform, body::JsonBody, caller::Caller, error::ApiError, idempotency, view::accepted,
};

/// Longest title, in characters.
const TITLE_LEN_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSpaceBody {
    name: String,
    app: String,
    title: Option<String>,
    settings: Option<serde_json::Value>,
}

pub(super) async fn create<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    body: JsonBody<CreateSpaceBody>,
) -> Result<Response, ApiError> {
    let wallet = *caller.wallet();
    require_passport(&edge, &headers, &uri, wallet)?;
    let now = edge.platform.now();
    let key = idempotency::key(&headers, &wallet, &Method::POST, uri.path(), &body.bytes)?;
    let records = edge.records().await?;
    let new = new_space(&edge, &records, body.value, wallet).await?;
    let made = records.create_space(&new, now, key.as_ref(), |it| accepted(it, &edge.config)).await;
    match made {
        Ok(answer) => Ok(idempotency::respond(answer)),
        Err(CreateError::NameTaken) => Err(ApiError::NameTaken(new.name.to_string())),
        Err(CreateError::NoCapacity) => Err(ApiError::NoCapacity),
        Err(CreateError::KeyReused(_)) => Err(ApiError::IdempotencyKeyReused),
        Err(CreateError::Database(error)) => Err(error.into()),
    }
}

/// Refuses a request that did not come through the gate: then the manifest is broken.
fn require_passport<P: Platform>(
    edge: &Edge<P>,
    headers: &HeaderMap,
    uri: &Uri,
    wallet: Wallet,
) -> Result<(), ApiError> {
    let token = headers.get(PASSPORT_HEADER).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let (keys, now) = (&edge.config.keys, edge.platform.now());
    match Passport::from_token(keys, token, &Method::POST, uri.path(), now) {
        Ok(passport) if passport.wallet == wallet => Ok(()),
        _ => Err(ApiError::internal(
            "the request has no passport: is the gate in front of POST /v1/spaces?",
        )),
    }
}

async fn new_space<P: Platform, D: Database>(
    edge: &Edge<P>,
    records: &Records<D>,
    body: CreateSpaceBody,
    owner: Wallet,
) -> Result<NewSpace, ApiError> {
    let name: SpaceName = body.name.parse()?;
    let title = title(body.title, &name)?;
    if edge.config.reserved_names.contains(&name) {
        return Err(ApiError::ReservedName(name.to_string()));
    }
    let offer = records.app(&body.app).await?.ok_or(ApiError::AppNotFound(body.app))?;
    let schema: Schema =
        serde_json::from_value(offer.settings_schema.clone()).map_err(ApiError::internal)?;
    let settings = schema.validate(&body.settings.unwrap_or_default())?;
    Ok(NewSpace {
        id: SpaceId::new(edge.platform.now(), edge.platform.random()),
        name,
        title,
        settings: serde_json::to_value(settings).expect("settings are plain data"),
        offer,
        owner,
    })
}

/// What people call the space: the name, if they say nothing else.
fn title(title: Option<String>, name: &SpaceName) -> Result<String, ApiError> {
    let title = title.unwrap_or_else(|| name.to_string());
    let title = title.trim();
    if title.is_empty() || TITLE_LEN_MAX < title.chars().count() {
        return Err(ApiError::InvalidTitle("a title has 1 to 100 characters"));
    }
    if title.contains(char::is_control) {
        return Err(ApiError::InvalidTitle("a title has no control characters"));
    }
    Ok(title.to_owned())
}
