//! The link to the edge: the worker asks, the edge answers.
//!
//! An edge that does not answer is asked again for ever, while the work here goes on. At the start,
//! one that answers and will not have us ends the link; later, it may be a proxy that speaks while the
//! edge is away, so only a key that is refused for a minute does.

mod patience;
mod readings;

use std::{error::Error, fmt, time::Duration};

use fleet::{
    Changes, Channel, Delivered, Deliveries, Delivery, DeliveryResults, Hello, HelloAnswer,
    Inventory, LeaseDeliveries, Observation, Observations,
};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use url::Url;

use self::patience::Patience;
use crate::{metrics::metrics, outbox::Outbox};

/// How long the edge may keep a question for changes open, in seconds.
const POLL_SECONDS: u32 = 20;

/// How often an edge that does not answer is told what was delivered, and how long to wait in between: not
/// longer than whoever delivers has what they deliver, less what they may take.
const TELL_TRIES: u32 = 4;
const TELL_PAUSE: Duration = Duration::from_secs(5);

/// How long any other answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// The edge answered and will not have us. Asking again would not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// The edge does not know the host's key.
    #[error("the edge does not know this host's key")]
    UnknownKey,
    /// The edge answered in a way that this worker does not understand.
    #[error("the edge and this worker do not understand each other: {detail}")]
    Protocol {
        /// What was not understood.
        detail: String,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    /// The edge is not there, or not well. It is asked again.
    #[error("the edge does not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It answered with this, which is no success.
    #[error("the edge answers {status}")]
    Refused {
        /// Its answer's status.
        status: StatusCode,
    },
    /// It will not have us.
    #[error(transparent)]
    Edge(EdgeError),
}

/// The edge, as one host talks to it.
#[derive(Clone)]
pub(crate) struct Edge {
    client: Client,
    base: Url,
    host_key: String,
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Edge {
    /// The edge at `url`, to which `host_key` says who we are.
    ///
    /// Returns nothing if that is no address.
    pub(crate) fn new(url: &str, host_key: String) -> Option<Self> {
        let base = Url::parse(url).ok().filter(Url::has_host)?;
        let mut builder = Client::builder().connect_timeout(CONNECT_TIME_MAX);
        // What is on this machine is not behind a proxy.
        let is_local = matches!(base.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if is_local {
            builder = builder.no_proxy();
        }
        Some(Self { client: builder.build().ok()?, base, host_key })
    }

    /// Introduces us, as often as it takes.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub(crate) async fn hello(&self, hello: &Hello) -> Result<HelloAnswer, EdgeError> {
        let mut patience = Patience::default();
        loop {
            match self.greet(hello).await {
                Ok(answer) => return Ok(answer),
                Err(error) => wait_after(error, &mut patience).await?,
            }
        }
    }

    async fn greet(&self, hello: &Hello) -> Result<HelloAnswer, CallError> {
        let request = self.request(Method::PUT, "hello").json(hello);
        let answer = self.answer(request.timeout(ANSWER_TIME_MAX)).await?;
        failpoints::hit("worker:hello:after");
        Ok(answer)
    }

    /// What has changed since `after`; nothing if that takes longer than `wait_seconds`.
    async fn changes(&self, after: u64, wait_seconds: u32) -> Result<Changes, CallError> {
        let time_max = ANSWER_TIME_MAX + Duration::from_secs(wait_seconds.into());
        let query = [("after", after), ("wait_seconds", wait_seconds.into())];
        let request = self.request(Method::GET, "changes").query(&query).timeout(time_max);
        self.answer(request).await
    }

    /// Hands every change that is wanted to `take`, those there are at first before it returns.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub(crate) async fn first_changes(
        &self,
        mut take: impl FnMut(Changes),
    ) -> Result<u64, EdgeError> {
        let (mut after, mut patience) = (0, Patience::default());
        loop {
            match self.changes(after, 0).await {
                Ok(changes) => {
                    patience.succeeded();
                    let more = changes.more;
                    after = changes.next;
                    take(changes);
                    if !more {
                        return Ok(after);
                    }
                }
                Err(error) => wait_after(error, &mut patience).await?,
            }
        }
    }

    /// Hands every change after `after` to `take`. A `poke` only shortens the wait for the next.
    ///
    /// When the edge is back after it was away, it is told `hello` again, and `learn` its answer: it
    /// may have another ticket key by then.
    ///
    /// Never returns but with why it can't go on.
    pub(crate) async fn follow(
        &self,
        mut after: u64,
        poke: &Notify,
        hello: &Hello,
        learn: impl Fn(HelloAnswer),
        mut take: impl FnMut(Changes),
    ) -> EdgeError {
        let mut patience = Patience::default();
        let mut wait_seconds = POLL_SECONDS;
        let mut was_away = false;
        loop {
            if was_away {
                match self.greet(hello).await {
                    Ok(answer) => {
                        was_away = false;
                        learn(answer);
                    }
                    Err(error) => match patience.endure(&error).await {
                        Ok(()) => continue,
                        Err(error) => return error,
                    },
                }
            }
            let asking = self.changes(after, wait_seconds);
            let asked = if wait_seconds == 0 {
                // Not cut short by another poke, or many of them would keep it from ever ending.
                asking.await
            } else {
                tokio::select! {
                    result = asking => result,
                    () = poke.notified() => {
                        wait_seconds = 0;
                        continue;
                    }
                }
            };
            match asked {
                Ok(changes) => {
                    patience.succeeded();
                    wait_seconds = if changes.more { 0 } else { POLL_SECONDS };
                    after = changes.next;
                    take(changes);
                }
                Err(error) => {
                    was_away = true;
                    if let Err(error) = patience.endure(&error).await {
                        return error;
                    }
                }
            }
        }
    }

    /// Tells the edge what is in `outbox`, `taken` what the edge has taken, and `refused` what it
    /// never will.
    ///
    /// Never returns but with why it can't go on.
    pub(crate) async fn report(
        &self,
        outbox: &Outbox,
        taken: impl Fn(&Observation),
        refused: impl Fn(&Observation),
    ) -> EdgeError {
        let mut patience = Patience::default();
        loop {
            let mut batch = outbox.next().await;
            failpoints::hit("worker:report:before");
            let mut result = self.post(&batch).await;
            if is_of_content(&result) && 1 < batch.len() {
                // One that is not understood must not hold up the others.
                batch.truncate(1);
                result = self.post(&batch).await;
            }
            match result {
                Ok(()) => {
                    failpoints::hit("worker:report:after");
                    patience.succeeded();
                    outbox.settle(&batch);
                    for (_, observation) in &batch {
                        taken(observation);
                    }
                }
                result if is_of_content(&result) => {
                    let Some((_, observation)) = batch.first() else { continue };
                    tracing::error!(?observation, "the edge refuses this");
                    outbox.settle(&batch);
                    refused(observation);
                }
                Err(error) => {
                    if let Err(error) = patience.endure(&error).await {
                        return error;
                    }
                }
            }
        }
    }

    /// Deliveries that are this host's to make; nothing if the edge does not say. It is asked again.
    pub(crate) async fn lease_deliveries(&self, channels: &[Channel]) -> Option<Vec<Delivery>> {
        let body = LeaseDeliveries { channels: channels.to_vec() };
        let request = self.request(Method::POST, "deliveries/lease").json(&body);
        let answer: Result<Deliveries, _> = self.answer(request.timeout(ANSWER_TIME_MAX)).await;
        answer.inspect_err(|error| tracing::debug!(%error, "no deliveries")).ok().map(|it| it.items)
    }

    /// Says what became of deliveries. What is not heard is made again.
    pub(crate) async fn tell_deliveries(&self, items: Vec<Delivered>) {
        let body = DeliveryResults { items };
        let mut left = TELL_TRIES;
        loop {
            let request = self.request(Method::POST, "deliveries/results").json(&body);
            let Err(error) = self.send(request.timeout(ANSWER_TIME_MAX)).await else { return };
            left -= 1;
            if left == 0 {
                let error: &dyn Error = &error;
                return tracing::warn!(error, "what was delivered may be delivered again");
            }
            tokio::time::sleep(TELL_PAUSE).await;
        }
    }

    /// Says what there is on this host. It is said again.
    pub(crate) async fn tell_inventory(&self, inventory: &Inventory) -> bool {
        let request = self.request(Method::PUT, "inventory").json(inventory);
        let told = self.send(request.timeout(ANSWER_TIME_MAX)).await;
        told.inspect_err(|error| tracing::debug!(%error, "no inventory")).is_ok()
    }

    async fn post(&self, batch: &[(u64, Observation)]) -> Result<(), CallError> {
        let items = batch.iter().map(|(_, it)| it.clone()).collect();
        let request = self.request(Method::POST, "observations").json(&Observations { items });
        self.send(request.timeout(ANSWER_TIME_MAX)).await.map(|_| ())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base = self.base.as_str().trim_end_matches('/');
        self.client.request(method, format!("{base}/fleet/v1/{path}")).bearer_auth(&self.host_key)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CallError> {
        let response = self.send(request).await?;
        let body = response.bytes().await.map_err(|it| CallError::Unavailable(it.into()))?;
        serde_json::from_slice(&body)
            .map_err(|it| CallError::Edge(EdgeError::Protocol { detail: it.to_string() }))
    }

    async fn send(&self, request: RequestBuilder) -> Result<reqwest::Response, CallError> {
        let sent = Self::send_uncounted(request).await;
        metrics().edge(sent.is_ok());
        sent
    }

    async fn send_uncounted(request: RequestBuilder) -> Result<reqwest::Response, CallError> {
        let response = request.send().await.map_err(|it| CallError::Unavailable(it.into()))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::UNAUTHORIZED => Err(CallError::Edge(EdgeError::UnknownKey)),
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(CallError::Unavailable(status.to_string().into()))
            }
            status if status.is_server_error() => {
                Err(CallError::Unavailable(status.to_string().into()))
            }
            status => Err(CallError::Refused { status }),
        }
    }
}

/// Waits for a while, if it is worth it to ask again after `error`, before anything has worked.
async fn wait_after(error: CallError, patience: &mut Patience) -> Result<(), EdgeError> {
    match error {
        error @ CallError::Unavailable(_) => patience.endure(&error).await,
        CallError::Refused { status } => {
            let detail = format!("it answers {status}");
            Err(EdgeError::Protocol { detail })
        }
        CallError::Edge(error) => Err(error),
    }
}

/// Whether the edge answered that it will never take what it was told. Whatever else it or a proxy
/// answers may pass.
fn is_of_content<T>(result: &Result<T, CallError>) -> bool {
    let Err(CallError::Refused { status }) = result else { return false };
    [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY]
        .contains(status)
}

#[cfg(test)]
mod tests;
