//! `spaceport apps`: templates of apps, as their author sees them.

mod check;

use clap::Subcommand;

/// What to do with templates.
#[derive(Debug, clap::Args)]
pub(crate) struct AppsArgs {
    #[command(subcommand)]
    command: AppsCommand,
}

#[derive(Debug, Subcommand)]
enum AppsCommand {
    /// Say all that is wrong with templates of apps, each with file, line and key.
    Check(check::CheckArgs),
}

/// Does what was asked for.
pub(super) fn run(args: &AppsArgs, is_json: bool) -> anyhow::Result<()> {
    match &args.command {
        AppsCommand::Check(args) => check::run(args, is_json),
    }
}
