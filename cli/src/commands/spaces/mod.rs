//! `spaceport spaces`: spaces as their owner sees them.

mod create;
mod delete;
mod list;
mod logs;
mod show;

use clap::Subcommand;

use crate::client::{Api, ClientArgs};

/// Which edge, as whom, and what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct SpacesArgs {
    #[command(flatten)]
    client: ClientArgs,
    #[command(subcommand)]
    command: SpacesCommand,
}

/// What to do with spaces.
#[derive(Debug, Subcommand)]
enum SpacesCommand {
    /// Make a space, and wait until it answers.
    Create(create::CreateArgs),
    /// List your spaces.
    List,
    /// Show a space.
    Show(show::ShowArgs),
    /// Delete a space with its data, and wait until it is gone.
    Delete(delete::DeleteArgs),
    /// Show what the services of a space write.
    Logs(logs::LogsArgs),
}

/// Does what was asked for.
pub(super) async fn run(args: SpacesArgs, is_json: bool) -> anyhow::Result<()> {
    let api = Api::connect(&args.client).await?;
    match args.command {
        SpacesCommand::Create(args) => create::run(&api, args, is_json).await,
        SpacesCommand::List => list::run(&api, is_json).await,
        SpacesCommand::Show(args) => show::run(&api, &args, is_json).await,
        SpacesCommand::Delete(args) => delete::run(&api, &args, is_json).await,
        SpacesCommand::Logs(args) => logs::run(&api, args, is_json).await,
    }
}

/// The path of a space that a person named by id or name. What has no place in a path is none.
fn path_of(space: &str) -> anyhow::Result<String> {
    let is_plain = !space.is_empty()
        && space.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
    anyhow::ensure!(is_plain, "{space:?} is neither the name nor the id of a space");
    Ok(format!("/v1/spaces/{space}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_ids_become_paths() {
        assert_eq!(path_of("my-garden").unwrap(), "/v1/spaces/my-garden");
        assert_eq!(path_of("spc_01ARYZ6S41").unwrap(), "/v1/spaces/spc_01ARYZ6S41");
        for text in ["", ".", "..", "a/b", "a?b", "a%2Fb", "a b"] {
            assert!(path_of(text).is_err(), "{text}");
        }
    }
}
