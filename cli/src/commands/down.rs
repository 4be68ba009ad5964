//! `spaceport down`: takes down what a state has put up.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use worker::Purged;

use crate::{
    output,
    state::{Half, State},
};

/// What is taken down.
#[derive(Debug, clap::Args)]
pub(crate) struct DownArgs {
    /// Where everything is kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Remove every container, network and volume of this state, and the state with the final backups
    /// of spaces that were deleted. No backup is made before: the data is lost.
    #[arg(long)]
    purge: bool,
}

/// Stops the spaces, or removes them.
pub(super) async fn run(args: DownArgs, is_json: bool) -> anyhow::Result<()> {
    let state = State::at(args.state)?;
    let purged = match state.existing_id()? {
        Some(id) => take_down(&state, &id, args.purge).await?,
        // Taken down already, or never put up.
        None => Purged::default(),
    };
    if is_json {
        output::json(&json!({
            "purged": args.purge,
            "containers": purged.containers,
            "networks": purged.networks,
            "volumes": purged.volumes,
        }))?;
    } else if args.purge {
        output::line(format!(
            "removed {} containers, {} networks, {} volumes, and {}",
            purged.containers,
            purged.networks,
            purged.volumes,
            state.folder().display()
        ))?;
    } else {
        output::line(format!("stopped {} containers", purged.containers))?;
    }
    Ok(())
}

async fn take_down(state: &State, id: &str, purge: bool) -> anyhow::Result<Purged> {
    // Whoever runs on this state would put up again what is taken down.
    let _locks = [state.lock(Half::Edge)?, state.lock(Half::Worker)?];
    let purged = worker::purge(id, purge).await?;
    if purge {
        state.remove().with_context(|| format!("cannot remove {}", state.folder().display()))?;
    }
    Ok(purged)
}
