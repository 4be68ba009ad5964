//! Why packets can't be filtered.

use std::io;

/// Packets can't be filtered.
#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    /// The program can't be run.
    #[error("{program} can't be run")]
    Program {
        /// `iptables-save`.
        program: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The program would not do it.
    #[error("{said}")]
    Refused {
        /// Its name and what it said, as one line.
        said: String,
    },
    /// Docker filters with something else, or elsewhere.
    #[error("Docker has no chain DOCKER-USER in iptables here")]
    NoDockerChain,
}
