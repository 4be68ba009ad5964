//! What scripts rely on: exit codes, what is on standard output, and one line on standard error.
//!
//! Method: runs the binary where it needs no Docker Engine, in an environment of its own.

#![expect(clippy::unwrap_used, reason = "a test fails that way")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

/// An environment with nothing in it but folders of its own.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spaceport"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path())
            // No Docker Engine is there.
            .env("DOCKER_HOST", format!("unix://{}/docker.sock", self.path().display()))
            .current_dir(self.path());
        command
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn assert_fails(output: &Output, want: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("spaceport: ") && stderr.contains(want), "{stderr}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn wrong_usage_is_2() {
    let bench = Bench::new();
    let rows: &[&[&str]] = &[
        &[],
        &["fly"],
        &["up", "--edge", "nowhere"],
        &["up", "--wings"],
        &["worker"],
        &["spaces"],
        &["spaces", "create", "garden"],
        &["spaces", "create", "garden", "--app", "hello", "--set", "colour"],
        &["spaces", "list", "--edge", "127.0.0.1:3000"],
        &["spaces", "logs", "garden", "--tail", "1001"],
    ];
    for args in rows {
        assert_eq!(bench.run(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn asking_for_help_is_0() {
    let bench = Bench::new();
    let rows: &[&[&str]] = &[&["--help"], &["--version"], &["spaces", "create", "--help"]];
    for args in rows {
        let output = bench.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_ne!(text(&output.stdout), "", "{args:?}");
    }
}

#[test]
fn without_an_installation_it_says_how_to_name_one() {
    let bench = Bench::new();
    for command in ["up", "edge", "demo"] {
        assert_fails(&bench.run(&[command]), "set SPACEPORT_HOME");
    }
    let output = bench.command(&["up"]).env("SPACEPORT_HOME", "/nowhere").output().unwrap();
    assert_fails(&output, "SPACEPORT_HOME is /nowhere, which has no spin.toml");
}

#[test]
fn a_wrong_variable_stops_the_start_and_is_named() {
    let bench = Bench::new();
    fs::write(bench.path().join("spin.toml"), "").unwrap();
    let mut command = bench.command(&["edge", "--edge", "127.0.0.1:0"]);
    let output = command.env("SPIN_VARIABLE_BASE_DOMAIN", "Not A Domain").output().unwrap();
    assert_fails(&output, "variable base_domain");
}

#[test]
fn an_address_in_use_says_which_option_to_change() {
    let bench = Bench::new();
    fs::write(bench.path().join("spin.toml"), "").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    assert_fails(&bench.run(&["edge", "--edge", &addr]), "--edge");
}

#[test]
fn without_an_edge_it_says_so() {
    let bench = Bench::new();
    let edge = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let mut command = bench.command(&["spaces", "list", "--edge", &edge]);
    let output = command.env("SPACEPORT_TOKEN", "token").output().unwrap();
    assert_fails(&output, &format!("no edge answers at {edge}"));
}

#[test]
fn a_token_is_no_option() {
    let bench = Bench::new();
    let output = bench.run(&["spaces", "list", "--token", "x"]);
    assert_eq!(output.status.code(), Some(2), "everybody on the machine can read options");
}

#[test]
fn a_wallet_that_others_may_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new();
    let wallet = bench.path().join("wallet.key");
    fs::write(&wallet, format!("0x{}", "1".repeat(64))).unwrap();
    fs::set_permissions(&wallet, fs::Permissions::from_mode(0o644)).unwrap();
    let wallet = wallet.display().to_string();
    assert_fails(&bench.run(&["spaces", "list", "--wallet", &wallet]), "chmod 600");
}

#[test]
fn taking_down_what_is_not_there_is_done() {
    let bench = Bench::new();
    let output = bench.run(&["down", "--state", "nothing", "--purge", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let got: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let want = serde_json::json!({ "purged": true, "containers": 0, "networks": 0, "volumes": 0 });
    assert_eq!(got, want);
    assert!(!bench.path().join("nothing").exists());
}

#[test]
fn the_worker_needs_its_key() {
    let bench = Bench::new();
    let output = bench.run(&["worker", "--host-key-file", "missing.key"]);
    assert_fails(&output, "there is no host key in missing.key");
}

#[test]
fn doctor_says_line_by_line_what_is_missing() {
    let bench = Bench::new();
    let output = bench.run(&["doctor", "--edge", "127.0.0.1:0", "--gateway", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let lines = text(&output.stdout);
    let has = |level: &str, name: &str| {
        lines.lines().any(|it| {
            let mut words = it.split_whitespace();
            words.next() == Some(level) && words.next() == Some(name)
        })
    };
    assert!(has("fail", "docker") && has("fail", "installation") && has("ok", "state"), "{lines}");
    assert!(text(&output.stderr).contains("must be put right first"));

    let output =
        bench.run(&["doctor", "--edge", "127.0.0.1:0", "--gateway", "127.0.0.1:0", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let got: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(got["ok"], false);
    assert_eq!(got["checks"][0]["name"], "docker");
    assert_eq!(got["checks"][0]["level"], "fail");
}
