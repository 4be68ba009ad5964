//! Speaking to an edge as any client does.

mod api;
mod edge_url;
mod sign_in;
mod space;
mod wallet;

use std::path::PathBuf;

pub(crate) use api::{Api, ApiError, http_client};
pub(crate) use edge_url::EdgeUrl;
#[cfg(test)]
pub(crate) use space::tests;
pub(crate) use space::{Goal, SpaceView, wait_for};
pub(crate) use wallet::WalletFile;

/// Which edge, and as whom.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ClientArgs {
    /// Where the edge is.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SPACEPORT_EDGE",
        default_value = "http://127.0.0.1:3000"
    )]
    pub(crate) edge: EdgeUrl,
    /// The file with the wallet's private key [default: ~/.local/share/spaceport/wallet.key, made
    /// on first use]. Not used if the environment has `SPACEPORT_TOKEN`.
    #[arg(long, global = true, value_name = "FILE", env = "SPACEPORT_WALLET")]
    pub(crate) wallet: Option<PathBuf>,
}
