//! `GET /v1/spaces/{id}/events`: what happened, as a list or as it happens.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use domain::SpaceId;
use futures::{Stream, stream};
use http::{HeaderMap, header};
use records::{Database, Records};
use serde::Deserialize;

use crate::{
    Edge, Platform,
    caller::Reader,
    error::ApiError,
    page::{PageView, QueryOf, limit},
    view::EventView,
};

/// How often a stream looks for news.
const LOOK_PERIOD: Duration = Duration::from_millis(250);
/// How often a stream that looks can find nothing before it ends, so that no request lasts for
/// ever; the client comes back and goes on where it was. 25 s at [`LOOK_PERIOD`].
const LOOKS_MAX: u32 = 100;
/// Events that a stream reads at once.
const BATCH: u32 = 100;

#[derive(Deserialize)]
pub(super) struct EventsQuery {
    after: Option<u64>,
    limit: Option<u32>,
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let records = edge.records().await?;
    let space = records.space_of(&caller.wallet, &id, edge.platform.now()).await?;
    let space = space.ok_or(ApiError::SpaceNotFound)?.id;
    let after = query.after.unwrap_or(0);
    if wants_stream(&headers) {
        let after = last_event_id(&headers).unwrap_or(after);
        drop(records);
        return Ok(Sse::new(follow(edge, space, after)).into_response());
    }
    let events = records.events(&space, after, limit + 1).await?;
    let page = PageView::of(events, limit, |it| it.seq.to_string());
    let items: Vec<EventView> = page.items.into_iter().map(EventView::from).collect();
    Ok(Json(PageView { items, next: page.next }).into_response())
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|it| it.trim().starts_with("text/event-stream"))
}

fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// Where a stream is.
struct Follow<P> {
    edge: Arc<Edge<P>>,
    space: SpaceId,
    after: u64,
    ready: VecDeque<EventView>,
    n_looks: u32,
}

fn follow<P: Platform>(
    edge: Arc<Edge<P>>,
    space: SpaceId,
    after: u64,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let start = Follow { edge, space, after, ready: VecDeque::new(), n_looks: 0 };
    stream::unfold(start, async |mut it| {
        let event = it.next().await?;
        Some((Ok(event), it))
    })
}

impl<P: Platform> Follow<P> {
    /// The next event; none when the stream is to end.
    async fn next(&mut self) -> Option<Event> {
        let mut records = None;
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.after = event.seq;
                return message(&event);
            }
            if records.is_none() {
                records = Some(self.edge.records().await.ok()?);
            }
            self.look(records.as_ref()?).await?;
            if !self.ready.is_empty() {
                self.n_looks = 0;
                continue;
            }
            self.n_looks += 1;
            if LOOKS_MAX <= self.n_looks {
                return None;
            }
            self.edge.platform.sleep(LOOK_PERIOD).await;
        }
    }

    async fn look<D: Database>(&mut self, records: &Records<D>) -> Option<()> {
        let events = records.events(&self.space, self.after, BATCH).await.ok()?;
        self.ready.extend(events.into_iter().map(EventView::from));
        Some(())
    }
}

fn message(event: &EventView) -> Option<Event> {
    let data = serde_json::to_string(event).ok()?;
    Some(Event::default().id(event.seq.to_string()).event(event.kind.clone()).data(data))
}
