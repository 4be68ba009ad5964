//! Hosts as the operator sees and changes them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{client::Api, commands::money::rows, output};

/// Which host, and why.
#[derive(Debug, clap::Args)]
pub(super) struct DrainArgs {
    /// Name of the host.
    host: String,
    /// Why. It is written down at every space on it.
    #[arg(long)]
    reason: String,
}

pub(super) async fn list(api: &Api, is_json: bool) -> anyhow::Result<()> {
    let hosts: Value = api.get("/v1/admin/hosts").await?;
    if is_json {
        return Ok(output::json(&hosts)?);
    }
    let fields =
        ["name", "is_alive", "n_spaces", "memory_used_mib", "memory_mib", "drained_at", "seen_at"];
    Ok(output::table(&rows(&hosts["items"], &fields))?)
}

pub(super) async fn drain(api: &Api, is_drained: bool, args: &DrainArgs) -> anyhow::Result<()> {
    let host = &args.host;
    let is_plain = host.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    anyhow::ensure!(is_plain && !host.is_empty(), "{host:?} is not the name of a host");
    let method = if is_drained { Method::POST } else { Method::DELETE };
    let body = json!({ "reason": args.reason });
    api.send(method, &format!("/v1/admin/hosts/{host}/drain"), Some(&body)).await?;
    Ok(())
}
