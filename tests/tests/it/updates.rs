//! Updates: a space goes to a new release with its data, or stays what it was, whenever the worker
//! is killed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use e2e::{Installation, Kind, Process, Signer, Tenant, Visitor, eventually, repository};
use serde_json::{Value, json};

use crate::crashes::failpoint_names::UPDATE_FAILPOINTS;

/// How long an update may take, kills and all.
const UPDATE_TIME_MAX: Duration = Duration::from_mins(2);

/// What a release that is no use does to the data before it hangs: all of it is gone.
const VANDAL: &str = "\n    entrypoint: [sh, -c, \"rm -rf /var/lib/postgresql/data/*; \
    sh -c 'kill -STOP $$$$'; true\"]";

/// The app `notes` in a folder of the test, which can be changed.
struct App(PathBuf);

impl App {
    fn new(folder: &Path) -> Self {
        let to = folder.join("apps/notes");
        fs::create_dir_all(&to).unwrap();
        for file in ["compose.yaml", "app.toml"] {
            fs::copy(repository().join("apps/notes").join(file), to.join(file)).unwrap();
        }
        Self(to)
    }

    /// Writes the release that people call `version`, with a compose file that `change` makes.
    fn release(&self, version: &str, change: impl FnOnce(String) -> String) {
        let from = repository().join("apps/notes");
        let compose = fs::read_to_string(from.join("compose.yaml")).unwrap();
        let app = fs::read_to_string(from.join("app.toml")).unwrap();
        let app: Vec<_> = app
            .lines()
            .map(|line| match line.split_once(" = ").map(|it| it.0) {
                Some("version") => format!("version = {version:?}"),
                // Long enough for a database that is there, and no test waits longer in vain.
                Some("timeout_seconds") => "timeout_seconds = 15".to_owned(),
                _ => line.to_owned(),
            })
            .collect();
        fs::write(self.0.join("compose.yaml"), change(compose)).unwrap();
        fs::write(self.0.join("app.toml"), app.join("\n")).unwrap();
    }

    /// A release that works like the one before.
    fn good_release(&self, version: &str) {
        let variable = format!("SPACE_TITLE: ${{SPACE_TITLE}}\n      RELEASE: {version:?}");
        self.release(version, |it| it.replacen("SPACE_TITLE: ${SPACE_TITLE}", &variable, 1));
    }

    /// A release that never gets ready.
    fn bad_release(&self, version: &str) {
        let image = "image: spaceport/postgres:15";
        self.release(version, |it| {
            assert!(it.contains(image));
            let it = it.replacen(image, &format!("{image}{VANDAL}"), 1);
            // It does not hear that it should stop.
            it.replace("stop_grace_period: 30s", "stop_grace_period: 1s")
        });
    }
}

/// A space with a note in it.
struct Scene {
    installation: Installation,
    app: App,
    _signer: Signer,
    tenant: Tenant,
    space: String,
}

impl Scene {
    fn new() -> Self {
        let installation = Installation::default();
        let app = App::new(installation.scratch());
        app.good_release("1.0");
        let apps = installation.scratch().join("apps");
        let mut installation = installation.with_apps(&apps);
        installation.up();
        let signer = Signer::start();
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        let space = tenant.create("notes", "garden");
        tenant.wait_for(&space, "running");
        let visitor = Visitor::of(&installation.gateway());
        assert_eq!(visitor.post_form("garden", "/", "body=Water+the+tomatoes").status, 303);
        Self { installation, app, _signer: signer, tenant, space }
    }

    /// Starts the product again, which makes it read the templates.
    fn start_again(&mut self) {
        self.installation.stop();
        self.up();
    }

    fn up(&mut self) {
        self.installation.up();
        self.tenant = self.tenant.at(&self.installation.edge());
    }

    fn update(&self) {
        let answer = self.tenant.post(&format!("/v1/spaces/{}/update", self.space), &Value::Null);
        assert_eq!(answer.status, 202, "{}", answer.text);
    }

    /// The space, once it has come to the end of what is wanted of it.
    fn settled(&self) -> Value {
        let mut last = Value::Null;
        eventually(UPDATE_TIME_MAX, || {
            last = self.tenant.space(&self.space);
            let is_there = last["generation"] == last["observed_generation"];
            if is_there && last["phase"] == "running" { Ok(()) } else { Err(last.to_string()) }
        });
        last
    }

    fn notes(&self) -> String {
        Visitor::of(&self.installation.gateway()).get("garden", "/").text
    }

    fn events(&self) -> Vec<String> {
        let answer = self.tenant.get(&format!("/v1/spaces/{}/events?limit=200", self.space));
        let items = answer.json["items"].as_array().unwrap().clone();
        items.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// The space runs `version` with its data, and nothing is left of an update.
    fn check(&self, version: &str) {
        let space = self.settled();
        assert_eq!(space["version"], version, "{space}");
        assert!(self.notes().contains("Water the tomatoes"), "{}", self.notes());
        let objects = self.installation.objects();
        let names: Vec<_> = objects.iter().map(e2e::Object::name).collect();
        let count = |kind| objects.iter().filter(|it| it.kind == kind).count();
        let counts = [Kind::Container, Kind::Network, Kind::Volume].map(count);
        assert_eq!(counts, [2, 1, 1], "{names:?}");
        let copies = self.installation.state().join("worker/spaces").join(&self.space);
        assert!(!copies.join("copies").exists(), "the copies are dropped");
    }
}

/// Visits the space until it is told to stop; says the longest time between two good answers.
fn longest_gap(gateway: &str, ended: &Arc<AtomicBool>) -> thread::JoinHandle<Duration> {
    let (visitor, ended) = (Visitor::of(gateway), Arc::clone(ended));
    thread::spawn(move || {
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        while !ended.load(Ordering::Relaxed) {
            if visitor.get("garden", "/").status == 200 {
                longest = longest.max(last.elapsed());
                last = Instant::now();
            }
            thread::sleep(Duration::from_millis(10));
        }
        longest
    })
}

#[expect(clippy::print_stdout, reason = "for whoever measures")]
fn gap_while(scene: &Scene, what: &str, work: impl FnOnce()) {
    let ended = Arc::new(AtomicBool::new(false));
    let watching = longest_gap(&scene.installation.gateway(), &ended);
    work();
    thread::sleep(Duration::from_millis(200));
    ended.store(true, Ordering::Relaxed);
    println!("{what}: out of service for {} ms", watching.join().unwrap().as_millis());
}

#[test]
fn an_update_takes_the_data_along_when_its_owner_asks_for_it() {
    let mut scene = Scene::new();
    assert_eq!(scene.settled()["update"], Value::Null);
    let before = scene.installation.objects();

    // A new template changes nothing by itself.
    scene.app.good_release("1.1");
    scene.start_again();
    let space = scene.settled();
    assert_eq!((&space["version"], &space["update"]), (&json!("1.0"), &json!({"version": "1.1"})));
    let ids = |objects: &[e2e::Object]| {
        objects.iter().map(|it| it.inspected["Id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&scene.installation.objects()), ids(&before));

    gap_while(&scene, "an update", || {
        scene.update();
        scene.check("1.1");
    });
    assert_eq!(scene.settled()["update"], Value::Null);
    assert_eq!(scene.settled()["reason"], Value::Null);
    assert_ne!(ids(&scene.installation.objects()), ids(&before));

    // What is wanted already changes nothing.
    let generation = scene.settled()["generation"].clone();
    scene.update();
    assert_eq!(scene.settled()["generation"], generation);

    // The operator may ask for it too.
    scene.app.good_release("1.2");
    scene.installation.set_variable("admin_addresses", &scene.tenant.address);
    scene.start_again();
    let path = format!("/v1/admin/spaces/{}/update", scene.space);
    assert_eq!(scene.tenant.post(&path, &Value::Null).status, 202);
    scene.check("1.2");
}

#[test]
fn an_update_that_is_no_use_is_undone_with_all_that_it_did() {
    let mut scene = Scene::new();
    scene.app.bad_release("2.0");
    scene.start_again();
    gap_while(&scene, "a wrong update (15 s until it is given up)", || {
        scene.update();
        scene.check("1.0");
    });
    let space = scene.settled();
    let reason = space["reason"].as_str().unwrap();
    assert!(reason.contains("the update was undone") && reason.contains("15 s"), "{reason}");
    assert_eq!(space["update"], json!({ "version": "2.0" }), "it can be asked for again");
    assert!(scene.events().contains(&"update-failed".to_owned()), "{:?}", scene.events());

    // An image that is nowhere is found out before anything of the old release is touched.
    scene.app.release("3.0", |it| it.replace("spaceport/notes:1", "127.0.0.1:1/no/such:9"));
    scene.start_again();
    scene.update();
    scene.check("1.0");
    assert!(scene.settled()["reason"].as_str().unwrap().contains("image not found"));
}

#[test]
fn a_worker_that_is_killed_in_an_update_carries_on_with_it() {
    let mut scene = Scene::new();
    let (good, bad) = UPDATE_FAILPOINTS.split_at(4);
    for (at, failpoint) in good.iter().enumerate() {
        let version = format!("1.{}", at + 1);
        scene.app.good_release(&version);
        kill_in_update(&mut scene, failpoint);
        scene.check(&version);
    }
    let version = format!("1.{}", good.len());
    for (at, failpoint) in bad.iter().enumerate() {
        scene.app.bad_release(&format!("2.{at}"));
        kill_in_update(&mut scene, failpoint);
        scene.check(&version);
    }
}

/// Asks for an update and kills the product at `failpoint`, which it must come to.
fn kill_in_update(scene: &mut Scene, failpoint: &str) {
    scene.installation.stop();
    scene.installation.up_to_failpoint(failpoint).unwrap();
    scene.tenant = scene.tenant.at(&scene.installation.edge());
    scene.update();
    let status = scene.installation.process().wait(UPDATE_TIME_MAX);
    let status = status.unwrap_or_else(|| panic!("never came to {failpoint}"));
    assert!(Process::was_killed(status), "{failpoint}: {status}");
    scene.installation.kill();
    scene.up();
}

#[test]
fn nobody_else_updates_a_space() {
    let mut scene = Scene::new();
    scene.app.good_release("1.1");
    scene.start_again();
    let stranger = Tenant::sign_in(&scene.installation.edge(), &Signer::start(), e2e::SECOND_KEY);
    let path = format!("/v1/spaces/{}/update", scene.space);
    assert_eq!(stranger.post(&path, &Value::Null).status, 404);
    let path = format!("/v1/admin/spaces/{}/update", scene.space);
    assert_eq!(stranger.post(&path, &Value::Null).status, 403);
    assert_eq!(scene.settled()["version"], "1.0");
}
