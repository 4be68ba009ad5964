//! What keeps an edge from starting, and how it is said.

use edge_host::StartError;
use wasm_encoder::{
    Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, InstanceType,
};

use crate::support::{MANIFEST, Running};

/// The error and its causes, as a person sees them.
fn chain(error: &StartError) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |it| it.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Each row replaces the first text by the second and says what the error must name.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let rows = [
        ("key_value_stores = [\"default\"]", "files = []", "`files`"),
        (
            "key_value_stores = [\"default\"]",
            "key_value_stores = [\"other\"]",
            "key-value store \"other\"",
        ),
        (
            "sqlite_databases = [\"default\"]",
            "sqlite_databases = [\"other\"]",
            "SQLite database \"other\"",
        ),
        ("probe.wasm", "missing.wasm", "component probe has no file"),
        ("{ default = \"hello\" }", "{ required = true }", "SPIN_VARIABLE_GREETING"),
        ("{{ greeting }}", "{{ gretting }}", "\"gretting\""),
        ("{{ greeting }}", "{{ greeting", "without '}}'"),
        ("component = \"probe\"", "component = \"prob\"", "[component.prob]"),
        ("route = \"/...\"", "route = \"/.well-known/spin/x\"", "/.well-known/spin/"),
        (
            "[component.probe]",
            "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"probe\"\n[component.probe]",
            "route \"/...\" belongs to two triggers",
        ),
        (
            "key_value_stores",
            "allowed_outbound_hosts = [\"http://self\"]\nkey_value_stores",
            "needs Spin",
        ),
        ("probe.wasm", "probe-cron.wasm", "component probe is not a component of its trigger"),
        (
            "[component.probe]",
            "[[trigger.cron]]\ncomponent = \"probe\"\ncron_expression = \"* * * * *\"\n[component.probe]",
            "not a cron expression with seconds first",
        ),
        (
            "component = \"probe\"\n",
            "component = \"probe\"\ndependencies.middleware = [{ component = 'probe' }]\n",
            "probe does not import wasi:http/handler@0.3.0",
        ),
    ];
    for (from, to, want) in rows {
        assert!(MANIFEST.contains(from), "{from:?} is not in the manifest");
        let Err(error) = Running::try_start(&MANIFEST.replacen(from, to, 1)).await else {
            panic!("started with {to}");
        };
        let text = chain(&error);
        assert!(text.contains(want), "{to}: {text}");
    }
}

/// A component that imports an empty interface called `name`, and does nothing.
fn importing(name: &str) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    let mut imports = ComponentImportSection::new();
    imports.import(name, ComponentTypeRef::Instance(0));
    let mut component = Component::new();
    component.section(&types).section(&imports);
    component.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_not_offered_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("redis.wasm");
    std::fs::write(&path, importing("spin:redis/redis@3.0.0")).unwrap();
    let manifest = MANIFEST.replacen("{probes}/probe.wasm", path.to_str().unwrap(), 1);
    let Err(error) = Running::try_start(&manifest).await else { panic!("started") };
    let want = "component probe imports spin:redis/redis@3.0.0, which this edge does not offer";
    assert_eq!(chain(&error), want);
}
