//! What a worker is told when it starts, and why it may not start.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use crate::Mail;

/// What a worker is told when it starts.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The folder of the installation's state. The worker keeps what it must under `worker/`.
    pub state_dir: PathBuf,
    /// Names this installation on the Docker Engine: the value of the label `spaceport.state`.
    pub state_id: String,
    /// Where the edge is: `http://127.0.0.1:3000`.
    pub edge_url: String,
    /// The host's key, with which the edge knows us.
    pub host_key: String,
    /// The host's name at the edge.
    pub host: String,
    /// The folder of the app templates.
    pub apps_dir: PathBuf,
    /// Where the gateway listens; port 0 picks a free one.
    pub gateway_listen: SocketAddr,
    /// Where visitors reach the gateway; `http://<gateway address>` if none, with the host's name where
    /// the gateway listens on every address. Its scheme is what spaces are told that visitors use.
    pub gateway_url: Option<String>,
    /// The IPv4 range from which every space gets a network of 16 addresses:
    /// [`WorkerOptions::NETWORK_POOL`].
    pub network_pool: String,
    /// How the host looks after its spaces.
    pub care: HostCare,
}

/// How a host looks after its spaces.
#[derive(Clone, Debug)]
pub struct HostCare {
    /// Whether what spaces send is filtered.
    pub firewall: FirewallMode,
    /// For how many days final backups are kept.
    pub backup_retention_days: u16,
    /// How often what spaces use is told to the edge.
    pub meter_period: Duration,
    /// By whom tenants are written to. Without it none is.
    pub mail: Option<Mail>,
}

/// Whether what spaces send to the host and its networks is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirewallMode {
    /// It is, or the worker does not start.
    On,
    /// It is not: for a machine on which nothing but these spaces would be reached.
    Off,
}

impl WorkerOptions {
    /// The usual range of the spaces' networks: room for 4096.
    pub const NETWORK_POOL: &str = "10.213.0.0/16";
}

impl Default for HostCare {
    /// Filtered; a month; a quarter of an hour.
    fn default() -> Self {
        Self {
            firewall: FirewallMode::On,
            backup_retention_days: 30,
            meter_period: Duration::from_mins(15),
            mail: None,
        }
    }
}

/// Why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An app template is not right.
    #[error("an app template is not right")]
    Apps(#[from] apps::ReadError),
    /// What the operator sets for an app is not right.
    #[error("what the operator sets for an app is not right")]
    OperatorValues(#[source] io::Error),
    /// There is no app that could be run.
    #[error("no app template in {}", folder.display())]
    NoApps {
        /// The folder that was read.
        folder: PathBuf,
    },
    /// The range of the spaces' networks is not one.
    #[error("{text:?} is no IPv4 range of at least 16 private addresses, such as 10.213.0.0/16")]
    NetworkPool {
        /// What was given instead.
        text: String,
    },
    /// What spaces send can't be filtered.
    #[error(
        "spaces can't be kept from this host: start as root where iptables is installed, or accept \
         that with --firewall off"
    )]
    Firewall(#[from] crate::FirewallError),
    /// The Docker Engine does not answer.
    #[error("the Docker Engine does not answer; is it running, and may you use it?")]
    Docker(#[source] bollard::errors::Error),
    /// The worker's own files could not be made or read.
    #[error("could not use {}", path.display())]
    Files {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// What spaces use can't be kept.
    #[error("what spaces use can't be kept")]
    Meter(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The gateway's address is taken or not this machine's.
    #[error("the gateway cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The edge's address is none.
    #[error("{url:?} is no address of an edge")]
    EdgeUrl {
        /// What was given instead.
        url: String,
    },
    /// The edge was asked and will not have us.
    #[error("the edge does not take this worker")]
    Edge(#[from] crate::EdgeError),
}
