//! Caddy, as `docs/proxies/Caddyfile` has it.

use std::{fs, net::SocketAddr, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{
    daemon::{Daemon, free_address, replaced, tool},
    https::Https,
    repository,
};

/// A Caddy that runs until it is dropped. Its certificates are its own.
#[derive(Debug)]
pub struct Caddy {
    // Dropped first: it ends before its folder goes.
    daemon: Daemon,
    folder: TempDir,
    address: SocketAddr,
}

impl Caddy {
    /// Starts it in front of an edge and a gateway, `http://127.0.0.1:3000`, for the names below `domain`.
    #[must_use]
    pub fn start(edge: &str, gateway: &str, domain: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("spaceport-caddy-").tempdir().unwrap();
        let (address, plain) = (free_address(), free_address());
        let config = fs::read_to_string(repository().join("docs/proxies/Caddyfile")).unwrap();
        let host_of = |url: &str| url.trim_start_matches("http://").to_owned();
        let config = replaced(&config, "127.0.0.1:3000", &host_of(edge));
        let config = replaced(&config, "127.0.0.1:8080", &host_of(gateway));
        let config = replaced(&config, "example.org", domain);
        // Ports that anybody may take, and certificates of its own instead of the internet's.
        let options = format!(
            "\n{{\n\tadmin off\n\tpersist_config off\n\tskip_install_trust\n\tlocal_certs\n\
             \tdefault_bind 127.0.0.1\n\thttps_port {}\n\thttp_port {}\n",
            address.port(),
            plain.port(),
        );
        let config = config.replacen("\n{\n", &options, 1);
        let file = folder.path().join("Caddyfile");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(tool("pypi/bin/caddy"));
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, folder.path());
        }
        let daemon = Daemon::start(&mut command, address, &folder.path().join("log"));
        Self { daemon, folder, address }
    }

    /// Where it listens for HTTPS.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate that all of its own go back to.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("caddy/pki/authorities/local/root.crt")
    }

    /// A client that trusts its certificates.
    #[must_use]
    pub fn client(&self) -> Https {
        Https::trusting(self.address, self.authority())
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}
