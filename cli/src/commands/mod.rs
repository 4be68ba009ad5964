//! The subcommands.

mod admin;
mod apps;
mod backups;
mod demo;
mod doctor;
mod down;
mod edge;
mod firewall;
mod host;
mod money;
mod spaces;
mod up;
mod worker;

use clap::{Parser, Subcommand};

use self::firewall::Firewall;

/// Gives a community its own instance of an app, at its own name.
#[derive(Debug, Parser)]
#[command(name = "spaceport", version)]
pub(crate) struct Cli {
    /// Write results for programs, as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run edge, worker and gateway on this machine until it is asked to stop.
    Up(up::UpArgs),
    /// Run the edge only.
    Edge(edge::EdgeArgs),
    /// Run the worker and its gateway only.
    Worker(worker::WorkerArgs),
    /// Stop the spaces of a state, or remove them with all they hold.
    Down(down::DownArgs),
    /// Run everything on free ports and make a space to look at.
    Demo(demo::DemoArgs),
    /// Make, see and delete spaces.
    Spaces(spaces::SpacesArgs),
    /// See and verify the final backups of spaces that were deleted.
    Backups(backups::BackupsArgs),
    /// Show what a space used.
    Usage(money::usage::UsageArgs),
    /// Show what the running month of a space comes to so far.
    Charges(money::OfSpace),
    /// Show the invoices of a space.
    Invoices(money::invoices::InvoicesArgs),
    /// Show where the money of a space came from and went.
    Ledger(money::OfSpace),
    /// See and change where you are told what happens to your spaces.
    Contact(money::contact::ContactArgs),
    /// What the operator does.
    Admin(admin::AdminArgs),
    /// Check templates of apps.
    Apps(apps::AppsArgs),
    /// Say what this machine lacks, and how to get it.
    Doctor(doctor::DoctorArgs),
}

/// Does what was asked for.
///
/// # Errors
/// Why it is not done, and what to do.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { json, command } = cli;
    match command {
        Command::Up(args) => up::run(args, json).await,
        Command::Edge(args) => edge::run(args, json).await,
        Command::Worker(args) => worker::run(args, json).await,
        Command::Down(args) => down::run(args, json).await,
        Command::Demo(args) => demo::run(args, json).await,
        Command::Spaces(args) => spaces::run(args, json).await,
        Command::Backups(args) => backups::run(args, json),
        Command::Usage(args) => money::usage::run(args, json).await,
        Command::Charges(args) => money::charges::run(args, json).await,
        Command::Invoices(args) => money::invoices::run(args, json).await,
        Command::Ledger(args) => money::ledger::run(args, json).await,
        Command::Contact(args) => money::contact::run(args, json).await,
        Command::Admin(args) => admin::run(args, json).await,
        Command::Apps(args) => apps::run(&args, json),
        Command::Doctor(args) => doctor::run(args, json).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
