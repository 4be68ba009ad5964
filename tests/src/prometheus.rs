//! Prometheus, as `docs/monitoring/` has it.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::Client,
    daemon::{Daemon, free_address, replaced, tool},
    process::{Output, run},
    repository,
};

/// A Prometheus that runs until it is dropped, and looks every second.
#[derive(Debug)]
pub struct Prometheus {
    // Dropped first: it ends before its folder goes.
    _daemon: Daemon,
    _folder: TempDir,
    client: Client,
}

impl Prometheus {
    /// Has it read the edge, with the operator's bearer, and the process that shows its metrics at `process`.
    #[must_use]
    pub fn start(edge: &str, bearer: &str, process: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("spaceport-prometheus-").tempdir().unwrap();
        let docs = repository().join("docs/monitoring");
        let (key, file) = (folder.path().join("key"), folder.path().join("prometheus.yml"));
        fs::write(&key, bearer).unwrap();
        fs::copy(docs.join("alerts.yml"), folder.path().join("alerts.yml")).unwrap();
        let config = fs::read_to_string(docs.join("prometheus.yml")).unwrap();
        let config = replaced(&config, "interval: 15s", "interval: 1s");
        let config = replaced(&config, "scheme: https", "scheme: http");
        let config = replaced(&config, "/etc/prometheus/spaceport-key", &key.to_string_lossy());
        let config = replaced(&config, "edge.example]", &format!("\"{}\"]", host_of(edge)));
        let config = replaced(&config, "127.0.0.1:9464", process);
        fs::write(&file, config).unwrap();

        let address = free_address();
        let mut command = Command::new(tool("prometheus/usr/bin/prometheus"));
        command.arg("--config.file").arg(&file).arg("--storage.tsdb.path").arg(folder.path());
        command.arg(format!("--web.listen-address={address}")).current_dir(folder.path());
        let daemon = Daemon::start(&mut command, address, &folder.path().join("log"));
        let client = Client::new(&format!("http://{address}"));
        Self { _daemon: daemon, _folder: folder, client }
    }

    /// What it answers at a path of its API, below `/api/v1/`.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let answer = self.client.get(&format!("/api/v1/{path}"), None);
        assert_eq!(answer.json["status"], "success", "{path}: {}", answer.text);
        answer.json["data"].clone()
    }

    /// What it answers to an expression: the samples.
    #[must_use]
    pub fn query(&self, expression: &str) -> Vec<Value> {
        let query =
            expression.bytes().fold(String::new(), |query, it| query + &format!("%{it:02x}"));
        self.get(&format!("query?query={query}"))["result"].as_array().unwrap().clone()
    }
}

fn host_of(url: &str) -> &str {
    url.trim_start_matches("http://")
}

/// What its tool says of a file.
#[must_use]
pub fn promtool(arguments: &[&str], file: &Path) -> Output {
    run(Command::new(tool("prometheus/usr/bin/promtool")).args(arguments).arg(file))
}
