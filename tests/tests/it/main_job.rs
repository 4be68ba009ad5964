//! The main job: a wallet gets its own running space, uses it, and gives it back.

use std::process::Command;

use e2e::{Client, Installation, Kind, Object, Output, Signer, Tenant, Visitor, run};
use serde_json::{Value, json};

/// The main job by the client that knows nothing but the contract.
fn by_node_client(installation: &Installation, app: &str, name: &str, title: &str) -> Value {
    let clients = e2e::repository().join("tests/clients");
    let output: Output = run(Command::new("node").current_dir(clients).args([
        "main-job.mjs",
        installation.edge().origin(),
        &installation.gateway(),
        app,
        name,
        title,
    ]));
    output.json()
}

/// Checks what the client saw on the way to a running space; returns the tenant who has it now.
fn check_the_way(installation: &Installation, seen: &Value, name: &str, app: &str) -> Tenant {
    let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(seen["verified"]["status"], 200, "{seen:#}");
    assert_eq!(seen["verified"]["body"]["address"], address);
    assert_eq!(seen["verified"]["body"]["chain_id"], 1);
    let cookie = seen["verified"]["headers"]["set-cookie"].as_str().unwrap_or_default();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert_eq!(seen["session"]["body"]["address"], address);
    assert_eq!(seen["session"]["body"]["roles"], json!(["tenant"]));

    let (created, space) = (&seen["created"], &seen["space"]);
    assert_eq!(created["status"], 202, "{seen:#}");
    let id = created["body"]["id"].as_str().unwrap();
    assert!(id.starts_with("spc_"), "{id}");
    assert_eq!(created["headers"]["location"], format!("/v1/spaces/{id}"));
    assert_eq!(space["id"], id);
    assert_eq!(space["name"], name);
    assert_eq!(space["app"], app);
    assert_eq!(space["owner"], address);
    assert_eq!(space["members"], json!([{ "address": address, "role": "owner" }]));
    assert_eq!(space["phase"], "running", "{seen:#}");
    assert_eq!(space["desired"], "running");
    assert_eq!(space["observed_generation"], space["generation"]);
    assert_eq!(space["reason"], Value::Null);
    let steps = space["steps"].as_array().unwrap();
    assert!(!steps.is_empty(), "{space:#}");
    assert!(steps.iter().all(|it| it["state"] == "done"), "{space:#}");
    let known = ["pending", "provisioning", "running"].map(Value::from);
    let phases = seen["phases"].as_array().unwrap();
    assert!(phases.iter().all(|it| known.contains(it)), "{phases:?}");
    assert_eq!(seen["byStranger"]["status"], 404, "a space is its owner's only: {seen:#}");

    let token = seen["verified"]["body"]["token"].as_str().unwrap().to_owned();
    Tenant { edge: installation.edge(), token, address: address.to_owned() }
}

/// The kinds of the events of a space, oldest first.
fn events(tenant: &Tenant, space: &str) -> Vec<Value> {
    let answer = tenant.get(&format!("/v1/spaces/{space}/events"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let items = answer.json["items"].as_array().unwrap().clone();
    let numbers: Vec<u64> = items.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{items:?}");
    items
}

/// The logs of a space, by the way the edge shows.
fn logs(tenant: &Tenant, space: &str, query: &str) -> String {
    let redirect = tenant.get(&format!("/v1/spaces/{space}/logs{query}"));
    assert_eq!(redirect.status, 307, "{}", redirect.text);
    let location = redirect.header("location");
    let (origin, path) = location.split_at(location[8..].find('/').unwrap() + 8);
    let answer = Client::new(origin).get(path, None);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    answer.text
}

/// Deletes a space and checks that nothing of it is left but its name's freedom.
fn give_back(installation: &Installation, tenant: &Tenant, space: &str, name: &str) {
    let answer = tenant.delete(space);
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json["desired"], "deleted");
    // At once, whatever is still being removed.
    let free = tenant.get(&format!("/v1/names/{name}"));
    assert_eq!(free.json, json!({ "name": name, "available": true, "reason": null }));

    let gone = tenant.wait_for(space, "deleted");
    assert_eq!(gone["id"], space, "its former owner can still read it");
    assert_eq!(Visitor::of(&installation.gateway()).get(name, "/").status, 404);
    assert_eq!(Object::labelled(&format!("spaceport.space={space}")), []);
    let listed = tenant.get("/v1/spaces").json;
    assert_eq!(listed, json!({ "items": [], "next": null }), "the list has living ones only");
}

#[test]
fn a_wallet_gets_a_hello_space_and_gives_it_back() {
    let installation = Installation::start();
    let title = "Garden <Collective> & \"Friends\"";
    let seen = by_node_client(&installation, "hello", "garden", title);
    let tenant = check_the_way(&installation, &seen, "garden", "hello");
    assert_eq!(seen["page"]["status"], 200, "{seen:#}");
    let page = seen["page"]["body"].as_str().unwrap();
    let escaped = "Garden &lt;Collective&gt; &amp; &quot;Friends&quot;";
    assert!(page.contains(&format!("<title>{escaped}</title>")), "{page}");

    let space = seen["space"]["id"].as_str().unwrap();
    let kinds: Vec<Value> = events(&tenant, space);
    assert!(2 <= kinds.len(), "{kinds:?}");
    assert_eq!(kinds[0]["actor"], tenant.address.as_str(), "{kinds:?}");
    let _ = logs(&tenant, space, "?tail=10");
    let unknown = tenant.get("/v1/spaces/no-such-space/logs");
    assert_eq!(unknown.problem().0, 404);

    give_back(&installation, &tenant, space, "garden");
    let again = tenant.create("hello", "garden");
    assert_ne!(again, space, "the name is free, the id is not used again");
    tenant.wait_for(&again, "running");
    tenant.delete_and_wait(&again);
}

#[test]
fn a_notes_space_keeps_its_notes_while_the_product_is_stopped_and_started() {
    let mut installation = Installation::start();
    let seen = by_node_client(&installation, "notes", "our-notes", "Our notes");
    let tenant = check_the_way(&installation, &seen, "our-notes", "notes");
    assert_eq!(seen["page"]["status"], 200, "{seen:#}");
    let space = seen["space"]["id"].as_str().unwrap();

    let visitor = Visitor::of(&installation.gateway());
    let written = visitor.post_form("our-notes", "/", "body=Water%20the%20%3Cbeans%3E%21");
    assert_eq!(written.status, 303, "{}", written.text);
    let note = "Water the &lt;beans&gt;!";
    assert!(visitor.get("our-notes", "/").text.contains(note));
    let text = logs(&tenant, space, "?service=db&tail=1000");
    assert!(text.contains("database system is ready to accept connections"), "{text}");
    assert!(text.lines().all(|it| it.starts_with("db | ")), "{text}");

    let before = running_containers(&installation);
    installation.stop();
    assert_eq!(running_containers(&installation), before, "spaces run on while nobody watches");
    installation.up();

    let tenant = tenant.at(&installation.edge());
    assert_eq!(tenant.space(space)["phase"], "running");
    let visitor = Visitor::of(&installation.gateway());
    let page = visitor.get("our-notes", "/");
    assert_eq!(page.status, 200, "routed from the first moment: {}", page.text);
    assert!(page.text.contains(note), "{}", page.text);
    assert_eq!(running_containers(&installation), before, "nothing was made again");
    give_back(&installation, &tenant, space, "our-notes");
}

/// The ids of the containers that run.
fn running_containers(installation: &Installation) -> Vec<String> {
    let objects = installation.objects();
    let running = objects
        .iter()
        .filter(|it| it.kind == Kind::Container && it.inspected["State"]["Running"] == true);
    running.map(|it| it.inspected["Id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_space_is_its_members_business_only() {
    let installation = Installation::start();
    let signer = Signer::start();
    let owner = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
    let stranger = Tenant::sign_in(&installation.edge(), &signer, e2e::SECOND_KEY);
    let space = owner.create("hello", "private");
    for path in ["", "/events", "/logs"] {
        let answer = stranger.get(&format!("/v1/spaces/{space}{path}"));
        assert_eq!(answer.problem().0, 404, "{path}");
    }
    assert_eq!(stranger.delete(&space).problem().0, 404);
    assert_eq!(stranger.get("/v1/spaces").json["items"], json!([]));
    owner.wait_for(&space, "running");
}
