//! What `docs/monitoring/` has for Prometheus and Grafana: it names what there is, and rings when it is to.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use e2e::{
    ANVIL_KEY, Installation, Prometheus, Signer, Tenant, Visitor, eventually, promtool, repository,
};
use serde_json::{Value, json};

use crate::shop::CRON_KEY;

/// The longest until everything was looked at that the files name.
const SEEN_TIME_MAX: Duration = Duration::from_secs(90);

fn docs(file: &str) -> PathBuf {
    repository().join("docs/monitoring").join(file)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.filter(|it| it.starts_with("spaceport_")).map(str::to_owned).collect()
}

/// The expressions of the dashboard.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(&docs("dashboard.json"))).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let mut all = Vec::new();
    for panel in panels.filter(|it| it["type"] != "row") {
        for target in panel["targets"].as_array().unwrap() {
            all.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    all
}

#[test]
fn alerts_ring_when_they_are_to_and_not_before() {
    for (command, file) in [("check", "alerts.yml"), ("test", "alerts.test.yml")] {
        let output = promtool(&[command, "rules"], &docs(file));
        assert_eq!(output.code, Some(0), "{file}: {}{}", output.stdout, output.stderr);
    }
}

#[test]
fn every_alert_is_tested_and_has_its_part_in_the_runbook() {
    let (rules, tests) = (read(&docs("alerts.yml")), read(&docs("alerts.test.yml")));
    let runbook = read(&repository().join("docs/OPERATING.md"));
    let alerts: Vec<_> =
        rules.lines().filter_map(|it| it.trim().strip_prefix("- alert: ")).collect();
    assert!(10 < alerts.len(), "{alerts:?}");
    for alert in alerts {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} is not tested");
        assert!(runbook.contains(&format!("**{alert}**")), "{alert} is not in the runbook");
    }
}

/// What the files name, a real Prometheus finds in a real installation, and nothing of it rings.
#[test]
fn what_dashboard_alerts_and_documentation_name_is_there() {
    let signer = Signer::start();
    let operator = signer.text(ANVIL_KEY, "who is it?").address;
    let process = e2e::free_address().to_string();
    let mut installation = Installation::default()
        .with_variable("admin_addresses", &operator)
        .with_variable("cron_key", CRON_KEY)
        .with_options(&["--meter-seconds", "1", "--metrics", &process]);
    installation.up();
    let edge = installation.edge();
    let operator = Tenant::sign_in(&edge, &signer, ANVIL_KEY);
    let space = operator.create("hello", "garden");
    operator.wait_for(&space, "running");
    assert_eq!(Visitor::of(&installation.gateway()).get("garden", "/").status, 200);
    let grant = json!({ "amount": "1.00", "reason": "so that there is money" });
    let granted = operator.post(&format!("/v1/admin/spaces/{space}/grants"), &grant);
    assert_eq!(granted.status, 201, "{}", granted.text);
    let prometheus = Prometheus::start(edge.origin(), &operator.token, &process);
    let runbook = read(&repository().join("docs/OPERATING.md"));
    let mut named = names(&read(&docs("alerts.yml")));
    named.extend(names(&runbook));
    for expression in expressions() {
        named.extend(names(&expression));
    }
    eventually(SEEN_TIME_MAX, || {
        let billed = edge.post("/internal/cron/billing", Some(CRON_KEY), &json!({}));
        assert_eq!(billed.status, 200, "{}", billed.text);
        let there = prometheus.get("label/__name__/values");
        let there: BTreeSet<_> =
            there.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        // A histogram is named without the part that says which of its series is meant.
        let is_there = |it: &String| there.contains(it) || there.contains(&format!("{it}_bucket"));
        let lost: Vec<_> = named.iter().filter(|it| !is_there(it)).collect();
        if lost.is_empty() { Ok(()) } else { Err(format!("{lost:?} of {there:?}")) }
    });
    let series = prometheus.get("label/__name__/values");
    for name in series.as_array().unwrap().iter().map(|it| it.as_str().unwrap()) {
        let parts = ["_bucket", "_sum", "_count"];
        let base = parts.iter().find_map(|it| name.strip_suffix(it)).unwrap_or(name);
        let is_ours = name.starts_with("spaceport_");
        assert!(!is_ours || runbook.contains(base), "{name} is not in the documentation");
    }
    for expression in expressions() {
        let _ = prometheus.query(&expression.replace("$__rate_interval", "1m"));
    }
    assert_eq!(prometheus.query("up == 1").len(), 2);
    assert_eq!(prometheus.query("spaceport_edge_spaces{phase=\"running\"}")[0]["value"][1], "1");
    let alerts = prometheus.get("alerts");
    assert_eq!(alerts["alerts"], json!([]), "{alerts:#}");
}
