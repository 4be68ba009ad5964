//! `spaceport admin`: what the operator does.

mod audit;
mod hosts;
mod spaces;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{
    client::{Api, EdgeUrl},
    environment,
    state::State,
};

/// Which edge, and what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct AdminArgs {
    /// Where the edge is.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SPACEPORT_EDGE",
        default_value = "http://127.0.0.1:3000"
    )]
    edge: EdgeUrl,
    /// The state with the operator's key [default: as for `up`]. Not used if the environment has
    /// `SPACEPORT_TOKEN`: the key itself, or a session of an operator's wallet.
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// List all spaces.
    Spaces(spaces::ListArgs),
    /// Stop a space and keep its data, until it is resumed.
    Suspend(spaces::ReasonArgs),
    /// Have a suspended space run again.
    Resume(spaces::ReasonArgs),
    /// Delete a space, with a final backup.
    Teardown(spaces::ReasonArgs),
    /// Give a space money.
    Grant(spaces::GrantArgs),
    /// List the hosts.
    Hosts,
    /// Give a host no more spaces. Those on it stay.
    Drain(hosts::DrainArgs),
    /// Give a host spaces again.
    Undrain(hosts::DrainArgs),
    /// Compare everything with everything; exit with 1 if something is wrong.
    Audit,
    /// List what happened to all spaces, oldest first.
    Events(spaces::EventsArgs),
}

/// Does what was asked for.
pub(super) async fn run(args: AdminArgs, is_json: bool) -> anyhow::Result<()> {
    let token = match environment::token() {
        Some(token) => token,
        None => State::at(args.state)?.admin_key()?,
    };
    let api = Api::with_token(args.edge, token)?;
    match args.command {
        AdminCommand::Spaces(args) => spaces::list(&api, args, is_json).await,
        AdminCommand::Suspend(args) => spaces::want(&api, "suspend", &args, is_json).await,
        AdminCommand::Resume(args) => spaces::want(&api, "resume", &args, is_json).await,
        AdminCommand::Teardown(args) => spaces::want(&api, "teardown", &args, is_json).await,
        AdminCommand::Grant(args) => spaces::grant(&api, &args, is_json).await,
        AdminCommand::Hosts => hosts::list(&api, is_json).await,
        AdminCommand::Drain(args) => hosts::drain(&api, true, &args).await,
        AdminCommand::Undrain(args) => hosts::drain(&api, false, &args).await,
        AdminCommand::Audit => audit::run(&api, is_json).await,
        AdminCommand::Events(args) => spaces::events(&api, &args, is_json).await,
    }
}
