//! What of a manifest is read, and what is refused by which name.

use super::*;

const MANIFEST: &str = r#"
spin_manifest_version = 2

[application]
name = "a"
version = "1"
description = "d"
authors = ["x"]

[variables]
key = { required = true, secret = true }
port = { default = "80" }

[[trigger.http]]
id = "front"
route = "/a/..."
component = "front"
dependencies.middleware = [
  { component = "gate", inherit_configuration = ["variables", "key_value_stores"] },
  { component = "gate", inherit_configuration = true },
  { component = "gate" },
]

[[trigger.cron]]
component = "tick"
cron_expression = "0 * * * * *"

[component.front]
source = "front.wasm"
description = "d"
key_value_stores = ["default"]
sqlite_databases = ["default"]
variables = { key = "{{ key }}" }
allowed_outbound_hosts = ["http://localhost:{{ port }}"]
environment = { A = "b" }
[component.front.build]
command = "make"
workdir = "x"
watch = ["src"]

[component.gate]
source = "gate.wasm"
[component.tick]
source = "tick.wasm"
"#;

#[test]
fn all_that_is_known_is_read() {
    let manifest = Manifest::parse(MANIFEST).unwrap();

    let trigger = &manifest.http_triggers[0];
    assert_eq!((&*trigger.route, &*trigger.component), ("/a/...", "front"));
    let inherits: Vec<_> = trigger.middleware.iter().map(|it| it.inherits.clone()).collect();
    let some = BTreeSet::from([Capability::KeyValueStores, Capability::Variables]);
    assert_eq!(inherits, [some, BTreeSet::from(Capability::ALL), BTreeSet::new()]);
    assert_eq!(manifest.cron_triggers[0].expression, "0 * * * * *");
    assert_eq!(manifest.variables["key"], Declared { default: None });
    assert_eq!(manifest.variables["port"], Declared { default: Some("80".into()) });
    let front = &manifest.components["front"];
    assert_eq!(front.source, PathBuf::from("front.wasm"));
    assert_eq!(front.key_value_stores, ["default"]);
    assert_eq!(front.variables["key"], "{{ key }}");
    assert_eq!(front.environment["A"], "b");
}

/// Each row replaces the first text by the second and says what the error must name.
#[test]
fn what_is_not_known_is_refused_by_name() {
    let rows = [
        ("version = 2", "version = 1", "must be 2"),
        ("[application]", "[aplication]", "aplication"),
        ("authors = [\"x\"]", "tool = {}", "tool"),
        ("authors = [\"x\"]", "targets = []", "targets"),
        ("authors = [\"x\"]", "trigger = {}", "trigger"),
        ("secret = true", "secrt = true", "secrt"),
        ("[[trigger.cron]]", "[[trigger.redis]]", "redis"),
        ("id = \"front\"", "executor = { type = 'wagi' }", "executor"),
        ("id = \"front\"", "static_response = {}", "static_response"),
        ("id = \"front\"", "components = {}", "components"),
        ("route = \"/a/...\"", "route = { private = true }", "private"),
        ("dependencies.middleware", "dependencies.other", "other"),
        ("{ component = \"gate\" }", "{ path = \"x.wasm\" }", "path"),
        ("\"key_value_stores\"]", "\"files\"]", "\"files\""),
        ("\"key_value_stores\"]", "\"ai_models\"]", "\"ai_models\""),
        ("source = \"front.wasm\"", "source = { url = 'x', digest = 'y' }", "front has a source"),
        ("description = \"d\"\nkey", "files = []\nkey", "files"),
        ("description = \"d\"\nkey", "exclude_files = []\nkey", "exclude_files"),
        ("description = \"d\"\nkey", "ai_models = []\nkey", "ai_models"),
        ("description = \"d\"\nkey", "allowed_http_hosts = []\nkey", "allowed_http_hosts"),
        ("description = \"d\"\nkey", "dependencies = {}\nkey", "dependencies"),
        ("description = \"d\"\nkey", "targets = []\nkey", "targets"),
        ("description = \"d\"\nkey", "tool = {}\nkey", "tool"),
        ("description = \"d\"\nkey", "profile = {}\nkey", "profile"),
        ("workdir = \"x\"", "wrkdir = 'x'", "wrkdir"),
        ("component = \"front\"\n", "component = \"fronty\"\n", "component.fronty"),
        ("{ component = \"gate\" }", "{ component = \"gat\" }", "component.gat]"),
        ("component = \"tick\"", "component = \"tock\"", "component.tock"),
        ("{ default = \"80\" }", "{}", "variable port"),
        ("{ default = \"80\" }", "{ required = true, default = '80' }", "variable port"),
        ("port = {", "Port = {", "\"Port\""),
        ("{ key = \"{{ key }}\" }", "{ a__b = 'x' }", "\"a__b\""),
    ];
    for (from, to, want) in rows {
        assert!(MANIFEST.contains(from), "{from:?} is not in the manifest");
        let error = Manifest::parse(&MANIFEST.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(want), "{to:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
