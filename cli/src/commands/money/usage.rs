//! `spaceport usage`.

use std::fmt::Write as _;

use serde_json::Value;

use super::{OfSpace, rows};
use crate::{client::Api, commands::spaces::path_of, output};

/// Of which space, and when.
#[derive(Debug, clap::Args)]
pub(crate) struct UsageArgs {
    #[command(flatten)]
    of: OfSpace,
    /// From when on, such as 2026-11-01T00:00:00Z [default: the beginning of this month].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when [default: the end of this month].
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// In parts of which length.
    #[arg(long, default_value = "day", value_parser = ["hour", "day", "month"])]
    window: String,
}

/// Shows what the space used.
pub(crate) async fn run(args: UsageArgs, is_json: bool) -> anyhow::Result<()> {
    let mut path = format!("{}/usage?window={}", path_of(&args.of.space)?, args.window);
    for (name, time) in [("from", args.from), ("to", args.to)] {
        if let Some(time) = time {
            let time: String = url::form_urlencoded::byte_serialize(time.as_bytes()).collect();
            write!(path, "&{name}={time}")?;
        }
    }
    let usage: Value = Api::connect(&args.of.client).await?.get(&path).await?;
    if is_json {
        return Ok(output::json(&usage)?);
    }
    let fields = [
        "from",
        "running_seconds",
        "hibernated_seconds",
        "cpu_seconds",
        "memory_gib_hours",
        "storage_gib_avg",
        "network_rx_bytes",
        "network_tx_bytes",
        "posts",
    ];
    Ok(output::table(&rows(&usage["items"], &fields))?)
}
