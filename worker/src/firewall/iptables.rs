//! Runs the programs of `iptables`.

use std::{io, process::Stdio};

use tokio::{io::AsyncWriteExt as _, process::Command};

use super::FirewallError;

const SAVE: &str = "iptables-save";
const RESTORE: &str = "iptables-restore";

/// How long to wait for others who change the rules, in seconds.
const LOCK_WAIT: &str = "10";

/// Longest part of what a program said that is shown, in characters.
const SAID_CHARS_MAX: usize = 300;

/// The table of filters as it is now.
pub(super) async fn table() -> Result<String, FirewallError> {
    run(SAVE, &["-t", "filter"], "").await
}

/// Changes the table as `rules` say, all at once or not at all.
pub(super) async fn restore(rules: &str) -> Result<(), FirewallError> {
    run(RESTORE, &["-w", LOCK_WAIT, "--noflush"], rules).await.map(drop)
}

/// Whether `rules` could be applied.
pub(super) async fn try_out(rules: &str) -> Result<(), FirewallError> {
    run(RESTORE, &["-w", LOCK_WAIT, "--noflush", "--test"], rules).await.map(drop)
}

async fn run(
    program: &'static str,
    arguments: &[&str],
    input: &str,
) -> Result<String, FirewallError> {
    let cannot_run = |cause: io::Error| FirewallError::Program { program, cause };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot_run)?;
    if let Some(mut stdin) = child.stdin.take() {
        // What it said goes before that it did not listen to the end.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(cannot_run)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.split_whitespace().collect();
    let said: String = said.join(" ").chars().take(SAID_CHARS_MAX).collect();
    // Most of the time it says its own name.
    let said = if said.starts_with(program) { said } else { format!("{program}: {said}") };
    Err(FirewallError::Refused { said })
}
