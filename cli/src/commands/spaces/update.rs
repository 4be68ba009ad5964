//! `spaceport spaces update`.

use anyhow::bail;
use reqwest::Method;
use serde_json::Value;

use super::path_of;
use crate::{
    client::{Api, Goal, SpaceView, wait_for},
    output,
};

/// What to update.
#[derive(Debug, clap::Args)]
pub(super) struct UpdateArgs {
    /// Name or id of the space.
    space: String,
    /// Do not wait until it runs.
    #[arg(long)]
    no_wait: bool,
}

/// Has the space updated to what its host offers.
pub(super) async fn run(api: &Api, args: &UpdateArgs, is_json: bool) -> anyhow::Result<()> {
    let path = format!("{}/update", path_of(&args.space)?);
    let answer = api.send(Method::POST, &path, None).await?;
    let mut shown: Value = api.read(answer).await?;
    let wanted: SpaceView = serde_json::from_value(shown.clone())?;
    if !args.no_wait {
        wait_for(api, &wanted.id, Goal::Settled(wanted.generation)).await?;
        shown = api.get(&path_of(&wanted.id)?).await?;
    }
    if is_json {
        output::json(&shown)?;
    }
    let space: SpaceView = serde_json::from_value(shown)?;
    let version = space.version.clone().unwrap_or_default();
    if space.version != wanted.version {
        bail!("{} runs {version}: {}", space.name, space.reason.unwrap_or_default());
    }
    if is_json {
        return Ok(());
    }
    let state = if args.no_wait { "is updated to" } else { "runs" };
    Ok(output::line(format!("{} {state} {version}", space.name))?)
}
