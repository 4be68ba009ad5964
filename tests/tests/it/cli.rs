//! The command line: what scripts may rely on.

use std::fs;

use e2e::{Installation, Object, run};
use serde_json::{Value, json};

#[test]
fn a_script_makes_sees_and_deletes_a_space() {
    let installation = Installation::start();
    let spaceport = |arguments: &[&str]| installation.spaceport(arguments);

    let title = "Ours; $(reboot) \"quoted\"";
    let made =
        spaceport(&["--json", "spaces", "create", "ours", "--app", "hello", "--title", title]);
    let made = made.json();
    assert_eq!((&made["name"], &made["phase"]), (&json!("ours"), &json!("running")), "{made}");
    assert_eq!(made["title"], title);
    let id = made["id"].as_str().unwrap().to_owned();

    let listed = spaceport(&["spaces", "list", "--json"]).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["items"][0]["id"], made["id"]);
    let table = spaceport(&["spaces", "list"]);
    assert!(table.stdout.contains("ours"), "{table:?}");
    for name in ["ours", &id] {
        let shown = spaceport(&["spaces", "show", name, "--json"]).json();
        assert_eq!(shown["id"], made["id"], "by {name}");
    }
    let shown = spaceport(&["spaces", "show", "ours"]);
    assert!(shown.stdout.contains("running") && shown.stdout.contains(&id), "{shown:?}");

    let logs = spaceport(&["spaces", "logs", "ours", "--tail", "5"]);
    assert_eq!(logs.code, Some(0), "{logs:?}");

    let gone = spaceport(&["spaces", "delete", "ours", "--json"]).json();
    assert_eq!((&gone["id"], &gone["phase"]), (&made["id"], &json!("deleted")), "{gone}");
    assert_eq!(Object::labelled(&format!("spaceport.space={id}")), []);
    assert_eq!(spaceport(&["spaces", "list", "--json"]).json()["items"], json!([]));
}

#[test]
fn the_backup_of_a_deleted_space_is_listed_and_verified() {
    let installation = Installation::start();
    let state = installation.state();
    let state = state.to_str().unwrap();
    let backups = |arguments: &[&str]| {
        installation.spaceport(&[&["backups", "--state", state], arguments].concat())
    };
    assert_eq!(backups(&["list", "--json"]).json()["backups"], json!([]));
    let make = ["--json", "spaces", "create", "kept", "--app", "notes"];
    let space = installation.spaceport(&make).json();
    let gone = installation.spaceport(&["spaces", "delete", "kept"]);
    assert_eq!(gone.code, Some(0), "{gone:?}");

    let listed = backups(&["list", "--json"]).json();
    let listed = &listed["backups"][0];
    assert_eq!((&listed["space"], &listed["name"]), (&space["id"], &json!("kept")), "{listed}");
    let file = listed["file"].as_str().unwrap();
    let table = backups(&["list"]).stdout;
    for part in [space["id"].as_str().unwrap(), "kept", file] {
        assert!(table.contains(part), "{table}");
    }
    let verified = backups(&["verify", file]);
    assert!(verified.stdout.starts_with("ok: kept ("), "{verified:?}");
    let verified = backups(&["verify", file, "--json"]).json();
    assert_eq!(verified["missing"], json!([]), "{verified}");

    let spoiled = installation.scratch().join("spoiled");
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&spoiled, bytes).unwrap();
    let refused = backups(&["verify", spoiled.to_str().unwrap()]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("it was altered"), "{refused:?}");
}

#[test]
fn settings_reach_the_app() {
    let installation = Installation::start();
    let create = ["spaces", "create", "greets", "--app", "hello", "--set", "greeting=Ahoy <you>"];
    let made = installation.spaceport(&create);
    assert_eq!(made.code, Some(0), "{made:?}");
    let page = e2e::Visitor::of(&installation.gateway()).get("greets", "/");
    assert!(page.text.contains("Ahoy &lt;you&gt;"), "{}", page.text);
}

#[test]
fn a_failure_is_one_line_and_code_1() {
    let installation = Installation::start();
    // The first command makes a wallet, and says so.
    let first = installation.spaceport(&["spaces", "list"]);
    assert!(first.stderr.contains("wallet.key"), "{first:?}");
    #[rustfmt::skip]
    let rows: &[(&[&str], &str)] = &[
        (&["spaces", "show", "no-such-space"],                       "no such space"),
        (&["spaces", "delete", "no-such-space"],                     "no such space"),
        (&["spaces", "logs", "no-such-space"],                       "no such space"),
        (&["spaces", "create", "garden", "--app", "no-such-app"],    "no-such-app"),
        (&["spaces", "create", "Bad_Name", "--app", "hello"],        "a-z"),
        (&["spaces", "create", "garden", "--app", "hello", "--set", "colour=red"], "colour"),
        (&["spaces", "--edge", "http://127.0.0.1:1", "list"],        "127.0.0.1:1"),
    ];
    for (arguments, want) in rows {
        let line = installation.spaceport(arguments).failure();
        assert!(line.contains(want), "{arguments:?}: {line}");
    }
    let mut command = installation.command(&["spaces", "list"]);
    let line = run(command.env("SPACEPORT_TOKEN", "not-a-token")).failure();
    assert!(line.contains("sign in"), "{line}");
}

#[test]
fn wrong_usage_is_code_2() {
    let installation = Installation::default();
    #[rustfmt::skip]
    let rows: &[&[&str]] = &[
        &[],
        &["no-such-command"],
        &["up", "--no-such-flag"],
        &["up", "--edge", "not-an-address"],
        &["spaces"],
        &["spaces", "create"],
        &["spaces", "create", "garden"],
        &["spaces", "create", "garden", "--app", "hello", "--set", "no-value"],
        &["spaces", "logs", "garden", "--tail", "100000"],
        &["spaces", "--edge", "nonsense", "list"],
    ];
    for arguments in rows {
        let output = installation.spaceport(arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["spaces", "create", "--help"], &["--version"]] {
        assert_eq!(installation.spaceport(arguments).code, Some(0), "{arguments:?}");
    }
}

#[test]
fn the_doctor_finds_this_machine_well_and_says_what_is_not() {
    let installation = Installation::default();
    let state = installation.state().display().to_string();
    let free = ["--edge", "127.0.0.1:0", "--gateway", "127.0.0.1:0", "--state", &state];
    let output = installation.spaceport(&[&["doctor", "--json"][..], &free].concat());
    let report: Value = output.json();
    assert!(report.is_object() || report.is_array(), "{report}");

    let mut command = installation.command(&[&["doctor"][..], &free].concat());
    let output = run(command.env("DOCKER_HOST", "unix:///nowhere/docker.sock"));
    assert_eq!(output.code, Some(1), "{output:?}");
    let said = format!("{}{}", output.stdout, output.stderr).to_lowercase();
    assert!(said.contains("docker"), "{said}");
    let output = run(&mut installation.command(&["doctor", "--edge", "192.0.2.1:80"]));
    assert_eq!(output.code, Some(1), "not an address of this machine: {output:?}");
}

#[test]
fn the_demo_checks_itself_and_leaves_nothing() {
    let installation = Installation::default();
    let state = installation.state();
    let argument = state.display().to_string();
    let output = installation.spaceport(&["demo", "--check", "--json", "--state", &argument]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!state.exists(), "it left its state");
}

#[test]
fn one_state_runs_once() {
    let installation = Installation::start();
    let output = run(&mut installation.up_command(e2e::Program::Plain));
    let line = output.failure();
    assert!(line.contains("running"), "{line}");
    let state = installation.state().display().to_string();
    let line = installation.spaceport(&["down", "--state", &state, "--purge"]).failure();
    assert!(line.contains("running"), "{line}");
    assert_eq!(installation.edge().get("/readyz", None).status, 200, "the first is not disturbed");
}

#[test]
fn a_wrong_variable_stops_the_start_and_is_named() {
    #[rustfmt::skip]
    let rows = [
        ("session_key",      "short"),
        ("base_domain",      "not a domain"),
        ("public_url",       "nonsense"),
        ("admin_addresses",  "0x1234"),
        ("admin_key_sha256", "abc"),
        ("cors_origins",     "not an origin"),
    ];
    for (name, value) in rows {
        let installation = Installation::default().with_variable(name, value);
        let line = run(&mut installation.up_command(e2e::Program::Plain)).failure();
        assert!(line.contains(name), "{name}: {line}");
    }
}

#[test]
fn a_bad_app_template_stops_the_start_and_is_named() {
    let installation = Installation::default();
    let apps = installation.scratch().join("apps");
    fs::create_dir_all(apps.join("bad")).unwrap();
    let compose = "services:\n  web:\n    image: a\n    mem_limit: 8m\n    privileged: true\n";
    fs::write(apps.join("bad/compose.yaml"), compose).unwrap();
    let toml = "title = \"t\"\ndescription = \"d\"\nversion = \"1\"\n\
        web = { service = \"web\", port = 1 }\n\
        ready = { path = \"/\", timeout_seconds = 1 }\ndisk = { mib = 1 }\n";
    fs::write(apps.join("bad/app.toml"), toml).unwrap();
    let installation = installation.with_apps(&apps);
    let line = run(&mut installation.up_command(e2e::Program::Plain)).failure();
    assert!(line.contains("privileged") && line.contains("bad/compose.yaml:5"), "{line}");
}

#[test]
fn down_without_purge_stops_the_spaces_and_up_brings_them_back() {
    let mut installation = Installation::start();
    let create = ["spaces", "create", "sleeper", "--app", "hello", "--json"];
    let made = installation.spaceport(&create).json();
    installation.stop();
    let state = installation.state().display().to_string();
    let down = installation.spaceport(&["down", "--state", &state, "--json"]);
    assert_eq!(down.json()["containers"], 1, "{down:?}");
    let objects = installation.objects();
    assert_eq!(objects.len(), 2, "a container and its network are kept: {objects:?}");
    assert_eq!(objects[0].inspected["State"]["Running"], false);
    installation.up();
    let visitor = e2e::Visitor::of(&installation.gateway());
    e2e::eventually(std::time::Duration::from_secs(30), || {
        let answer = visitor.get("sleeper", "/");
        if answer.status == 200 { Ok(()) } else { Err(answer.text) }
    });
    let shown = installation.spaceport(&["spaces", "show", "sleeper", "--json"]).json();
    assert_eq!(shown["id"], made["id"]);
}
