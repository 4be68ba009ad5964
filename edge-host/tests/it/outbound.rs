//! Where a component may send requests.

use crate::support::{MANIFEST, Running, listener, next};

fn manifest(hosts: &str) -> String {
    let hosts = format!("allowed_outbound_hosts = [{hosts}]\nkey_value_stores");
    MANIFEST.replacen("key_value_stores", &hosts, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_to_allowed_hosts_only() {
    let (addr, mut questions) = listener().await;
    let running = Running::start(&manifest(&format!("'http://{addr}'"))).await;
    assert_eq!(running.post("/fetch", &format!("http://{addr}/path?q")).await.ok(), "200 1");
    let question = next(&mut questions).await;
    assert!(question.starts_with("GET /path?q HTTP/1.1\r\n"), "{question}");
    assert!(question.contains(&format!("host: {addr}")), "{question}");

    for url in ["http://127.0.0.1:1/", "http://localhost/", "https://example.org/"] {
        let error = running.post("/fetch", url).await.refused();
        assert_eq!(error, "ErrorCode::HttpRequestDenied", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_used_again() {
    let (addr, _questions) = listener().await;
    let running = Running::start(&manifest(&format!("'http://{addr}'"))).await;
    for _ in 0..3 {
        assert_eq!(running.post("/fetch", &format!("http://{addr}/")).await.ok(), "200 1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_do_not_reach_private_networks() {
    let (addr, _questions) = listener().await;
    let running = Running::start(&manifest("'*://*:*'")).await;
    let port = addr.port();
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let error = running.post("/fetch", &format!("http://{host}:{port}/")).await.refused();
        assert_eq!(error, "ErrorCode::DestinationIpProhibited", "{host}");
    }
}
