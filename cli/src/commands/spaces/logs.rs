//! `spaceport spaces logs`.

use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use reqwest::{Method, Response, header};
use serde_json::json;
use url::Url;

use super::path_of;
use crate::{
    client::{Api, http_client},
    output,
};

/// Which logs.
#[derive(Debug, clap::Args)]
pub(super) struct LogsArgs {
    /// Name or id of the space.
    space: String,
    /// Of this service only.
    #[arg(long)]
    service: Option<String>,
    /// How many lines of each service to begin with.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=1000))]
    tail: u32,
    /// Go on with what comes later.
    #[arg(long)]
    follow: bool,
}

/// Shows the logs. With `--json`, each line is an object with its service.
pub(super) async fn run(api: &Api, args: LogsArgs, is_json: bool) -> anyhow::Result<()> {
    // The edge has no logs; it sends us to the gateway of the space's host, with a ticket.
    let edge_answer = api.send(Method::GET, &path(&args)?, None).await?;
    let logs = follow_ticket(&edge_answer).await?;
    let mut parts = logs.bytes_stream();
    let mut lines = Lines::default();
    while let Some(part) = parts.next().await {
        let part = part.context("the logs broke off")?;
        if is_json {
            for line in lines.push(&part) {
                let (service, text) = line.split_once(" | ").unwrap_or(("", &line));
                output::json(&json!({ "service": service, "line": text }))?;
            }
        } else {
            output::bytes(&part)?;
        }
    }
    Ok(())
}

fn path(args: &LogsArgs) -> anyhow::Result<String> {
    let mut path =
        format!("{}/logs?tail={}&follow={}", path_of(&args.space)?, args.tail, args.follow);
    if let Some(service) = &args.service {
        path += "&service=";
        path.extend(url::form_urlencoded::byte_serialize(service.as_bytes()));
    }
    Ok(path)
}

async fn follow_ticket(edge_answer: &Response) -> anyhow::Result<Response> {
    let location = edge_answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
    let location = location.context("the edge does not say where the logs are")?;
    let gateway = Url::parse(location).context("the edge sends us to no address")?;
    let request = http_client(&gateway)?.get(gateway.clone());
    let origin = gateway.origin().ascii_serialization();
    let logs = request
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("the gateway at {origin} does not answer"))?;
    if !logs.status().is_success() {
        bail!("the gateway at {origin} gives no logs: it answers {}", logs.status());
    }
    Ok(logs)
}

/// Puts lines together from parts.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// The lines that end in `part`.
    fn push(&mut self, part: &[u8]) -> Vec<String> {
        self.0.extend_from_slice(part);
        let Some(end) = self.0.iter().rposition(|it| *it == b'\n') else { return Vec::new() };
        let rest = self.0.split_off(end + 1);
        let whole = std::mem::replace(&mut self.0, rest);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together() {
        let mut lines = Lines::default();
        assert!(lines.push(b"web | on").is_empty());
        assert_eq!(lines.push(b"e\ndb | two\nweb"), ["web | one", "db | two"]);
        assert_eq!(lines.push(b" | three\n"), ["web | three"]);
    }

    #[test]
    fn the_edge_is_asked_for_what_was_given() {
        let mut args =
            LogsArgs { space: "garden".to_owned(), service: None, tail: 5, follow: true };
        assert_eq!(path(&args).unwrap(), "/v1/spaces/garden/logs?tail=5&follow=true");
        args.service = Some("a&b".to_owned());
        assert!(path(&args).unwrap().ends_with("&follow=true&service=a%26b"));
    }
}
