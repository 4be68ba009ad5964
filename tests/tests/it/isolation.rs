//! Spaces apart from each other, from this machine, and installations apart on one Docker.

use e2e::{Installation, Kind, Object, Signer, Tenant, Visitor};
use serde_json::{Value, json};

#[test]
fn everything_made_is_labelled_fenced_and_published_nowhere() {
    let installation = Installation::start();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
    let space = tenant.create("notes", "fenced");
    let generation = tenant.wait_for(&space, "running")["generation"].to_string();
    let id = installation.id().unwrap();

    let objects = Object::labelled(&format!("spaceport.space={space}"));
    let kinds: Vec<Kind> = objects.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Kind::Container, Kind::Container, Kind::Network, Kind::Volume]);
    for object in &objects {
        assert_eq!(object.label("spaceport.state"), id, "{}", object.name());
        assert_eq!(object.label("spaceport.generation"), generation, "{}", object.name());
        assert!(!object.label("spaceport.host").is_empty(), "{}", object.name());
    }
    let containers = || objects.iter().filter(|it| it.kind == Kind::Container);
    let mut services: Vec<&str> = containers().map(|it| it.label("spaceport.service")).collect();
    services.sort_unstable();
    assert_eq!(services, ["db", "web"]);
    for container in containers() {
        check_fence(container, objects[2].name());
    }
}

fn check_fence(container: &Object, network: &str) {
    let name = container.name();
    let (host, inspected) = (&container.inspected["HostConfig"], &container.inspected);
    let is_empty = |it: &Value| it.is_null() || *it == json!({}) || *it == json!([]);
    assert!(is_empty(&host["PortBindings"]), "{name}: {}", host["PortBindings"]);
    let ports = inspected["NetworkSettings"]["Ports"].as_object();
    assert!(ports.is_none_or(|it| it.values().all(is_empty)), "{name}: {ports:?}");
    let networks: Vec<&String> =
        inspected["NetworkSettings"]["Networks"].as_object().unwrap().keys().collect();
    assert_eq!(networks, [network], "{name} is in its own network only");

    assert_eq!(host["Privileged"], false, "{name}");
    assert_eq!(host["CapDrop"], json!(["ALL"]), "{name}");
    let options = host["SecurityOpt"].as_array().unwrap();
    assert!(options.iter().any(|it| it.as_str().unwrap().starts_with("no-new-privileges")));
    assert_eq!(host["ReadonlyRootfs"], true, "{name}");
    for (field, what) in [("Memory", "memory"), ("NanoCpus", "CPU"), ("PidsLimit", "processes")] {
        assert!(host[field].as_i64().is_some_and(|it| 0 < it), "{name}: no limit of {what}");
    }
    assert_eq!(host["MemorySwap"], host["Memory"], "{name} may not swap past its limit");
    assert_eq!(host["NetworkMode"], network, "{name}");
    for field in ["PidMode", "UTSMode", "UsernsMode", "Binds", "Devices", "VolumesFrom"] {
        let value = &host[field];
        assert!(is_empty(value) || value == "", "{name}: {field} is {value}");
    }
    let mounts = inspected["Mounts"].as_array().unwrap();
    assert!(mounts.iter().all(|it| it["Type"] != "bind"), "{name}: {mounts:?}");
}

#[test]
fn a_space_reaches_no_other_space() {
    let installation = Installation::start();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
    let spaces = ["notes", "hello"].map(|app| tenant.create(app, &format!("some-{app}")));
    for space in &spaces {
        tenant.wait_for(space, "running");
    }
    let find = |space: &str, service: &str| {
        let objects = Object::labelled(&format!("spaceport.space={space}"));
        let found = objects.into_iter().find(|it| it.label("spaceport.service") == service);
        found.unwrap()
    };
    let address = |it: &Object| {
        let networks = it.inspected["NetworkSettings"]["Networks"].as_object().unwrap();
        networks.values().next().unwrap()["IPAddress"].as_str().unwrap().to_owned()
    };
    let (notes, database) = (find(&spaces[0], "web"), find(&spaces[0], "db"));
    let hello = find(&spaces[1], "web");
    // psql knows how to reach something in its own network, so what it can't reach is fenced off.
    let reach = |host: &str, port: &str| {
        let target = format!("host={host} port={port} connect_timeout=3 user=x");
        e2e::docker(&["exec", notes.name(), "psql", &target, "-c", "select 1"])
    };
    let own = reach("db", "5432");
    assert!(own.stderr.contains("password"), "its own database answers: {own:?}");
    let by_address = reach(&address(&database), "5432");
    assert!(by_address.stderr.contains("password"), "{by_address:?}");
    for target in [address(&hello), hello.name().to_owned()] {
        let other = reach(&target, "8080");
        let is_fenced = other.stderr.contains("timeout")
            || other.stderr.contains("could not translate")
            // The firewall answers for whom it keeps apart, at once.
            || other.stderr.contains("Connection refused");
        assert!(is_fenced, "{target}: {other:?}");
    }
}

#[test]
fn two_installations_on_one_docker_leave_each_other_alone() {
    let mut ours = Installation::start();
    let theirs = Installation::start();
    let signer = Signer::start();
    let make = |installation: &Installation| {
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        let space = tenant.create("hello", "garden");
        tenant.wait_for(&space, "running");
        (tenant, space)
    };
    let (_, our_space) = make(&ours);
    let (their_tenant, their_space) = make(&theirs);
    assert_ne!(ours.id(), theirs.id());
    let before = theirs.objects();
    assert_eq!(before.len(), 2);

    ours.stop();
    let state = ours.state().display().to_string();
    let down = ours.spaceport(&["down", "--state", &state, "--purge", "--json"]);
    let want = json!({ "purged": true, "containers": 1, "networks": 1, "volumes": 0 });
    assert_eq!(down.json(), want);
    assert_eq!(Object::labelled(&format!("spaceport.space={our_space}")), []);
    let ids = |objects: &[Object]| -> Vec<Value> {
        objects.iter().map(|it| it.inspected["Id"].clone()).collect()
    };
    assert_eq!(ids(&theirs.objects()), ids(&before));
    assert_eq!(Visitor::of(&theirs.gateway()).get("garden", "/").status, 200);
    assert_eq!(their_tenant.space(&their_space)["phase"], "running");
}

#[test]
fn the_gateway_shows_spaces_by_their_host_only() {
    let installation = Installation::start();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
    let visitor = Visitor::of(&installation.gateway());
    let unknown = visitor.get("nobody-has-this", "/");
    assert_eq!(unknown.status, 404);
    assert!(unknown.header("content-type").starts_with("text/html"));
    assert_eq!(visitor.get_json("nobody-has-this", "/").json["status"], 404);
    for path in ["/_spaceport/v1/logs", "/_spaceport/v1/logs?ticket=forged.ticket"] {
        assert_eq!(visitor.get("nobody-has-this", path).status, 403, "{path}");
    }

    let space = tenant.create("notes", "shown");
    // Postgres takes a second to make its files, so there is time to see the page of a start.
    let mut starting = None;
    e2e::eventually(std::time::Duration::from_mins(1), || {
        let answer = visitor.get("shown", "/");
        match answer.status.as_u16() {
            200 => Ok(()),
            503 => {
                starting = Some(answer);
                Err("starting".to_owned())
            }
            other => Err(format!("{other} {}", answer.text)),
        }
    });
    let starting = starting.expect("it was seen starting");
    assert_eq!(starting.header("retry-after"), "1");
    assert_eq!(starting.header("cache-control"), "no-store");
    assert!(starting.header("content-security-policy").contains("default-src 'none'"));
    tenant.wait_for(&space, "running");
    assert_eq!(visitor.get("shown", "/ready/").status, 200);
    assert_eq!(visitor.get("shown", "/no-such-page").status, 404, "the app's own answer");
}
