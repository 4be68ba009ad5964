//! Killed at any moment and started again, the product carries on: never two stacks, no orphan, no
//! answer lost.
//!
//! Method: a client lives a whole life of a space (sign in, make, wait, visit, delete, sign out) and
//! repeats what got no answer. Meanwhile the product is killed at one named place after the other, as
//! `kill -9` does, and started again. A place that is never reached fails the test.

#[path = "../../../worker/src/failpoint_names.rs"]
#[expect(unreachable_pub, reason = "it is another package's file: its list, without its weight")]
pub(crate) mod failpoint_names;

use std::{
    collections::{BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use e2e::{Answer, Client, Installation, Kind, Process, Signer, Tenant, eventually};
use http::Method;
use serde_json::{Value, json};

/// How long a killed process may take to be gone once its client lost it.
const DEATH_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a space may take to get where it is going, kills and all.
const CHANGE_TIME_MAX: Duration = Duration::from_mins(1);
/// The apps of these tests and their services.
const SERVICES: [(&str, &[&str]); 2] = [("hello", &["web"]), ("notes", &["db", "web"])];

/// Kills of the worker, one after the other, in one life of a space of the app.
#[rustfmt::skip]
const WORKER_ROWS: [(&str, &[&str]); 19] = [
    ("hello", &["worker:create-network:before",     "worker:remove-container:before"]),
    ("hello", &["worker:create-network:after",      "worker:remove-container:after"]),
    ("hello", &["worker:create-container:before",   "worker:remove-network:before"]),
    ("hello", &["worker:create-container:after",    "worker:remove-network:after"]),
    ("hello", &["worker:start-container:before",    "worker:remove-secrets:before"]),
    ("hello", &["worker:start-container:after",     "worker:remove-secrets:after"]),
    ("hello", &["worker:write-ready-marker:before", "worker:report:before"]),
    ("hello", &["worker:hello:after",               "worker:report:after"]),
    ("hello", &["worker:report:before@2",           "worker:report:after@2"]),
    ("notes", &["worker:write-secrets:before",      "worker:remove-volume:before"]),
    ("notes", &["worker:write-secrets:after",       "worker:remove-volume:after"]),
    ("notes", &["worker:create-volume:before",      "worker:remove-container:before@2"]),
    ("notes", &["worker:create-volume:after",       "worker:remove-container:after@2"]),
    ("notes", &["worker:create-container:before@2", "worker:remove-secrets:before"]),
    ("notes", &["worker:create-container:after@2",  "worker:remove-secrets:after"]),
    ("notes", &["worker:start-container:before@2",  "worker:remove-network:after"]),
    ("notes", &["worker:start-container:after@2",   "worker:write-ready-marker:after"]),
    ("notes", &["worker:back-up:before",            "worker:back-up:after"]),
    ("notes", &["worker:backup:written", "worker:backup:verified", "worker:backup:recorded"]),
];

/// Kills of the worker that only a space comes to that never gets ready.
const STOP_ROW: [&str; 2] = ["worker:stop-container:before", "worker:stop-container:after"];

/// Kills of the edge. With a small number it dies while it starts or signs in, with a larger one
/// while a space is made, watched or deleted.
#[rustfmt::skip]
const EDGE_ROWS: [&[&str]; 7] = [
    &["edge:request",      "edge:request@4",      "edge:request@7",      "edge:request@15"],
    &["edge:response",     "edge:response@4",     "edge:response@7",     "edge:response@15"],
    &["edge:sql:before",   "edge:sql:before@12",  "edge:sql:before@25",  "edge:sql:before@40"],
    &["edge:sql:after",    "edge:sql:after@12",   "edge:sql:after@25",   "edge:sql:after@40"],
    &["edge:commit:before", "edge:commit:after", "edge:commit:before@2", "edge:commit:after@2",
      "edge:commit:before@3", "edge:commit:after@3"],
    &["edge:kv:before",    "edge:kv:after",       "edge:kv:before@2"],
    &["edge:kv:after@2"],
];

/// A client and the product under it, which is killed now and then.
struct Survivor {
    installation: Installation,
    signer: Signer,
    tenant: Option<Tenant>,
    /// The places at which it is killed, the next one first. The first is armed.
    to_come: VecDeque<String>,
    n_lives: usize,
}

impl Survivor {
    fn new(installation: Installation) -> Self {
        let signer = Signer::start();
        Self { installation, signer, tenant: None, to_come: VecDeque::new(), n_lives: 0 }
    }

    /// Arms the first of `failpoints`; each kill arms the next.
    fn arm(&mut self, failpoints: &[&str]) {
        self.installation.stop();
        self.to_come = failpoints.iter().copied().map(str::to_owned).collect();
        self.start();
    }

    /// Starts the product so that it is killed at the next place, if there is one.
    fn start(&mut self) {
        while let Some(failpoint) = self.to_come.front().cloned() {
            match self.installation.up_to_failpoint(&failpoint) {
                Ok(()) => return,
                // It came there before it was ready.
                Err(status) => self.was_killed(status),
            }
        }
        self.installation.up();
    }

    fn was_killed(&mut self, status: ExitStatus) {
        let failpoint = self.to_come.pop_front();
        let log = self.installation.log();
        assert!(Process::was_killed(status), "{failpoint:?}: it ended with {status}:\n{log}");
        assert!(failpoint.is_some(), "nobody killed it:\n{log}");
    }

    /// After a request without an answer: the product must have been killed, and is started again.
    fn start_again(&mut self, error: &ureq::Error) {
        let status = self.installation.process().wait(DEATH_TIME_MAX);
        let status = status.unwrap_or_else(|| panic!("no answer, and it still runs: {error}"));
        self.was_killed(status);
        self.installation.kill();
        self.start();
        let edge = self.installation.edge();
        self.tenant = self.tenant.take().map(|it| it.at(&edge));
    }

    /// Asks until there is an answer.
    fn insist(&mut self, ask: impl Fn(&mut Self) -> Result<Answer, ureq::Error>) -> Answer {
        loop {
            match ask(self) {
                Ok(answer) => return answer,
                Err(error) => self.start_again(&error),
            }
        }
    }

    fn call(&mut self, method: &Method, path: &str, key: &str, body: Option<&Value>) -> Answer {
        self.insist(|it| {
            let tenant = it.tenant.as_ref().expect("it signed in");
            tenant.try_send(method.clone(), path, key, body)
        })
    }

    /// Signs in. What got no answer may have used the nonce up, so it begins with a new one.
    fn sign_in(&mut self) {
        let answer = self.insist(|it| {
            let edge = it.installation.edge();
            let nonce = edge.try_send(edge.request(Method::GET, "/v1/auth/nonce"), None)?;
            let fields = json!({ "nonce": nonce.field("nonce") });
            let proof = it.signer.message(e2e::ANVIL_KEY, edge.origin(), &fields);
            let body = json!({ "message": proof.message, "signature": proof.signature });
            let request = edge.request(Method::POST, "/v1/auth/verify");
            let request = request.header("content-type", "application/json");
            edge.try_send(request, Some(body.to_string().into_bytes()))
        });
        assert_eq!(answer.status, 200, "{}", answer.text);
        let (token, address) = (answer.field("token"), answer.field("address"));
        self.tenant = Some(Tenant { edge: self.installation.edge(), token, address });
    }

    /// Ends the session. What got no answer may have ended it.
    fn sign_out(&mut self) {
        let answer = self.call(&Method::POST, "/v1/auth/logout", "unused", None);
        assert!([204, 401].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.text);
        let session = self.call(&Method::GET, "/v1/auth/session", "unused", None);
        assert_eq!(session.status, 401, "it lives on: {}", session.text);
    }

    fn wait_for(&mut self, space: &str, phase: &str) -> Value {
        let mut last = Value::Null;
        eventually(CHANGE_TIME_MAX, || {
            last = self.call(&Method::GET, &format!("/v1/spaces/{space}"), "unused", None).json;
            assert!(phase == "failed" || last["phase"] != "failed", "{last:#}");
            if last["phase"] == phase { Ok(()) } else { Err(format!("not {phase}: {last:#}")) }
        });
        last
    }

    /// What a visitor of the space `name` gets.
    fn visit(&mut self, method: &Method, name: &str, form: Option<&str>) -> Answer {
        self.insist(|it| {
            let gateway = Client::new(&it.installation.gateway());
            let request = gateway.request(method.clone(), "/");
            let request = request.header("host", format!("{name}.localhost"));
            gateway.try_send(request, form.map(|it| it.as_bytes().to_vec()))
        })
    }

    /// Makes a space; returns its name and id.
    fn make(&mut self, app: &str) -> (String, String) {
        self.n_lives += 1;
        let name = format!("life-{}", self.n_lives);
        let body = json!({ "name": name, "app": app });
        let made = self.call(&Method::POST, "/v1/spaces", &format!("make-{name}"), Some(&body));
        assert_eq!(made.status, 202, "{}", made.text);
        (name, made.field("id"))
    }

    fn delete(&mut self, name: &str, space: &str) {
        let path = format!("/v1/spaces/{space}");
        let answer = self.call(&Method::DELETE, &path, &format!("delete-{name}"), None);
        assert_eq!(answer.status, 202, "{}", answer.text);
        self.wait_for(space, "deleted");
        assert_eq!(self.installation.objects(), [], "an orphan");
        let state = self.installation.state();
        let mut left = named_after(&state, space);
        left.retain(|it| *it != state.join("backups").join(space));
        assert_eq!(left, Vec::<PathBuf>::new(), "files of a deleted space");
    }

    /// The final backups of a space, which are all that is left of making them.
    fn backups(&self, space: &str) -> Vec<PathBuf> {
        let state = self.installation.state();
        let folder = state.join("backups").join(space);
        let files = fs::read_dir(folder).into_iter().flatten().map(|it| it.unwrap().path());
        let files: Vec<_> = files.collect();
        for file in &files {
            let (state, file) = (state.to_str().unwrap(), file.to_str().unwrap());
            let verify = ["backups", "verify", file, "--json", "--state", state];
            let verified = self.installation.spaceport(&verify).json();
            assert_eq!((&verified["space"], &verified["missing"]), (&json!(space), &json!([])));
        }
        files
    }

    /// Checks that there is exactly one stack, of this space.
    fn check_stack(&self, app: &str, space: &Value) {
        let objects = self.installation.objects();
        let all = |kind| objects.iter().filter(move |it| it.kind == kind);
        for object in &objects {
            assert_eq!(object.label("spaceport.space"), space["id"].as_str().unwrap());
            let generation = object.label("spaceport.generation");
            assert_eq!(generation, space["generation"].to_string(), "{}", object.name());
        }
        let services = SERVICES.iter().find(|it| it.0 == app).unwrap().1;
        let mut running: Vec<&str> = all(Kind::Container)
            .filter(|it| it.inspected["State"]["Running"] == true)
            .map(|it| it.label("spaceport.service"))
            .collect();
        running.sort_unstable();
        assert_eq!(running, services, "the services that run");
        let counts = [Kind::Container, Kind::Network, Kind::Volume].map(|it| all(it).count());
        assert_eq!(counts, [services.len(), 1, services.len() - 1], "{objects:#?}");
    }

    /// A whole life of a space, through all of `failpoints`.
    fn live(&mut self, app: &str, failpoints: &[&str]) {
        self.arm(failpoints);
        self.sign_in();
        let (name, space) = self.make(app);
        let running = self.wait_for(&space, "running");
        self.check_stack(app, &running);
        assert_eq!(self.visit(&Method::GET, &name, None).status, 200);
        if app == "notes" {
            let written = self.visit(&Method::POST, &name, Some("body=kept"));
            assert_eq!(written.status, 303, "{}", written.text);
            let page = self.visit(&Method::GET, &name, None);
            assert!(page.text.contains("<p>kept</p>"), "{}", page.text);
        }
        self.delete(&name, &space);
        let n_backups = usize::from(app == "notes");
        assert_eq!(self.backups(&space).len(), n_backups, "where there is a volume, there is one");
        self.sign_out();
        let never: Vec<&String> = self.to_come.iter().collect();
        assert!(never.is_empty(), "never came to {never:?} in a life of {app}");
    }
}

/// The files and folders below `folder` that have `text` in their names.
fn named_after(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_name().to_string_lossy().contains(text) {
            found.push(path);
        } else if path.is_dir() {
            found.extend(named_after(&path, text));
        }
    }
    found
}

fn live_through_worker_rows(app: &str) {
    let mut survivor = Survivor::new(Installation::default());
    for (_, failpoints) in WORKER_ROWS.iter().filter(|it| it.0 == app) {
        survivor.live(app, failpoints);
    }
}

#[test]
fn a_worker_killed_at_every_step_of_a_hello_space_carries_on() {
    live_through_worker_rows("hello");
}

#[test]
fn a_worker_killed_at_every_step_of_a_notes_space_carries_on() {
    live_through_worker_rows("notes");
}

#[test]
fn a_worker_killed_while_it_stops_a_space_carries_on() {
    let installation = Installation::default();
    let folder = installation.scratch().join("apps/never-ready");
    fs::create_dir_all(&folder).unwrap();
    let compose = "services:\n  web:\n    image: spaceport/hello:1\n    tmpfs: [\"/tmp\"]\n    \
        mem_limit: 16m\n";
    fs::write(folder.join("compose.yaml"), compose).unwrap();
    let manifest = "title = \"t\"\ndescription = \"d\"\nversion = \"1\"\n\
        web = { service = \"web\", port = 8080 }\n\
        ready = { path = \"/no\", timeout_seconds = 1 }\ndisk = { mib = 1 }\n";
    fs::write(folder.join("app.toml"), manifest).unwrap();
    let apps = installation.scratch().join("apps");
    let mut survivor = Survivor::new(installation.with_apps(&apps));
    survivor.arm(&STOP_ROW);
    survivor.sign_in();
    let (name, space) = survivor.make("never-ready");
    let failed = survivor.wait_for(&space, "failed");
    assert!(failed["reason"].as_str().unwrap().contains("/no"), "{failed:#}");
    eventually(CHANGE_TIME_MAX, || {
        let left = survivor.installation.objects();
        if left.is_empty() { Ok(()) } else { Err(format!("left: {left:#?}")) }
    });
    survivor.delete(&name, &space);
    assert!(survivor.to_come.is_empty(), "never came to {:?}", survivor.to_come);
}

#[test]
fn an_edge_killed_at_any_write_or_answer_carries_on() {
    let mut survivor = Survivor::new(Installation::default());
    for failpoints in EDGE_ROWS {
        survivor.live("hello", failpoints);
    }
}

#[test]
fn every_failpoint_of_the_worker_is_tried() {
    let rows = WORKER_ROWS.iter().flat_map(|it| it.1).chain(&STOP_ROW);
    let tried: BTreeSet<&str> = rows.map(|it| it.split('@').next().unwrap_or_default()).collect();
    let known = [failpoint_names::FAILPOINTS, failpoint_names::BACKUP_FAILPOINTS].concat();
    let known: BTreeSet<&str> = known.into_iter().collect();
    assert_eq!(tried, known);
}

#[test]
fn a_worker_goes_on_while_its_edge_is_dead() {
    let mut survivor = Halves::start();
    let tenant = survivor.sign_in();
    let space = tenant.create("notes", "alone");
    eventually(CHANGE_TIME_MAX, || {
        let n = survivor.installation.objects().len();
        if 0 < n { Ok(()) } else { Err("the worker has not begun".to_owned()) }
    });
    survivor.edge.kill();
    // The space gets ready although nobody can be told.
    let visitor = e2e::Visitor::of(survivor.worker.ready["gateway"].as_str().unwrap());
    eventually(CHANGE_TIME_MAX, || {
        let status = visitor.get("alone", "/").status;
        if status == 200 { Ok(()) } else { Err(status.to_string()) }
    });
    assert!(survivor.worker.ended().is_none(), "{}", survivor.worker.log());
    survivor.start_edge_again();
    tenant.wait_for(&space, "running");
    tenant.delete_and_wait(&space);
}

/// Edge and worker as processes of their own, on states of their own.
struct Halves {
    edge: Process,
    worker: Process,
    /// The worker's state; cleans up.
    installation: Installation,
    edge_command: std::process::Command,
    signer: Signer,
}

impl Halves {
    const ADMIN_KEY: &str = "an operator's key that is used in tests only";
    /// SHA-256 of the admin key.
    const ADMIN_KEY_SHA256: &str =
        "b515faa1dc516db4fcb4cc4f0264795c9a0677c3f1c5b0665942d21055f0d016";

    fn start() -> Self {
        let installation = Installation::default();
        let scratch = installation.scratch().to_owned();
        // A port of its own, because the worker must find the edge again.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut edge_command = e2e::Program::Plain.command();
        edge_command
            .args(["edge", "--json", "--edge", &format!("127.0.0.1:{port}"), "--state"])
            .arg(scratch.join("edge-state"))
            .env("SPIN_VARIABLE_ADMIN_KEY_SHA256", Self::ADMIN_KEY_SHA256);
        e2e::warm_up(&scratch.join("edge-state"));
        let edge = Process::start(&mut edge_command, &scratch.join("edge.log")).unwrap();
        let client = Client::new(edge.ready["edge"].as_str().unwrap());
        let body = json!({ "name": "host-1" });
        let added = client.post("/v1/admin/hosts", Some(Self::ADMIN_KEY), &body);
        assert_eq!(added.status, 201, "{}", added.text);
        let key_file = scratch.join("host.key");
        fs::write(&key_file, added.field("key")).unwrap();
        let mut worker_command = e2e::Program::Plain.command();
        worker_command
            .args(["worker", "--json", "--gateway", "127.0.0.1:0", "--host", "host-1"])
            .args(["--edge-url", client.origin(), "--host-key-file"])
            .arg(key_file)
            .arg("--state")
            .arg(installation.state());
        let worker = Process::start(&mut worker_command, &installation.log_path()).unwrap();
        Self { edge, worker, installation, edge_command, signer: Signer::start() }
    }

    fn sign_in(&self) -> Tenant {
        let edge = Client::new(self.edge.ready["edge"].as_str().unwrap());
        Tenant::sign_in(&edge, &self.signer, e2e::ANVIL_KEY)
    }

    fn start_edge_again(&mut self) {
        let log = self.installation.scratch().join("edge.log");
        self.edge = Process::start(&mut self.edge_command, &log).unwrap();
    }
}
