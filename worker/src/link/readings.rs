//! Sending readings until the edge has them.

use std::{error::Error, time::Duration};

use fleet::{Reading, Readings, ReadingsAnswer};
use reqwest::Method;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{ANSWER_TIME_MAX, CallError, Edge, EdgeError, is_of_content, patience::Patience};
use crate::{meter::Journal, metrics::metrics};

/// Most readings that the edge takes at once.
const ITEMS_MAX: u32 = 200;

/// How much of one message is readings, in bytes: the edge reads 64 KiB.
const LEN_MAX: usize = 48 * 1024;

/// How often it is looked for readings that nobody said were there.
const PERIOD: Duration = Duration::from_secs(30);

impl Edge {
    /// Sends the edge what is in the `journal`, until it has it.
    ///
    /// What it does not understand is kept, and sent again by the next worker: by then the edge may
    /// be another.
    ///
    /// Never returns but with why it can't go on.
    pub(crate) async fn send_readings(&self, journal: &Journal, written: &Notify) -> EdgeError {
        let (mut patience, mut skipped) = (Patience::default(), 0);
        loop {
            metrics().readings(journal.n_unsent());
            let mut batch = unsent(journal, skipped);
            if batch.is_empty() {
                // Those that were left for want of a file that could be read are tried again.
                let _ = timeout(PERIOD, written.notified()).await;
                continue;
            }
            failpoints::hit("worker:readings:before");
            let mut result = self.post_readings(&batch).await;
            if is_of_content(&result) && 1 < batch.len() {
                // One that is not understood must not hold up the others.
                batch.truncate(1);
                result = self.post_readings(&batch).await;
            }
            match result {
                Ok(ReadingsAnswer { refused }) => {
                    failpoints::hit("worker:readings:after");
                    patience.succeeded();
                    if !refused.is_empty() {
                        tracing::error!(ids = ?refused, "the edge refuses readings");
                    }
                    if !forget(journal, &batch) {
                        sleep(PERIOD).await;
                    }
                }
                result if is_of_content(&result) => {
                    let Some((number, reading)) = batch.first() else { continue };
                    tracing::error!(id = reading.id, "the edge does not understand a reading");
                    skipped = *number;
                }
                Err(error) => {
                    if let Err(error) = patience.endure(&error).await {
                        return error;
                    }
                }
            }
        }
    }

    async fn post_readings(&self, batch: &[(i64, Reading)]) -> Result<ReadingsAnswer, CallError> {
        let items = batch.iter().map(|(_, it)| it.clone()).collect();
        let request = self.request(Method::POST, "readings").json(&Readings { items });
        self.answer(request.timeout(ANSWER_TIME_MAX)).await
    }
}

/// Readings after this number that the edge does not have, as many as fit into one message.
fn unsent(journal: &Journal, after: i64) -> Vec<(i64, Reading)> {
    match journal.unsent(after, ITEMS_MAX, LEN_MAX) {
        Ok(batch) => batch,
        Err(error) => {
            let error: &dyn Error = &error;
            tracing::error!(error, "readings can't be read");
            Vec::new()
        }
    }
}

/// Whether what the edge has is forgotten here. If not, it is sent again, and counts once.
fn forget(journal: &Journal, batch: &[(i64, Reading)]) -> bool {
    let numbers: Vec<i64> = batch.iter().map(|it| it.0).collect();
    let forgotten = journal.forget(&numbers);
    if let Err(error) = &forgotten {
        let error: &dyn Error = error;
        tracing::error!(error, "readings that the edge has can't be forgotten");
    }
    forgotten.is_ok()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    use axum::{
        Json, Router,
        extract::State,
        http::StatusCode,
        response::{IntoResponse as _, Response},
        routing::post,
    };
    use domain::{SpaceId, Timestamp};

    use super::*;

    const TIME_MAX: Duration = Duration::from_secs(20);

    /// An edge that answers what it is told to first, does not understand readings of 13 posts, and
    /// refuses those of 7.
    #[derive(Default)]
    struct Script {
        statuses: Mutex<VecDeque<u16>>,
        /// The ids of each message that was answered well.
        taken: Mutex<Vec<Vec<String>>>,
    }

    impl Script {
        fn answer(&self, items: &[Reading]) -> Response {
            if let Some(status) = self.statuses.lock().unwrap().pop_front() {
                return StatusCode::from_u16(status).unwrap().into_response();
            }
            if items.iter().any(|it| it.posts == 13) {
                return StatusCode::BAD_REQUEST.into_response();
            }
            let ids = |posts: Option<u64>| {
                let items = items.iter().filter(|it| posts.is_none_or(|posts| it.posts == posts));
                items.map(|it| it.id.clone()).collect()
            };
            self.taken.lock().unwrap().push(ids(None));
            Json(ReadingsAnswer { refused: ids(Some(7)) }).into_response()
        }
    }

    async fn edge(statuses: &[u16]) -> (Arc<Script>, Edge) {
        let script = Arc::new(Script::default());
        script.statuses.lock().unwrap().extend(statuses);
        let take = async |State(script): State<Arc<Script>>, Json(body): Json<Readings>| {
            script.answer(&body.items)
        };
        let router =
            Router::new().route("/fleet/v1/readings", post(take)).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        (script, Edge::new(&url, "the key".to_owned()).unwrap())
    }

    fn write(journal: &Journal, posts: &[u64]) {
        let at = Timestamp::from_unix_ms(0);
        let reading = |posts: &u64| Reading {
            id: String::new(),
            space: SpaceId::new(at, [1; 10]),
            from: at,
            to: at,
            seconds: 1,
            running_seconds: 1,
            hibernated_seconds: 0,
            cpu_ms: 0,
            memory_mib_seconds: 0,
            network_rx_bytes: 0,
            network_tx_bytes: 0,
            disk_read_bytes: 0,
            disk_write_bytes: 0,
            storage_kib: 0,
            posts: *posts,
        };
        let readings: Vec<_> = posts.iter().map(reading).collect();
        journal.write_readings(&readings);
    }

    /// The numbers of what is in the journal.
    fn kept(journal: &Journal) -> Vec<i64> {
        journal.unsent(0, 10_000, usize::MAX).unwrap().iter().map(|it| it.0).collect()
    }

    async fn until(is_so: impl Fn() -> bool) {
        let waited = timeout(TIME_MAX, async {
            while !is_so() {
                sleep(Duration::from_millis(5)).await;
            }
        });
        waited.await.unwrap();
    }

    #[tokio::test]
    async fn readings_are_kept_until_the_edge_has_them_whatever_it_thinks_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(&folder.path().join("meter.sqlite")).unwrap());
        write(&journal, &[0, 7]);
        let (script, edge) = edge(&[503, 404, 500]).await;
        let written = Arc::new(Notify::new());
        let (sending, told) = (Arc::clone(&journal), Arc::clone(&written));
        let sending = tokio::spawn(async move { edge.send_readings(&sending, &told).await });

        until(|| kept(&journal).is_empty()).await;
        assert_eq!(script.taken.lock().unwrap().len(), 1, "once, and both in one message");
        write(&journal, &[0]);
        written.notify_one();
        until(|| kept(&journal).is_empty()).await;
        assert_eq!(script.taken.lock().unwrap().len(), 2);
        sending.abort();
    }

    #[tokio::test]
    async fn one_that_is_not_understood_is_kept_and_holds_up_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(&folder.path().join("meter.sqlite")).unwrap());
        write(&journal, &[0, 13, 0, 13, 0]);
        let (script, edge) = edge(&[]).await;
        let sending = Arc::clone(&journal);
        let sending =
            tokio::spawn(async move { edge.send_readings(&sending, &Notify::new()).await });
        until(|| kept(&journal) == [2, 4]).await;
        let taken: usize = script.taken.lock().unwrap().iter().map(Vec::len).sum();
        assert_eq!(taken, 3);
        sending.abort();
    }

    #[tokio::test]
    async fn a_day_of_readings_is_sent_in_messages_that_the_edge_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(&folder.path().join("meter.sqlite")).unwrap());
        write(&journal, &[0; 1000]);
        let (script, edge) = edge(&[]).await;
        let sending = Arc::clone(&journal);
        let sending =
            tokio::spawn(async move { edge.send_readings(&sending, &Notify::new()).await });
        until(|| kept(&journal).is_empty()).await;
        let taken = script.taken.lock().unwrap().clone();
        assert!(taken.iter().all(|it| it.len() <= 200));
        let mut ids = taken.concat();
        let n_taken = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((n_taken, ids.len()), (1000, 1000), "each once");
        sending.abort();
    }
}
