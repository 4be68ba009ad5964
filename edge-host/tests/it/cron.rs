//! Cron components, as Spin's stock plugin takes them.

use std::net::SocketAddr;

use crate::support::{Running, listener, next};

fn manifest(addr: SocketAddr) -> String {
    let text = r#"
spin_manifest_version = 2
[application]
name = "probes"
[[trigger.cron]]
component = "tick"
cron_expression = "* * * * * *"
[component.tick]
source = "{probes}/probe-cron.wasm"
allowed_outbound_hosts = ["http://{addr}"]
variables = { authority = "{addr}", path = "/tick/" }
"#;
    text.replace("{addr}", &addr.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_runs_when_its_expression_says_so() {
    let (addr, mut questions) = listener().await;
    let _running = Running::start(&manifest(addr)).await;
    let mut times = Vec::new();
    for _ in 0..2 {
        let question = next(&mut questions).await;
        let path = question.strip_prefix("POST /tick/").unwrap();
        times.push(path.split(' ').next().unwrap().parse::<u64>().unwrap());
    }
    assert!(times[0] < times[1], "{times:?}");
}
