//! Where log lines go: standard error, as much of them as `RUST_LOG` says.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    commands::Command,
    environment::{self, LogFormat},
    tracing_export::{self, Exporting},
};

/// Starts logging, and a server's traces if the environment says where to. By default a server tells what
/// it does, except to a program.
///
/// # Errors
/// If traces can't be sent where the environment says.
pub(crate) fn start(is_json: bool, command: &Command) -> anyhow::Result<Option<Exporting>> {
    let is_server = matches!(command, Command::Up(_) | Command::Edge(_) | Command::Worker(_));
    let default = if is_server && !is_json {
        "warn,spaceport=info,worker=info,edge_host=info"
    } else {
        "warn"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match environment::log_format() {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let exporting = if is_server { tracing_export::from_environment()? } else { None };
    let spans = exporting.as_ref().map(Exporting::layer);
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).init();
    Ok(exporting)
}
