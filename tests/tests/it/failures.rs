//! Spaces that can't be: the owner reads why, nothing half-made stays, and nobody else notices.

use std::{fs, path::Path};

use e2e::{Installation, Object, Signer, Tenant, Visitor};
use serde_json::json;

/// An app that can't run, and what its owner must read.
struct BadApp {
    id: &'static str,
    /// The service, below its name.
    service: &'static str,
    port: u16,
    path: &'static str,
    /// All of these are in the reason.
    reason: &'static [&'static str],
}

const BAD_APPS: [BadApp; 5] = [
    BadApp {
        id: "no-image",
        // An address that refuses at once, so that no test waits for a registry.
        service: "image: 127.0.0.1:1/no/such-image:9\n    mem_limit: 16m",
        port: 8080,
        path: "/healthz",
        reason: &["image not found", "127.0.0.1:1/no/such-image:9"],
    },
    BadApp {
        id: "wrong-port",
        service: "image: spaceport/hello:1\n    tmpfs: [\"/tmp\"]\n    mem_limit: 16m",
        port: 9999,
        path: "/healthz",
        reason: &["port never answered", "web", "9999"],
    },
    BadApp {
        id: "never-ready",
        service: "image: spaceport/hello:1\n    tmpfs: [\"/tmp\"]\n    mem_limit: 16m",
        port: 8080,
        path: "/no-such-page",
        reason: &["web", "/no-such-page"],
    },
    BadApp {
        id: "too-big",
        service: "image: spaceport/hello:1\n    mem_limit: 8m\n    \
            command: [sh, -c, \"a=0123456789; while :; do a=$$a$$a; done\"]",
        port: 8080,
        path: "/healthz",
        reason: &["out of memory", "web", "8 MiB"],
    },
    BadApp {
        id: "gives-up",
        service: "image: spaceport/hello:1\n    mem_limit: 16m\n    \
            command: [sh, -c, \"echo the disk is on fire >&2; exit 3\"]",
        port: 8080,
        path: "/healthz",
        reason: &["web", "3", "the disk is on fire"],
    },
];

fn write_app(apps: &Path, app: &BadApp) {
    let folder = apps.join(app.id);
    fs::create_dir_all(&folder).unwrap();
    let compose = format!("services:\n  web:\n    {}\n", app.service);
    fs::write(folder.join("compose.yaml"), compose).unwrap();
    let manifest = format!(
        "title = \"{id}\"\ndescription = \"It can't run.\"\nversion = \"1\"\n\
         web = {{ service = \"web\", port = {port} }}\n\
         ready = {{ path = \"{path}\", timeout_seconds = 2 }}\ndisk = {{ mib = 1 }}\n",
        id = app.id,
        port = app.port,
        path = app.path,
    );
    fs::write(folder.join("app.toml"), manifest).unwrap();
}

fn with_bad_apps() -> Installation {
    let installation = Installation::default();
    let apps = installation.scratch().join("apps");
    for app in &BAD_APPS {
        write_app(&apps, app);
    }
    let good = e2e::home().join("apps/hello");
    let copy = apps.join("hello");
    fs::create_dir_all(&copy).unwrap();
    for file in ["compose.yaml", "app.toml"] {
        fs::copy(good.join(file), copy.join(file)).unwrap();
    }
    let mut installation = installation.with_apps(&apps);
    installation.up();
    installation
}

#[test]
fn a_space_that_cannot_run_fails_with_a_reason_and_leaves_nothing() {
    let installation = with_bad_apps();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
    let visitor = Visitor::of(&installation.gateway());
    let spaces: Vec<_> = BAD_APPS.iter().map(|it| (it, tenant.create(it.id, it.id))).collect();
    let good = tenant.create("hello", "good-one");
    tenant.wait_for(&good, "running");

    for (app, space) in &spaces {
        let failed = tenant.wait_for(space, "failed");
        let reason = failed["reason"].as_str().unwrap_or_default();
        assert!(app.reason.iter().all(|it| reason.contains(it)), "{}: {reason}", app.id);
        assert!(!reason.contains('\n'), "{}: a reason is one line: {reason}", app.id);
        assert_eq!(failed["desired"], "running");
        let steps = failed["steps"].as_array().unwrap();
        assert!(steps.iter().any(|it| it["state"] == "failed"), "{failed:#}");

        e2e::eventually(std::time::Duration::from_secs(20), || {
            let left = Object::labelled(&format!("spaceport.space={space}"));
            if left.is_empty() { Ok(()) } else { Err(format!("{}: {left:#?}", app.id)) }
        });
        let page = visitor.get(app.id, "/");
        assert_eq!(page.status, 503, "{}: {}", app.id, page.text);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.text.contains(reason), "the reason is the owner's: {}", page.text);
        let program = visitor.get_json(app.id, "/");
        assert_eq!(program.json["status"], 503, "{}", program.text);
        let name = tenant.get(&format!("/v1/names/{}", app.id));
        assert_eq!(name.json["reason"], "taken", "a failed space keeps its name");
    }
    for (app, space) in &spaces {
        tenant.delete_and_wait(space);
        assert_eq!(visitor.get(app.id, "/").status, 404);
        assert_eq!(tenant.get(&format!("/v1/names/{}", app.id)).json["available"], true);
    }
    assert_eq!(visitor.get("good-one", "/").status, 200, "others don't notice");
}

#[test]
fn the_owner_of_a_space_that_failed_reads_why_at_the_command_line() {
    let installation = with_bad_apps();
    let create = ["spaces", "create", "burns", "--app", "gives-up"];
    let output = installation.spaceport(&create);
    assert_eq!(output.code, Some(1), "{output:?}");
    let last = output.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("the disk is on fire"), "{output:?}");
    let shown = installation.spaceport(&["spaces", "show", "burns", "--json"]).json();
    assert_eq!(shown["phase"], "failed");
    let gone = installation.spaceport(&["spaces", "delete", "burns", "--json"]).json();
    assert_eq!(gone["phase"], "deleted");
}

#[test]
fn a_space_that_breaks_later_is_mended() {
    let installation = Installation::start();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
    let visitor = Visitor::of(&installation.gateway());
    let space = tenant.create("hello", "mended");
    tenant.wait_for(&space, "running");
    for breakage in [&["kill"][..], &["stop", "--time", "0"], &["rm", "--force"], &["pause"]] {
        let objects = Object::labelled(&format!("spaceport.space={space}"));
        let output = e2e::docker(&[breakage, &[objects[0].name()]].concat());
        assert_eq!(output.code, Some(0), "{output:?}");
        e2e::eventually(std::time::Duration::from_mins(1), || {
            let phase = tenant.space(&space)["phase"].clone();
            let status = visitor.get("mended", "/").status;
            let n_objects = Object::labelled(&format!("spaceport.space={space}")).len();
            let is_whole = phase == json!("running") && status == 200 && n_objects == 2;
            if is_whole { Ok(()) } else { Err(format!("{breakage:?}: {phase} {status}")) }
        });
    }
}
