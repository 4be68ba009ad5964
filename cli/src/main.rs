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
mod output;
mod random;
mod serve;
mod shutdown;
mod state;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    logging::start(cli.json, &cli.command);
    // Two libraries below use TLS; both take what is installed here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&anyhow::Error::new(error)),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}
