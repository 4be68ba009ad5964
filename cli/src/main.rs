//! `spaceport`: runs the product on this machine, and speaks to it as a client.
//!
//! Exit codes: 0 done, 1 failed (one line on standard error says why and what to do), 2 wrong usage.

mod client;
mod clock;
mod commands;
mod environment;
mod files;
mod install;
mod logging;
mod metrics;
mod output;
mod random;
mod serve;
mod shutdown;
mod state;
mod tracing_export;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    // Several libraries below use TLS; all take what is installed here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporting = match logging::start(cli.json, &cli.command) {
        Ok(exporting) => exporting,
        Err(error) => return output::failure(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&anyhow::Error::new(error)),
    };
    let done = runtime.block_on(commands::run(cli));
    // Spans end with what they are of; what is left of them goes out now.
    drop(runtime);
    drop(exporting);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}
