//! What the operator's audit finds when a host is not what the records say.

use std::time::Duration;

use e2e::{Installation, Kind, Object, Signer, Tenant, docker, eventually};
use serde_json::{Value, json};

/// How long it may take until a host has told what is on it.
const TELL_TIME_MAX: Duration = Duration::from_secs(30);

/// A space that nobody ever made.
const STRANGER: &str = "spc_01JD9V6M1WZ0000000000000AB";

#[test]
fn a_container_without_a_space_and_a_space_without_its_volume_are_found() {
    let mut installation = Installation::start();
    let signer = Signer::start();
    let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
    let robbed = tenant.create("notes", "robbed");
    let whole = tenant.create("notes", "whole");
    for space in [&robbed, &whole] {
        tenant.wait_for(space, "running");
    }
    let before = installation.audit();
    assert_eq!(before["ok"], true, "{before:#}");

    // Nobody looks while it happens.
    installation.stop();
    let objects = Object::labelled(&format!("spaceport.space={robbed}"));
    let (containers, rest): (Vec<_>, Vec<_>) =
        objects.iter().partition(|it| it.kind == Kind::Container);
    let model = containers[0];
    let image = model.inspected["Image"].as_str().unwrap();
    let labels = model.inspected["Config"]["Labels"].as_object().unwrap();
    let mut create = vec!["create".to_owned(), "--network".to_owned(), "none".to_owned()];
    for (name, value) in labels {
        let value = if name == "spaceport.space" { STRANGER } else { value.as_str().unwrap() };
        create.extend(["--label".to_owned(), format!("{name}={value}")]);
    }
    create.push(image.to_owned());
    let create: Vec<_> = create.iter().map(String::as_str).collect();
    let created = docker(&create);
    assert_eq!(created.code, Some(0), "{created:?}");
    for container in &containers {
        container.remove();
    }
    let volumes = rest.iter().filter(|it| it.kind == Kind::Volume).collect::<Vec<_>>();
    assert_eq!(volumes.len(), 1, "notes has one volume");
    volumes[0].remove();
    installation.up();

    eventually(TELL_TIME_MAX, || {
        let audit = installation.audit();
        let hosts = &audit["hosts"];
        let strays: Vec<_> = spaces(&hosts["strays"]);
        let found = json!([strays, hosts["missing_volumes"]]);
        let lost = json!([{ "space": robbed, "found": 0, "wanted": 1 }]);
        if found == json!([[STRANGER], lost]) && audit["ok"] == false {
            return Ok(());
        }
        Err(format!("{audit:#}"))
    });
    // Its data is not made up for by an empty volume.
    let tenant = tenant.at(&installation.edge());
    let failed = tenant.wait_for(&robbed, "failed");
    assert!(failed["reason"].as_str().unwrap().contains("volume"), "{failed:#}");
    assert_eq!(tenant.space(&whole)["phase"], "running");
}

fn spaces(items: &Value) -> Vec<Value> {
    items.as_array().unwrap().iter().map(|it| it["space"].clone()).collect()
}
