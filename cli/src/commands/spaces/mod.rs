//! `spaceport spaces`: spaces as their owner sees them.

mod create;
mod credentials;
mod delete;
mod list;
mod logs;
mod query;
mod show;
mod ticket;
mod update;

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
    /// Update a space to the release of its app that its host offers, and wait until it runs.
    Update(update::UpdateArgs),
    /// Delete a space with its data, and wait until it is gone.
    Delete(delete::DeleteArgs),
    /// Show what the services of a space write.
    Logs(logs::LogsArgs),
    /// Show the user name and password that were made for you. They are shown once.
    Credentials(credentials::CredentialsArgs),
    /// Ask the meters and signals of a space on this machine, as its operator.
    Query(query::QueryArgs),
}

/// Does what was asked for.
pub(super) async fn run(args: SpacesArgs, is_json: bool) -> anyhow::Result<()> {
    let SpacesArgs { client, command } = args;
    let connect = || Api::connect(&client);
    match command {
        SpacesCommand::Create(args) => create::run(&connect().await?, args, is_json).await,
        SpacesCommand::List => list::run(&connect().await?, is_json).await,
        SpacesCommand::Show(args) => show::run(&connect().await?, &args, is_json).await,
        SpacesCommand::Update(args) => update::run(&connect().await?, &args, is_json).await,
        SpacesCommand::Delete(args) => delete::run(&connect().await?, &args, is_json).await,
        SpacesCommand::Logs(args) => logs::run(&connect().await?, args, is_json).await,
        SpacesCommand::Credentials(args) => {
            credentials::run(&connect().await?, &args, is_json).await
        }
        // It is no business of an edge.
        SpacesCommand::Query(args) => query::run(args, is_json).await,
    }
}

/// The path of a space that a person named by id or name. What has no place in a path is none.
pub(super) fn path_of(space: &str) -> anyhow::Result<String> {
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
