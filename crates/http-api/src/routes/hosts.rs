//! `/v1/admin/hosts`: the operator's machines.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use credentials::Secret;
use domain::Timestamp;
use http::{StatusCode, header};
use records::{AddHost, HOST_ALIVE, HostRecord};
use serde::{Deserialize, Serialize};

use crate::{Edge, Platform, body::JsonBody, caller::Operator, error::ApiError, page::PageView};

#[derive(Serialize)]
pub(super) struct HostView {
    name: String,
    is_alive: bool,
    version: Option<String>,
    gateway_url: Option<String>,
    memory_mib: u64,
    memory_used_mib: u64,
    n_spaces: u64,
    /// Since when it gets no more spaces; null if it does.
    drained_at: Option<Timestamp>,
    /// When its worker last said what is there.
    inventory_at: Option<Timestamp>,
    created_at: Timestamp,
    seen_at: Option<Timestamp>,
}

impl HostView {
    fn of(host: HostRecord, now: Timestamp) -> Self {
        Self {
            name: host.name,
            is_alive: host.seen_at.is_some_and(|it| now.since(it) < HOST_ALIVE),
            version: host.version,
            gateway_url: host.gateway_url,
            memory_mib: host.memory_mib,
            memory_used_mib: host.memory_used_mib,
            n_spaces: host.n_spaces,
            drained_at: host.drained_at,
            inventory_at: host.inventory_at,
            created_at: host.created_at,
            seen_at: host.seen_at,
        }
    }
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _operator: Operator,
) -> Result<Json<PageView<HostView>>, ApiError> {
    let now = edge.platform.now();
    let hosts = edge.records().await?.hosts().await?;
    let items = hosts.into_iter().map(|it| HostView::of(it, now)).collect();
    Ok(Json(PageView::whole(items)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddHostBody {
    name: String,
}

#[derive(Serialize)]
struct AddedHostView {
    name: String,
    /// Shown this once; the edge keeps its hash.
    key: String,
}

pub(super) async fn add<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _operator: Operator,
    body: JsonBody<AddHostBody>,
) -> Result<Response, ApiError> {
    let name = body.value.name;
    if !is_host_name(&name) {
        let problem = "a host's name has 1 to 63 of a-z, 0-9 and '-', no '-' at its ends";
        return Err(ApiError::InvalidHost(problem));
    }
    let key = Secret::new("sph_", edge.platform.random());
    let records = edge.records().await?;
    match records.add_host(&name, &key.hash(), edge.platform.now()).await? {
        AddHost::InUse => Err(ApiError::HostExists(name)),
        AddHost::Added => {
            let view = AddedHostView { name, key: key.reveal().to_owned() };
            let headers = [(header::CACHE_CONTROL, "no-store")];
            Ok((StatusCode::CREATED, headers, Json(view)).into_response())
        }
    }
}

fn is_host_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
