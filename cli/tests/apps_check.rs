//! `spaceport apps check`: what an author of a template reads, and what a script does.
//!
//! Method: runs the binary on folders made for each test. It needs neither Docker nor a state.

#![expect(clippy::unwrap_used, reason = "a test fails that way")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const COMPOSE: &str = "services:
  web:
    image: registry.example/web:1
    mem_limit: 64m
  db:
    image: postgres:17
    mem_limit: 1g
";
const APP: &str = "title = 'Notes'
description = 'Notes of a group.'
version = '1'
web = { service = 'web', port = 80 }
ready = { path = '/', timeout_seconds = 60 }
disk = { mib = 512 }
";

fn folder_of(templates: &[(&str, &str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (id, compose, app) in templates {
        let template = folder.path().join("apps").join(id);
        fs::create_dir_all(&template).unwrap();
        fs::write(template.join("compose.yaml"), compose).unwrap();
        fs::write(template.join("app.toml"), app).unwrap();
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spaceport"))
        .args(args)
        .env_clear()
        .env("HOME", folder)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Exit code, standard output and standard error.
fn check(folder: &TempDir, args: &[&str]) -> (i32, String, String) {
    let output = run(folder.path(), &[&["apps", "check"], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_template_that_is_right_is_ok() {
    let folder = folder_of(&[("notes", COMPOSE, APP)]);
    let warning = "warning: apps/notes/compose.yaml:3: services.web.image: not pinned by a digest, \
                   so what runs may change: name@sha256:…\n";
    for dir in ["apps", "apps/notes"] {
        let (code, out, err) = check(&folder, &[dir]);
        assert_eq!((code, err.as_str()), (0, warning), "{dir}");
        let release = out.strip_prefix("notes: ok (2 services, 1088 MiB, release ").unwrap();
        let release = release.strip_suffix(")\n").unwrap();
        assert!(release.len() == 32 && release.bytes().all(|it| it.is_ascii_hexdigit()), "{out}");
    }
}

#[test]
fn every_error_is_a_line_and_the_exit_code_is_1() {
    let compose = format!("{COMPOSE}    privileged: true\n    ports: ['80:80']\n");
    let app = APP.replace("'web', port", "'www', port");
    let folder = folder_of(&[("bad", &compose, &app), ("good", COMPOSE, APP)]);
    let (code, out, err) = check(&folder, &["apps"]);
    assert_eq!(code, 1);
    assert!(out.starts_with("good: ok (") && out.lines().count() == 1, "{out}");
    let want = [
        "apps/bad/compose.yaml:8: services.db.privileged: not supported: a space may not have the \
         powers of the host",
        "apps/bad/compose.yaml:9: services.db.ports: not supported: visitors come through the \
         gateway; say which port in app.toml, [web]",
        "apps/bad/app.toml:4: web.service: there is no service www",
    ];
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines[..3], want);
    assert_eq!(lines[4..], ["spaceport: 3 things must be put right, see above"]);
}

#[test]
fn services_of_the_host_have_to_be_in_the_folder() {
    let app = format!("{APP}[shared]\nstack = 'stack'\nservices = {{ pg = 'server' }}\n");
    let stack = "title = 'Postgres'\ndescription = 'One.'\nversion = '1'\nkind = 'shared'\n\
                 ready = { timeout_seconds = 60 }\ndisk = { mib = 1 }\n";
    let folder = folder_of(&[("notes", COMPOSE, &app)]);
    let (code, _, err) = check(&folder, &["apps/notes"]);
    let want = "apps/notes/app.toml:8: shared.stack: there is no template stack\n\
                spaceport: one thing must be put right, see above\n";
    assert_eq!((code, err.as_str()), (1, want));
    let server = "services: {server: {image: 'example/server:1', mem_limit: 64m}}";
    let folder = folder_of(&[("notes", COMPOSE, &app), ("stack", server, stack)]);
    assert_eq!(check(&folder, &["apps/notes"]).0, 0);
    assert_eq!(check(&folder, &["apps"]).0, 0);
}

#[test]
fn a_folder_without_a_template_is_an_error() {
    let folder = folder_of(&[]);
    fs::create_dir_all(folder.path().join("empty/inner")).unwrap();
    fs::create_dir_all(folder.path().join("half")).unwrap();
    fs::write(folder.path().join("half/compose.yaml"), COMPOSE).unwrap();
    let rows = [
        ("none", "could not read none: No such file or directory"),
        ("empty", "empty: there is no app template"),
        ("half", "could not read half/app.toml: No such file or directory"),
    ];
    for (dir, want) in rows {
        let (code, out, err) = check(&folder, &[dir]);
        assert_eq!((code, out.as_str()), (1, ""), "{dir}");
        assert!(err.contains(want), "{dir}: {err}");
    }
    assert_eq!(check(&folder, &[]).0, 2);
}

#[test]
fn a_script_reads_json() {
    let folder = folder_of(&[("good", COMPOSE, APP)]);
    let (code, out, err) = check(&folder, &["apps", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let mut result: Value = serde_json::from_str(&out).unwrap();
    assert!(result["templates"][0]["release"].take().is_string());
    let warning = "not pinned by a digest, so what runs may change: name@sha256:…";
    let want = json!({ "ok": true, "templates": [{
        "folder": "apps/good", "ok": true, "id": "good", "version": "1", "release": null,
        "services": 2, "memory_mib": 1088, "disk_mib": 512,
        "warnings": [{
            "file": "compose.yaml", "line": 3, "key": "services.web.image", "message": warning,
        }],
    }] });
    assert_eq!(result, want);

    let folder = folder_of(&[("bad", COMPOSE, &APP.replace("mib = 512", "mib = 0"))]);
    let (code, out, err) = check(&folder, &["apps", "--json"]);
    assert_eq!((code, err.as_str()), (1, "spaceport: one thing must be put right, see above\n"));
    let want = json!({ "ok": false, "templates": [{ "folder": "apps/bad", "ok": false, "errors": [
        { "file": "app.toml", "line": 6, "key": "disk.mib", "message": "must be at least 1" },
    ] }] });
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), want);
}
