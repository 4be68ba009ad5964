//! Where log lines go: standard error, as much of them as `RUST_LOG` says.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::{
    commands::Command,
    environment::{self, LogFormat},
};

/// Starts logging. By default a server tells what it does, except to a program.
pub(crate) fn start(is_json: bool, command: &Command) {
    let default = match command {
        Command::Up(_) | Command::Edge(_) | Command::Worker(_) if !is_json => {
            "warn,spaceport=info,worker=info,edge_host=info"
        }
        _ => "warn",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match environment::log_format() {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
