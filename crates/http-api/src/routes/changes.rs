//! `/fleet/v1`: what the edge tells the workers.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use billing::SuspendedBy;
use domain::Phase;
use fleet::{Change, Changes, DesiredSpace, Hello, HelloAnswer, Suspension};
use http::Uri;
use records::{Database, Records, SpaceRecord, WantedSpace, WantedSpaces};
use serde::Deserialize;

use crate::{
    Config, Edge, Platform, body::JsonBody, caller::HostCaller, error::ApiError, page::QueryOf,
};

/// Most changes of one answer.
const CHANGES_MAX: u32 = 200;
/// Longest time a worker may have an answer held back, in seconds.
const WAIT_SECONDS_MAX: u64 = 20;
/// How often a held answer looks for news. A poke makes the worker ask at once, where there is one.
const LOOK_PERIOD: Duration = Duration::from_millis(100);
/// How fresh the note is that a worker was heard of, in milliseconds.
const SEEN_STEP_MS: i64 = 10_000;

pub(super) async fn hello<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: HostCaller,
    body: JsonBody<Hello>,
) -> Result<Json<HelloAnswer>, ApiError> {
    let hello = body.value;
    let url = hello.gateway_url.parse::<Uri>().ok();
    if !url.is_some_and(|it| matches!(it.scheme_str(), Some("http" | "https"))) {
        return Err(ApiError::InvalidBody("gateway_url is not an http URL".to_owned()));
    }
    edge.records().await?.hello(&caller.host, &hello, edge.platform.now()).await?;
    let ticket_key = edge.config.keys.ticket_key(&caller.host);
    Ok(Json(HelloAnswer { host: caller.host, ticket_key }))
}

#[derive(Deserialize)]
pub(super) struct ChangesQuery {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_seconds: u64,
}

/// What has changed after `after`; held back up to `wait_seconds` while there is nothing.
pub(super) async fn changes<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    caller: HostCaller,
    QueryOf(query): QueryOf<ChangesQuery>,
) -> Result<Json<Changes>, ApiError> {
    let records = edge.records().await?;
    let now = edge.platform.now();
    records.touch_host(&caller.host, now, SEEN_STEP_MS).await?;
    let deadline = now.plus(Duration::from_secs(query.wait_seconds.min(WAIT_SECONDS_MAX)));
    loop {
        let found = look(&records, &caller.host, query.after).await?;
        if !found.items.is_empty() || deadline <= edge.platform.now() {
            return Ok(Json(answer(found, query.after, &edge.config)));
        }
        edge.platform.sleep(LOOK_PERIOD).await;
    }
}

async fn look<D: Database>(
    records: &Records<D>,
    host: &str,
    after: u64,
) -> Result<WantedSpaces, ApiError> {
    Ok(records.changes(host, after, CHANGES_MAX).await?)
}

fn answer(found: WantedSpaces, after: u64, config: &Config) -> Changes {
    let next = found.items.last().map_or(after, |it| it.seq);
    let items = found.items.into_iter().map(|it| change(it, config)).collect();
    Changes { items, next, more: found.more }
}

fn change(wanted: WantedSpace, config: &Config) -> Change {
    let WantedSpace { seq, space } = wanted;
    let SpaceRecord { id, name, title, app, release, settings, desired, generation, .. } = space;
    let url = config.space_url(&name, space.gateway_url.as_deref());
    let has_data = space.ready_at.is_some();
    let gave_up = space.phase == Phase::Failed && space.observed_generation == generation;
    let suspension = space.standing.suspension.map(|it| match it.by {
        SuspendedBy::Operator => Suspension::Operator,
        SuspendedBy::Payment => {
            let pay_url = format!("{}/v1/spaces/{id}/payments", config.site.origin);
            Suspension::Payment { pay_url }
        }
    });
    let space = DesiredSpace {
        id,
        name,
        title,
        url,
        domains: space.domains.into_iter().map(String::from).collect(),
        app,
        release,
        settings,
        desired,
        generation,
        has_data,
        gave_up,
        suspension,
        request_id: space.request_id,
    };
    Change { seq, space }
}
