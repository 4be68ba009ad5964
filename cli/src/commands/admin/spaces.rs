//! Spaces as the operator sees and changes them.

use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Api,
    commands::{
        money::{cell, rows},
        spaces::path_of,
    },
    output,
};

/// Which spaces.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only those in this phase [default: all that are not deleted].
    #[arg(long)]
    phase: Option<String>,
    /// Only those of this wallet.
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
}

/// Which space, and why.
#[derive(Debug, clap::Args)]
pub(super) struct ReasonArgs {
    /// Name or id of the space.
    space: String,
    /// Why. It is written down, and its owners can read it.
    #[arg(long)]
    reason: String,
}

/// Which space, how much, and why.
#[derive(Debug, clap::Args)]
pub(super) struct GrantArgs {
    /// Name or id of the space.
    space: String,
    /// How much, in USD: 5.00.
    amount: String,
    /// Why. It is written down, and its owners can read it.
    #[arg(long)]
    reason: String,
}

/// Which events.
#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    /// Only those behind the one with this number.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// At most so many.
    #[arg(long, default_value_t = 200)]
    limit: u32,
}

pub(super) async fn list(api: &Api, args: ListArgs, is_json: bool) -> anyhow::Result<()> {
    let mut query = "limit=200".to_owned();
    for (name, value) in [("phase", args.phase), ("owner", args.owner)] {
        if let Some(value) = value {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            write!(query, "&{name}={value}")?;
        }
    }
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let mut page: Value = api.get(&format!("/v1/admin/spaces?{query}{after}")).await?;
        items.append(page["items"].as_array_mut().unwrap_or(&mut Vec::new()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let items = Value::Array(items);
    if is_json {
        return Ok(output::json(&json!({ "items": items }))?);
    }
    let fields = ["name", "phase", "app", "host", "balance", "paid_until", "owner", "id"];
    Ok(output::table(&rows(&items, &fields))?)
}

pub(super) async fn want(
    api: &Api,
    what: &str,
    args: &ReasonArgs,
    is_json: bool,
) -> anyhow::Result<()> {
    let path = admin_path(&args.space, what)?;
    let body = json!({ "reason": args.reason });
    let space: Value = api.read(api.send(Method::POST, &path, Some(&body)).await?).await?;
    if is_json {
        return Ok(output::json(&space)?);
    }
    Ok(output::line(format!("{} is {}", cell(&space, "name"), cell(&space, "phase")))?)
}

pub(super) async fn grant(api: &Api, args: &GrantArgs, is_json: bool) -> anyhow::Result<()> {
    let path = admin_path(&args.space, "grants")?;
    let body = json!({ "amount": args.amount, "reason": args.reason });
    let entry: Value = api.read(api.send(Method::POST, &path, Some(&body)).await?).await?;
    if is_json {
        return Ok(output::json(&entry)?);
    }
    Ok(output::line(format!("{} has {} USD more", args.space, cell(&entry, "amount")))?)
}

pub(super) async fn events(api: &Api, args: &EventsArgs, is_json: bool) -> anyhow::Result<()> {
    let path = format!("/v1/admin/events?after={}&limit={}", args.after, args.limit);
    let events: Value = api.get(&path).await?;
    if is_json {
        return Ok(output::json(&events)?);
    }
    let fields = ["seq", "at", "space", "kind", "actor", "detail"];
    Ok(output::table(&rows(&events["items"], &fields))?)
}

fn admin_path(space: &str, what: &str) -> anyhow::Result<String> {
    Ok(format!("{}/{what}", path_of(space)?.replacen("/v1/", "/v1/admin/", 1)))
}
