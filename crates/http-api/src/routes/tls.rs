//! `GET /internal/tls/ask`: whether a certificate may be made for a name.
//!
//! A proxy asks it before it gets a certificate on demand. Without an answer of 200 anybody who
//! points names at the proxy could make it run into the limits of its certificate authority.

use std::sync::Arc;

use axum::extract::State;
use domain::{CustomDomain, SpaceName};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::{Edge, Platform, domain_proof::own_host, error::ApiError, page::QueryOf};

#[derive(Deserialize)]
pub(super) struct AskQuery {
    domain: Option<String>,
}

type Answer = (StatusCode, [(HeaderName, HeaderValue); 1]);

pub(super) async fn ask<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    QueryOf(query): QueryOf<AskQuery>,
) -> Result<Answer, ApiError> {
    let Some(asked) = query.domain.filter(|it| !it.is_empty()) else {
        return Err(ApiError::InvalidQuery("domain is missing".to_owned()));
    };
    let is_ours = is_ours(&edge, &asked.to_ascii_lowercase()).await?;
    let status = if is_ours { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok((status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]))
}

/// Whether `name` is where something of ours is: a living space, by its own name or by one that was
/// brought along, or the edge.
async fn is_ours<P: Platform>(edge: &Edge<P>, name: &str) -> Result<bool, ApiError> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if own_host(&edge.config).is_some_and(|it| it == name) {
        return Ok(true);
    }
    let below = name.strip_suffix(&edge.config.base_domain).and_then(|it| it.strip_suffix('.'));
    if let Some(label) = below {
        let Ok(space) = label.parse::<SpaceName>() else { return Ok(false) };
        return Ok(edge.records().await?.name_is_taken(&space).await?);
    }
    let Ok(domain) = name.parse::<CustomDomain>() else { return Ok(false) };
    Ok(edge.records().await?.has_domain(&domain).await?)
}
