//! `spaceport spaces logs`.

use anyhow::Context as _;
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use super::{path_of, ticket};
use crate::{client::Api, output};

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
    let logs = ticket::follow(&edge_answer, "logs").await?;
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
