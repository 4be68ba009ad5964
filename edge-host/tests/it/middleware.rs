//! Middleware: the order of a chain, and what each link may use.

use std::collections::BTreeMap;

use crate::support::{MANIFEST, Running};

fn manifest(middleware: &str) -> String {
    let trigger = "component = \"probe\"\n";
    let chained = format!("{trigger}dependencies.middleware = [{middleware}]\n");
    let gate = "\n[component.gate]\nsource = \"{probes}/probe-middleware.wasm\"\n";
    let hosts = "allowed_outbound_hosts = [\"http://127.0.0.1:1\"]\nkey_value_stores";
    MANIFEST.replacen("key_value_stores", hosts, 1).replacen(trigger, &chained, 1) + gate
}

/// What the middleware said it got, by thing.
async fn got(running: &Running) -> BTreeMap<String, String> {
    let text = running.get("/headers").await.ok();
    let lines = text.lines().filter_map(|it| it.strip_prefix("probe-")?.split_once(": "));
    lines.map(|(a, b)| (a.to_owned(), b.trim_matches('"').replace('\\', ""))).collect()
}

const DENIED: [(&str, &str); 6] = [
    ("variable", "Err(Error::Undefined(\"greeting\"))"),
    ("key-value", "Err(Error::AccessDenied)"),
    ("counter", "Error::AccessDenied"),
    ("sqlite", "Err(Error::AccessDenied)"),
    ("fetch", "ErrorCode::InternalError(Some(\"\"wasi:http/client\" is not permitted\"))"),
    ("environment", "false"),
];

const GRANTED: [(&str, &str); 6] = [
    ("variable", "Ok(\"hello there\")"),
    ("key-value", "Ok(())"),
    ("counter", "counted"),
    ("sqlite", "Ok(())"),
    ("fetch", "ErrorCode::ConnectionRefused"),
    ("environment", "true"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_middleware_has_what_it_inherits_and_nothing_else() {
    let rows: &[(&str, &[&str])] = &[
        ("", &[]),
        (", inherit_configuration = false", &[]),
        (", inherit_configuration = ['variables']", &["variable"]),
        (", inherit_configuration = ['key_value_stores']", &["key-value", "counter"]),
        (", inherit_configuration = ['sqlite_databases']", &["sqlite"]),
        (", inherit_configuration = ['allowed_outbound_hosts']", &["fetch"]),
        (", inherit_configuration = ['environment']", &["environment"]),
        (
            ", inherit_configuration = true",
            &["variable", "key-value", "counter", "sqlite", "fetch", "environment"],
        ),
    ];
    for (inherits, granted) in rows {
        let manifest = manifest(&format!("{{ component = 'gate'{inherits} }}"));
        let running = Running::start(&manifest).await;
        let got = got(&running).await;
        for ((thing, denied), (_, value)) in DENIED.into_iter().zip(GRANTED) {
            let want = if granted.contains(&thing) { value } else { denied };
            assert_eq!(got[thing], want, "{thing} with {inherits:?}");
        }
        assert_eq!(running.get("/var/greeting").await.ok(), "hello there", "behind {inherits:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_passed_through_from_the_outermost_to_the_innermost() {
    // Both set the same headers, so that the component sees what the inner one set.
    let all = "{ component = 'gate', inherit_configuration = true }";
    let none = "{ component = 'gate' }";
    for (chain, want) in
        [(format!("{all}, {none}"), DENIED[0].1), (format!("{none}, {all}"), GRANTED[0].1)]
    {
        let running = Running::start(&manifest(&chain)).await;
        let answer = running.post("/echo", "body").await;
        assert_eq!(answer.headers.get_all("probe-passed").iter().count(), 2);
        assert_eq!(answer.ok(), "body");
        assert_eq!(got(&running).await["variable"], want, "{chain}");
    }
}
