//! Traefik, as `docs/proxies/traefik.yaml` and `traefik-edge.yaml` have it.

use std::{fs, net::SocketAddr, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::Client,
    daemon::{Daemon, free_address, replaced, tool},
    https::Https,
    repository,
};

/// A Traefik that runs until it is dropped. Its certificate is one that it signed itself.
#[derive(Debug)]
pub struct Traefik {
    // Dropped first: it ends before its folder goes.
    daemon: Daemon,
    _folder: TempDir,
    address: SocketAddr,
    plain: SocketAddr,
    api: Client,
}

impl Traefik {
    /// Starts it in front of an edge and a gateway, `http://127.0.0.1:3000`, for the names below `domain`.
    /// `others` is what else is in the folder of its dynamic configuration.
    #[must_use]
    pub fn start(edge: &str, gateway: &str, domain: &str, others: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("spaceport-traefik-").tempdir().unwrap();
        let (address, plain, api) = (free_address(), free_address(), free_address());
        let read = |name: &str| {
            let text = fs::read_to_string(repository().join("docs/proxies").join(name)).unwrap();
            let text = replaced(&text, "http://127.0.0.1:3000", edge);
            replaced(&text, "http://127.0.0.1:8080", gateway)
        };
        let dynamic = folder.path().join("dynamic");
        let config =
            replaced(&read("traefik.yaml"), "/etc/traefik/dynamic", &dynamic.display().to_string());
        let config = replaced(&config, "\":443\"", &format!("\"{address}\""));
        let config = replaced(&config, "\":80\"", &format!("\"{plain}\""));
        // To be asked what it knows.
        let entry_point = format!("entryPoints:\n  traefik:\n    address: \"{api}\"\n");
        let config = replaced(&config, "entryPoints:\n", &entry_point) + "api:\n  insecure: true\n";
        fs::create_dir(&dynamic).unwrap();
        let edge = replaced(&read("traefik-edge.yaml"), "example.org", domain);
        fs::write(dynamic.join("edge.yaml"), edge).unwrap();
        fs::write(dynamic.join("others.yaml"), others).unwrap();
        let file = folder.path().join("traefik.yaml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(tool("pypi/bin/traefik"));
        command.arg(format!("--configFile={}", file.display())).current_dir(folder.path());
        let daemon = Daemon::start(&mut command, address, &folder.path().join("log"));
        let api = Client::new(&format!("http://{api}"));
        Self { daemon, _folder: folder, address, plain, api }
    }

    /// Where it listens for HTTP.
    #[must_use]
    pub fn plain(&self) -> Client {
        Client::new(&format!("http://{}", self.plain))
    }

    /// A client that takes its certificate for good.
    #[must_use]
    pub fn client(&self) -> Https {
        Https::trusting_anybody(self.address)
    }

    /// The router with this name, if it has one: `space-garden@http`.
    #[must_use]
    pub fn router(&self, name: &str) -> Option<Value> {
        let answer = self.api.get(&format!("/api/http/routers/{name}"), None);
        answer.status.is_success().then_some(answer.json)
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}
