//! A worker against a real Docker Engine and an edge of a few lines, with a state of its own.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post, put},
};
use bollard::{
    Docker,
    exec::{StartExecOptions, StartExecResults},
    models::ExecConfig,
    query_parameters::{
        ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    },
};
use domain::{Desired, Generation, ObservedState, SpaceId, Timestamp};
use fleet::{
    Change, Changes, DesiredSpace, Hello, HelloAnswer, Observation, Observations, Reading,
    Readings, ReadingsAnswer,
};
use futures::StreamExt as _;
use tokio::{sync::Notify, time::timeout};
use worker::{HostCare, Worker, WorkerOptions, purge};

/// How long anything may take before a test gives up. Generous: it is no measurement.
const TIME_MAX: Duration = Duration::from_secs(90);

/// The edge: what it wants, and what it was told.
#[derive(Default)]
pub(crate) struct FakeEdge {
    wishes: Mutex<BTreeMap<SpaceId, (u64, DesiredSpace)>>,
    told: Mutex<Vec<Observation>>,
    /// By their ids, so that each counts once.
    readings: Mutex<BTreeMap<String, Reading>>,
    changed: Notify,
    told_more: Notify,
}

impl FakeEdge {
    /// Wants something.
    pub(crate) fn want(&self, wish: DesiredSpace) {
        let mut wishes = self.wishes.lock().unwrap();
        let seq = wishes.values().map(|it| it.0).max().unwrap_or(0) + 1;
        wishes.insert(wish.id.clone(), (seq, wish));
        drop(wishes);
        self.changed.notify_waiters();
    }

    fn changes(&self, after: u64) -> Changes {
        let wishes = self.wishes.lock().unwrap();
        let newer = wishes.values().filter(|it| after < it.0).cloned();
        let mut items: Vec<_> = newer.map(|(seq, space)| Change { seq, space }).collect();
        items.sort_by_key(|it| it.seq);
        let next = items.last().map_or(after, |it| it.seq);
        Changes { items, next, more: false }
    }

    fn take(&self, observation: Observation) {
        let wish = self.wishes.lock().unwrap().get(&observation.space).map(|it| it.1.clone());
        if let Some(mut wish) = wish.filter(|it| it.generation == observation.generation) {
            match observation.state {
                ObservedState::Failed if !wish.gave_up => {
                    wish.gave_up = true;
                    self.want(wish);
                }
                ObservedState::Ready if !wish.has_data => {
                    wish.has_data = true;
                    self.want(wish);
                }
                _ => {}
            }
        }
        self.told.lock().unwrap().push(observation);
        self.told_more.notify_waiters();
    }
}

async fn serve(edge: Arc<FakeEdge>) -> String {
    let hello = |Json(_): Json<Hello>| async {
        Json(HelloAnswer { host: "test".to_owned(), ticket_key: [7; 32] })
    };
    let changes = async |State(edge): State<Arc<FakeEdge>>,
                         Query(query): Query<HashMap<String, u64>>| {
        let wait = Duration::from_secs(query["wait_seconds"]);
        let changed = edge.changed.notified();
        if edge.changes(query["after"]).items.is_empty() {
            let _ = timeout(wait, changed).await;
        }
        Json(edge.changes(query["after"]))
    };
    let observations = async |State(edge): State<Arc<FakeEdge>>, Json(body): Json<Observations>| {
        body.items.into_iter().for_each(|it| edge.take(it));
        StatusCode::NO_CONTENT
    };
    let readings = async |State(edge): State<Arc<FakeEdge>>, Json(body): Json<Readings>| {
        let mut readings = edge.readings.lock().unwrap();
        readings.extend(body.items.into_iter().map(|it| (it.id.clone(), it)));
        Json(ReadingsAnswer { refused: Vec::new() })
    };
    let router = Router::new()
        .route("/fleet/v1/hello", put(hello))
        .route("/fleet/v1/readings", post(readings))
        .route("/fleet/v1/changes", get(changes))
        .route("/fleet/v1/observations", post(observations))
        .with_state(edge);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// One test's installation. [`Bench::end`] takes everything of it down.
pub(crate) struct Bench {
    pub(crate) edge: Arc<FakeEdge>,
    pub(crate) docker: Docker,
    pub(crate) state_id: String,
    folder: tempfile::TempDir,
    edge_url: String,
    apps: PathBuf,
    spaces: Mutex<u8>,
}

impl Bench {
    /// A new one with the apps of the repository.
    pub(crate) async fn new(name: &str) -> Self {
        // Shown for a test that fails.
        let _ =
            tracing_subscriber::fmt().with_test_writer().with_env_filter("worker=debug").try_init();
        let folder = tempfile::tempdir().unwrap();
        let edge = Arc::new(FakeEdge::default());
        let edge_url = serve(Arc::clone(&edge)).await;
        let docker = Docker::connect_with_defaults().unwrap().negotiate_version().await.unwrap();
        let state_id = format!("test-{name}-{}", std::process::id());
        let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../apps");
        Self { edge, docker, state_id, folder, edge_url, apps, spaces: Mutex::new(0) }
    }

    /// A new one with one app that is made of these two files.
    pub(crate) async fn with_app(name: &str, compose: &str, app: &str) -> Self {
        let mut bench = Self::new(name).await;
        bench.apps = bench.folder.path().join("apps");
        let folder = bench.apps.join("odd");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("compose.yaml"), compose).unwrap();
        std::fs::write(folder.join("app.toml"), app).unwrap();
        bench
    }

    /// A new one with the apps of the end-to-end tests.
    pub(crate) async fn with_test_apps(name: &str) -> Self {
        let mut bench = Self::new(name).await;
        bench.apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/apps");
        bench
    }

    /// Starts a worker.
    pub(crate) async fn worker(&self) -> Worker {
        self.worker_with(HostCare::default()).await
    }

    /// Starts a worker that cares for its spaces as it is told.
    pub(crate) async fn worker_with(&self, care: HostCare) -> Worker {
        let options = WorkerOptions {
            state_dir: self.folder.path().to_owned(),
            state_id: self.state_id.clone(),
            edge_url: self.edge_url.clone(),
            host_key: "key".to_owned(),
            host: "test".to_owned(),
            apps_dir: self.apps.clone(),
            gateway_listen: "127.0.0.1:0".parse().unwrap(),
            gateway_url: None,
            network_pool: WorkerOptions::NETWORK_POOL.to_owned(),
            care,
        };
        Worker::start(options).await.unwrap()
    }

    /// A wish for a new space that nobody has told the worker of.
    pub(crate) fn wish(&self, app: &str) -> DesiredSpace {
        let mut spaces = self.spaces.lock().unwrap();
        *spaces += 1;
        // Like no other test's, since the names of Docker's objects are made of it.
        let mut random = [*spaces; 10];
        for (at, byte) in self.state_id.bytes().enumerate() {
            random[at % 9] ^= byte.rotate_left(u32::try_from(at / 9).unwrap());
        }
        let made_at = Timestamp::from_unix_ms(1_700_000_000_000 + i64::from(std::process::id()));
        let mut wish = DesiredSpace {
            id: SpaceId::new(made_at, random),
            name: format!("garden{spaces}").parse().unwrap(),
            title: "Garden & Friends".to_owned(),
            url: String::new(),
            domains: Vec::new(),
            app: app.to_owned(),
            release: String::new(),
            settings: serde_json::json!({}),
            desired: Desired::Running,
            generation: Generation::FIRST,
            has_data: false,
            gave_up: false,
            suspension: None,
            request_id: None,
        };
        wish.url = format!("http://{}.localhost:8080", wish.name.as_str());
        wish
    }

    /// The same space, wanted otherwise.
    pub(crate) fn change(&self, wish: &DesiredSpace, desired: Desired) -> DesiredSpace {
        let now = self.edge.wishes.lock().unwrap()[&wish.id].1.clone();
        let generation = Generation(now.generation.0 + 1);
        let wish = DesiredSpace { desired, generation, gave_up: false, ..now };
        self.edge.want(wish.clone());
        wish
    }

    /// Waits until the edge was told that `wish` is in `state`.
    pub(crate) async fn told(&self, wish: &DesiredSpace, state: ObservedState) -> Observation {
        let waited = timeout(TIME_MAX, async {
            loop {
                let told_more = self.edge.told_more.notified();
                let told = self.edge.told.lock().unwrap().clone();
                let of_wish = told
                    .into_iter()
                    .rfind(|it| it.space == wish.id && it.generation == wish.generation);
                if let Some(it) = of_wish.filter(|it| it.state == state) {
                    return it;
                }
                let _ = timeout(Duration::from_millis(200), told_more).await;
            }
        });
        waited.await.unwrap_or_else(|_| {
            panic!("never {state:?}, but {:?}", self.edge.told.lock().unwrap().last())
        })
    }

    /// What the edge was told that a space used.
    pub(crate) fn readings(&self, wish: &DesiredSpace) -> Vec<Reading> {
        let readings = self.edge.readings.lock().unwrap();
        readings.values().filter(|it| it.space == wish.id).cloned().collect()
    }

    /// Has the service `web` of a space write a file of so many MiB into its volume.
    pub(crate) async fn fill(&self, wish: &DesiredSpace, file: &str, mib: u32) {
        let (of, count) = (format!("of=/data/{file}"), format!("count={mib}"));
        let command = ["busybox", "dd", "if=/dev/zero", &of, "bs=1M", &count];
        let config =
            ExecConfig { cmd: Some(command.map(str::to_owned).into()), ..ExecConfig::default() };
        let web = format!("{}-web", wish.id.docker_name());
        let exec = self.docker.create_exec(&web, config).await.unwrap();
        let options = StartExecOptions { detach: true, ..StartExecOptions::default() };
        self.docker.start_exec(&exec.id, Some(options)).await.unwrap();
    }

    /// What a command says that is run in a container.
    pub(crate) async fn exec(&self, container: &str, command: &[&str]) -> String {
        let config = ExecConfig {
            cmd: Some(command.iter().map(|it| (*it).to_owned()).collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let exec = self.docker.create_exec(container, config).await.unwrap();
        let started = self.docker.start_exec(&exec.id, None).await.unwrap();
        let StartExecResults::Attached { output, .. } = started else { return String::new() };
        let said: Vec<_> = output.map(|it| it.unwrap().to_string()).collect().await;
        said.concat()
    }

    /// What the edge was told last of the reason of `wish`; empty if there is none.
    pub(crate) fn reason(&self, wish: &DesiredSpace) -> String {
        let told = self.edge.told.lock().unwrap();
        let last = told.iter().rfind(|it| it.space == wish.id);
        last.and_then(|it| it.reason.clone()).unwrap_or_default()
    }

    /// Waits until `is_so`.
    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let begin = Instant::now();
        while !is_so().await {
            assert!(begin.elapsed() < TIME_MAX, "never: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What Docker has of this installation: `container spc-…-web running`, sorted.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let label = format!("spaceport.state={}", self.state_id);
        let filters = HashMap::from([("label".to_owned(), vec![label])]);
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let containers = self.docker.list_containers(Some(containers)).await.unwrap();
        let networks = self.docker.list_networks(Some(networks)).await.unwrap();
        let volumes = self.docker.list_volumes(Some(volumes)).await.unwrap();
        let containers = containers.into_iter().map(|it| {
            let name = it.names.unwrap().remove(0);
            format!("container {} {}", name.trim_start_matches('/'), it.state.unwrap())
        });
        let networks = networks.into_iter().map(|it| format!("network {}", it.name.unwrap()));
        let volumes = volumes.volumes.unwrap_or_default();
        let volumes = volumes.into_iter().map(|it| format!("volume {}", it.name));
        let mut all: Vec<_> = containers.chain(networks).chain(volumes).collect();
        all.sort();
        all
    }

    /// Where the worker keeps everything.
    pub(crate) fn state_dir(&self) -> &Path {
        self.folder.path()
    }

    /// What the worker keeps of a space.
    pub(crate) fn files(&self, wish: &DesiredSpace) -> PathBuf {
        self.folder.path().join("worker/spaces").join(wish.id.as_str())
    }

    /// Takes everything down, and checks that nothing is left.
    pub(crate) async fn end(self, worker: Worker) {
        worker.stop().await;
        purge(&self.state_id, true).await.unwrap();
        assert_eq!(self.objects().await, Vec::<String>::new());
    }
}

/// What a visitor of `wish` gets: status and body.
pub(crate) async fn visit(worker: &Worker, wish: &DesiredSpace) -> (u16, String) {
    visit_at(worker, wish, "/").await
}

/// What a visitor of a path of `wish` gets.
pub(crate) async fn visit_at(worker: &Worker, wish: &DesiredSpace, path: &str) -> (u16, String) {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| reqwest::Client::builder().no_proxy().build().unwrap());
    let url = format!("http://{}{path}", worker.gateway_addr());
    let host = format!("{}.localhost", wish.name.as_str());
    let response = client.get(url).header("host", host).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.text().await.unwrap())
}
