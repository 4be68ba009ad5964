//! `spaceport backups`: the final backups of a state, whether or not its worker runs.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};
use worker::{KeptBackup, VerifiedBackup, list_backups, verify_backup};

use crate::{output, state::State};

/// What to do with backups.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupsArgs {
    /// Where everything is kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: BackupsCommand,
}

#[derive(Debug, Subcommand)]
enum BackupsCommand {
    /// Show the final backups of spaces that were deleted: space, name, time and bytes.
    List,
    /// Read all of a backup and compare it with its manifest.
    Verify {
        /// The file.
        file: PathBuf,
    },
}

/// Does what was asked for.
pub(super) fn run(args: BackupsArgs, is_json: bool) -> anyhow::Result<()> {
    let state = State::at(args.state)?;
    match args.command {
        BackupsCommand::List => {
            let kept = list_backups(state.folder())?;
            if is_json {
                let backups: Vec<_> = kept.into_iter().map(view).collect();
                output::json(&json!({ "backups": backups }))?;
            } else {
                kept.into_iter().try_for_each(|it| output::line(line(it)))?;
            }
        }
        BackupsCommand::Verify { file } => {
            let verified = verify_backup(state.folder(), &file);
            let verified = verified.with_context(|| file.display().to_string())?;
            if is_json {
                output::json(&verified_view(&verified))?;
            } else {
                output::line(verified_line(&verified))?;
            }
        }
    }
    Ok(())
}

fn line(kept: KeptBackup) -> String {
    let KeptBackup { file, space, created_at, bytes, name } = kept;
    let name = match name {
        Ok(name) => name.unwrap_or_else(|| "(no name)".to_owned()),
        Err(error) => format!("({})", output::one_line(&error.into())),
    };
    format!("{space}  {created_at}  {bytes:>12}  {name}  {}", file.display())
}

fn view(kept: KeptBackup) -> Value {
    let KeptBackup { file, space, created_at, bytes, name } = kept;
    let (name, error) = match name {
        Ok(name) => (name, None),
        Err(error) => (None, Some(output::one_line(&error.into()))),
    };
    json!({
        "space": space,
        "name": name,
        "created_at": created_at,
        "bytes": bytes,
        "file": file,
        "error": error,
    })
}

fn verified_line(verified: &VerifiedBackup) -> String {
    let VerifiedBackup { space, name, created_at, n_entries, bytes, missing, .. } = verified;
    let name = name.as_deref().unwrap_or("(no name)");
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!("; gone when it was made: {}", missing.join(", "))
    };
    format!("ok: {name} ({space}) of {created_at}, {n_entries} entries, {bytes} bytes{missing}")
}

fn verified_view(verified: &VerifiedBackup) -> Value {
    json!({
        "ok": true,
        "space": verified.space,
        "name": verified.name,
        "app": verified.app,
        "created_at": verified.created_at,
        "entries": verified.n_entries,
        "bytes": verified.bytes,
        "missing": verified.missing,
    })
}
