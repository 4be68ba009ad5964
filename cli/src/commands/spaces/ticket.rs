//! What the edge does not have, it shows the way to: a ticket for the gateway of the space's host.

use anyhow::{Context as _, bail};
use reqwest::{Response, header};
use serde::Deserialize;
use url::Url;

use crate::client::http_client;

/// Longest sentence of a gateway that is shown, in characters.
const DETAIL_CHARS_MAX: usize = 300;

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// The gateway's answer to the ticket in the edge's, which is the way to `what`.
pub(super) async fn follow(edge_answer: &Response, what: &str) -> anyhow::Result<Response> {
    let location = edge_answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
    let location =
        location.with_context(|| format!("the edge does not say where the {what} are"))?;
    let gateway = Url::parse(location).context("the edge sends us to no address")?;
    let request = http_client(&gateway)?.get(gateway.clone());
    let origin = gateway.origin().ascii_serialization();
    let answer = request
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("the gateway at {origin} does not answer"))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    match answer.json::<Problem>().await {
        Ok(Problem { detail }) => {
            let is_shown = |it: &char| !it.is_control();
            bail!("{}", detail.chars().filter(is_shown).take(DETAIL_CHARS_MAX).collect::<String>())
        }
        Err(_) => bail!("the gateway at {origin} gives no {what}: it answers {status}"),
    }
}
