//! Starts an edge on the probes, and speaks to it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use edge_host::{Edge, EdgeOptions, StartError};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

/// One component on all routes, with both stores and a variable.
pub(crate) const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "probes"
[variables]
greeting = { default = "hello" }
[[trigger.http]]
route = "/..."
component = "probe"
[component.probe]
source = "{probes}/probe.wasm"
key_value_stores = ["default"]
sqlite_databases = ["default"]
environment = { PROBE = "set" }
[component.probe.variables]
greeting = "{{ greeting }} there"
"#;

/// An edge and its directory, which are gone when it is dropped.
pub(crate) struct Running {
    pub(crate) edge: Edge,
    pub(crate) directory: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Running {
    pub(crate) async fn start(manifest: &str) -> Self {
        Self::try_start(manifest).await.unwrap_or_else(|it| panic!("{it:?}"))
    }

    pub(crate) async fn try_start(manifest: &str) -> Result<Self, StartError> {
        let directory = tempfile::tempdir().unwrap();
        let edge = Edge::start(options(&directory, manifest)).await?;
        Ok(Self { edge, directory })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let uri = format!("http://{}{path}", self.edge.addr());
        let request = http::Request::builder().method(method).uri(uri);
        send(request.body(body.to_owned()).unwrap()).await
    }
}

impl Answer {
    /// The text of a 200.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        self.text
    }

    /// The text of an error that the probe was given and passed on.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.status, StatusCode::CONFLICT, "{self:?}");
        self.text
    }
}

pub(crate) async fn send(request: http::Request<String>) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = request.map(|it| Full::new(Bytes::from(it)));
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    Answer { status: parts.status, headers: parts.headers, text }
}

/// Options for `manifest`, in which `{probes}` is where the probes are.
pub(crate) fn options(directory: &TempDir, manifest: &str) -> EdgeOptions {
    let path = directory.path().join("spin.toml");
    let probes = probes();
    std::fs::write(&path, manifest.replace("{probes}", probes.to_str().unwrap())).unwrap();
    EdgeOptions {
        manifest: path,
        runtime_config: None,
        state_dir: directory.path().join("state"),
        variables: BTreeMap::new(),
        listener: std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
        on_write: None,
    }
}

fn probes() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/probes");
    #[expect(clippy::disallowed_methods, reason = "where a build put the probes")]
    let directory = std::env::var("SPACEPORT_PROBES_DIR").map_or(default, PathBuf::from);
    assert!(
        directory.join("probe.wasm").exists(),
        "{} has no probes: build them (edge-host/README.md says how)",
        directory.display()
    );
    directory.canonicalize().unwrap()
}

/// A server that answers 200 with its number of connections so far, and tells what it was asked.
pub(crate) async fn listener() -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (asked, questions) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for count in 1.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let asked = asked.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    let _ = asked.send(String::from_utf8_lossy(&buffer[..length]).into_owned());
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{count}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (addr, questions)
}

/// The next of `questions`, within a time that only a broken edge needs.
pub(crate) async fn next(questions: &mut mpsc::UnboundedReceiver<String>) -> String {
    tokio::time::timeout(Duration::from_secs(20), questions.recv()).await.unwrap().unwrap()
}
