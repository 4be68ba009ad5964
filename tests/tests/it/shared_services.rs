//! Spaces with a database each in one Postgres of their host: kept apart, and removed to the last
//! trace, whenever the worker is killed.

use std::{net::Ipv4Addr, thread, time::Duration};

use e2e::{
    Installation, Kind, Object, Process, Signer, Tenant, Visitor, docker, eventually, exec, psql,
    repository, service,
};
use serde_json::Value;

use crate::crashes::failpoint_names::APP_FAILPOINTS;

/// How long anything may take that happens by itself.
const TIME_MAX: Duration = Duration::from_mins(1);

const DATABASES: &str = "SELECT datname FROM pg_database WHERE datname LIKE 'spc-%' ORDER BY 1";
const ROLES: &str = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'spc-%' ORDER BY 1";

/// An installation with an app whose spaces share a Postgres.
struct Scene {
    installation: Installation,
    tenant: Tenant,
    _signer: Signer,
}

impl Scene {
    fn new() -> Self {
        let apps = repository().join("tests/apps");
        let mut installation = Installation::default().with_apps(&apps);
        installation.up();
        let signer = Signer::start();
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        Self { installation, tenant, _signer: signer }
    }

    /// Starts the product again after it was stopped or killed.
    fn up(&mut self) {
        self.installation.up();
        self.tenant = self.tenant.at(&self.installation.edge());
    }

    fn kill(&mut self) {
        self.installation.process().kill();
        self.installation.kill();
    }

    /// Starts the product again so that it is killed at `failpoint`.
    fn start_to(&mut self, failpoint: &str) {
        self.installation.stop();
        self.installation.up_to_failpoint(failpoint).unwrap();
        self.tenant = self.tenant.at(&self.installation.edge());
    }

    fn was_killed(&mut self, failpoint: &str) {
        let status = self.installation.process().wait(TIME_MAX);
        assert!(status.is_some_and(Process::was_killed), "{failpoint}: {status:?}");
        self.installation.kill();
    }

    /// Makes a space with one note in it.
    fn create(&self, name: &str) -> Space {
        let id = self.tenant.create("notes-shared", name);
        self.tenant.wait_for(&id, "running");
        let posted = self.visitor().post_form(name, "/", &format!("body=secret+of+{name}"));
        assert_eq!(posted.status, 303, "{}", posted.text);
        Space { id, name: name.to_owned() }
    }

    fn visitor(&self) -> Visitor {
        Visitor::of(&self.installation.gateway())
    }

    /// Waits until the space shows its own note; it must show no other.
    fn shows_its_note(&self, space: &Space) {
        let own = format!("secret of {}", space.name);
        eventually(TIME_MAX, || {
            let page = self.visitor().get(&space.name, "/");
            assert_eq!(page.text.matches("secret of").count(), page.text.matches(&own).count());
            if page.text.contains(&own) { Ok(()) } else { Err(page.text) }
        });
    }

    /// The Postgres that all spaces use.
    fn postgres(&self) -> Object {
        let label = format!("spaceport.state={}", self.installation.id().unwrap());
        service(&label, "postgres")
    }

    /// Checks that the Postgres has databases and roles for these spaces and for no other.
    fn has_parts_of(&self, spaces: &[&Space]) {
        let mut want: Vec<_> = spaces.iter().map(|it| it.docker_name()).collect();
        want.sort();
        let want = want.join("\n");
        for sql in [DATABASES, ROLES] {
            assert_eq!(psql(&self.postgres(), "postgres", "postgres", sql), want, "{sql}");
        }
        let mut networks = networks(&self.postgres());
        networks.retain(|it| spaces.iter().all(|space| space.docker_name() != *it));
        assert_eq!(networks.len(), 1, "its own: {networks:?}");
    }
}

struct Space {
    id: String,
    name: String,
}

impl Space {
    /// What it is called in Docker and Postgres.
    fn docker_name(&self) -> String {
        self.id.replace('_', "-").to_lowercase()
    }

    fn web(&self) -> Object {
        service(&format!("spaceport.space={}", self.id), "web")
    }
}

fn networks(container: &Object) -> Vec<String> {
    let networks = container.inspected["NetworkSettings"]["Networks"].as_object();
    networks.unwrap().keys().cloned().collect()
}

fn address(container: &Object, network: &str) -> String {
    let endpoint = &container.inspected["NetworkSettings"]["Networks"][network];
    endpoint["IPAddress"].as_str().unwrap().to_owned()
}

/// Where a container sends what is for nobody near.
fn default_gateway(container: &Object) -> String {
    let routes = exec(container, &["cat", "/proc/net/route"]).stdout;
    let gateway = routes.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let (_, to, gateway) = (fields.next()?, fields.next()?, fields.next()?);
        (to == "00000000").then(|| u32::from_str_radix(gateway, 16).unwrap())
    });
    Ipv4Addr::from(gateway.unwrap().swap_bytes()).to_string()
}

/// What one space's own credentials get of a database, from inside that space.
fn open(space: &Space, host: &str, database: &str) -> String {
    let command = ["psql", "-qXAt", "-h", host, "-d", database, "-c", "SELECT body FROM notes"];
    let output = exec(&space.web(), &command);
    output.stdout + &output.stderr
}

#[test]
fn spaces_share_a_server_and_nothing_else() {
    let scene = Scene::new();
    let [one, two] = ["one", "two"].map(|it| scene.create(it));
    scene.has_parts_of(&[&one, &two]);
    for space in [&one, &two] {
        scene.shows_its_note(space);
        assert_eq!(open(space, "db", &space.docker_name()), format!("secret of {}\n", space.name));
    }

    let refused = open(&one, "db", &two.docker_name());
    assert!(refused.contains("permission denied for database"), "{refused}");
    // Where the other space finds the server, this one does not.
    let postgres = scene.postgres();
    let [here, there] = [&one, &two].map(|it| address(&postgres, &it.docker_name()));
    assert_eq!(open(&one, &here, &one.docker_name()), "secret of one\n");
    let refused = open(&one, &there, &one.docker_name());
    assert!(refused.contains("Connection refused"), "{refused}");
    // Nor does the server pass anything on, or go to the internet by way of a space.
    assert_eq!(exec(&postgres, &["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout, "0\n");
    let own = postgres.name().trim_end_matches("-postgres");
    let gateway = &postgres.inspected["NetworkSettings"]["Networks"][own]["Gateway"];
    assert_eq!(default_gateway(&postgres), *gateway);
    nobody_is_told_of_it(&scene);

    scene.tenant.delete_and_wait(&one.id);
    scene.has_parts_of(&[&two]);
    scene.shows_its_note(&two);
    scene.tenant.delete_and_wait(&two.id);
    scene.has_parts_of(&[]);
}

/// The server is no space, and nobody's.
fn nobody_is_told_of_it(scene: &Scene) {
    let spaces = scene.tenant.get("/v1/spaces").json["items"].as_array().map(Vec::len);
    assert_eq!(spaces, Some(2));
    let apps = scene.tenant.get("/v1/apps");
    assert!(
        apps.text.contains("notes-shared") && !apps.text.contains("notes-services"),
        "{apps:?}"
    );
    let log = scene.installation.log();
    for word in ["unknown to the edge", "ERROR"] {
        assert!(!log.contains(word), "{word}:\n{log}");
    }
}

#[test]
fn a_restart_changes_nothing_and_a_new_server_is_found_again() {
    let mut scene = Scene::new();
    let spaces = ["one", "two"].map(|it| scene.create(it));
    let started = |it: &Object| (it.name().to_owned(), it.inspected["State"]["StartedAt"].clone());
    let containers = |scene: &Scene| -> Vec<(String, Value)> {
        let objects = scene.installation.objects();
        let mut started: Vec<_> =
            objects.iter().filter(|it| it.kind == Kind::Container).map(started).collect();
        started.sort_by(|one, other| one.0.cmp(&other.0));
        started
    };
    let before = containers(&scene);
    assert_eq!(before.len(), 3);
    scene.installation.stop();
    scene.up();
    for space in &spaces {
        scene.tenant.wait_for(&space.id, "running");
        scene.shows_its_note(space);
    }
    assert_eq!(containers(&scene), before);

    let old = scene.postgres();
    old.remove();
    for space in &spaces {
        scene.shows_its_note(space);
    }
    let new = scene.postgres();
    assert_ne!(new.inspected["Id"], old.inspected["Id"]);
    scene.has_parts_of(&spaces.each_ref());

    // The host was restarted, and all that was not used was removed meanwhile.
    scene.installation.stop();
    for container in scene.installation.objects().iter().filter(|it| it.kind == Kind::Container) {
        assert_eq!(docker(&["stop", container.name()]).code, Some(0));
    }
    for space in &spaces {
        assert_eq!(docker(&["network", "rm", &space.docker_name()]).code, Some(0));
    }
    scene.up();
    for space in &spaces {
        scene.tenant.wait_for(&space.id, "running");
        scene.shows_its_note(space);
    }
    scene.has_parts_of(&spaces.each_ref());
}

/// Where the worker can be killed around `step`.
fn points_of(step: &str) -> impl Iterator<Item = &'static str> {
    APP_FAILPOINTS.iter().copied().filter(move |it| it.contains(step))
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_in_the_server() {
    let mut scene = Scene::new();
    let bystander = scene.create("bystander");
    // Where it matters most, and then wherever it is.
    for failpoint in points_of("prepare-shared") {
        scene.start_to(failpoint);
        let id = scene.tenant.create("notes-shared", "doomed");
        scene.was_killed(failpoint);
        scene.up();
        scene.tenant.delete_and_wait(&id);
        scene.has_parts_of(&[&bystander]);
    }
    for failpoint in points_of("remove-shared") {
        let doomed = scene.create("doomed");
        scene.start_to(failpoint);
        assert_eq!(scene.tenant.delete(&doomed.id).status, 202);
        scene.was_killed(failpoint);
        scene.up();
        scene.tenant.wait_for(&doomed.id, "deleted");
        scene.has_parts_of(&[&bystander]);
    }
    for round in 0..8_u64 {
        let id = scene.tenant.create("notes-shared", "doomed");
        // Spread over what it takes.
        thread::sleep(Duration::from_millis(round * 613 % 2000));
        scene.kill();
        scene.up();
        if round % 2 == 0 {
            scene.tenant.wait_for(&id, "running");
        }
        assert_eq!(scene.tenant.delete(&id).status, 202);
        thread::sleep(Duration::from_millis(round * 271 % 1200));
        scene.kill();
        scene.up();
        scene.tenant.wait_for(&id, "deleted");
        scene.has_parts_of(&[&bystander]);
    }
    scene.shows_its_note(&bystander);
}
