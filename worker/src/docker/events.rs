//! Docker's events, as a reason to look again.

use std::{collections::HashMap, time::Duration};

use bollard::{Docker, query_parameters::EventsOptionsBuilder};
use domain::SpaceId;
use futures::StreamExt as _;

use super::labels::{self, Labels};

/// How long to wait before Docker is asked for its events again.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// What may have changed what a space is.
const ACTIONS: [&str; 6] = ["die", "oom", "pause", "unpause", "destroy", "health_status"];

/// Calls `look_again` with every space whose containers have changed, and `look_at_all` whenever
/// some events may have been missed. Never ends.
pub(crate) async fn watch(
    docker: Docker,
    labels: Labels,
    look_again: impl Fn(&SpaceId),
    look_at_all: impl Fn(),
) {
    let owned = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
    let filters = HashMap::from([
        ("label".to_owned(), labels.of_all()),
        ("type".to_owned(), owned(&["container"])),
        ("event".to_owned(), owned(&ACTIONS)),
    ]);
    loop {
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let mut events = docker.events(Some(options));
        while let Some(Ok(event)) = events.next().await {
            let attributes = event.actor.and_then(|it| it.attributes).unwrap_or_default();
            if let Some(space) = labels::space(&attributes) {
                look_again(&space);
            }
        }
        tracing::debug!("Docker's events ended");
        tokio::time::sleep(RECONNECT_PAUSE).await;
        look_at_all();
    }
}
