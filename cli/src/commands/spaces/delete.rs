//! `spaceport spaces delete`.

use reqwest::Method;
use serde_json::Value;

use super::path_of;
use crate::{
    client::{Api, Goal, wait_for},
    output,
};

/// What to delete.
#[derive(Debug, clap::Args)]
pub(super) struct DeleteArgs {
    /// Name or id of the space.
    space: String,
    /// Do not wait until it is gone.
    #[arg(long)]
    no_wait: bool,
}

/// Deletes the space.
pub(super) async fn run(api: &Api, args: &DeleteArgs, is_json: bool) -> anyhow::Result<()> {
    let answer = api.send(Method::DELETE, &path_of(&args.space)?, None).await?;
    let mut space: Value = api.read(answer).await?;
    // Its name may be somebody else's from now on.
    let id = space["id"].as_str().unwrap_or_default().to_owned();
    let path = path_of(&id)?;
    if !args.no_wait {
        wait_for(api, &id, Goal::Deleted).await?;
        space = api.get(&path).await?;
    }
    if is_json {
        return Ok(output::json(&space)?);
    }
    let state = if args.no_wait { "is being deleted" } else { "is gone" };
    Ok(output::line(format!("{} {state}", args.space))?)
}
