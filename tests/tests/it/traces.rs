//! Traces for OpenTelemetry: from a request to what the host did for it.

use std::time::Duration;

use e2e::{ANVIL_KEY, Installation, Program, Signer, Tenant, TraceReceiver, eventually, run};
use serde_json::json;

/// Spans are sent every five seconds.
const SENT_TIME_MAX: Duration = Duration::from_secs(30);
const REQUEST_ID: &str = "a-request-of-this-test";

#[test]
fn a_request_and_the_work_that_it_asked_for_are_traced_without_secrets() {
    let receiver = TraceReceiver::start();
    let mut installation = Installation::default()
        .with_environment("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint());
    installation.up();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), ANVIL_KEY);
    let body = json!({ "app": "hello", "name": "garden" });
    let made = tenant.post_with("/v1/spaces", &body, &[("x-request-id", REQUEST_ID)]);
    assert_eq!(made.status, 202, "{}", made.text);
    let space = made.field("id");
    tenant.wait_for(&space, "running");

    eventually(SENT_TIME_MAX, || {
        let spans = receiver.spans();
        let all: Vec<_> = spans
            .iter()
            .filter(|it| it.attributes.get("request.id").is_some_and(|it| it == REQUEST_ID))
            .collect();
        let request = all.iter().find(|it| it.name == "POST /v1/spaces");
        let turn = all.iter().find(|it| it.name == "turn" && !it.events.is_empty());
        let (Some(request), Some(turn)) = (request, turn) else {
            return Err(format!("{:?}", spans.iter().map(|it| &it.name).collect::<Vec<_>>()));
        };
        assert_eq!(request.service, "spaceport");
        assert_eq!(request.attributes["http.response.status_code"], "202", "{request:?}");
        assert_eq!(request.attributes["http.route"], "/v1/spaces", "{request:?}");
        assert_eq!(turn.attributes["space.id"], space, "{turn:?}");
        assert!(!request.is_error && !turn.is_error);
        Ok(())
    });
    installation.stop();
    for message in receiver.received() {
        assert_eq!(message.line, "POST /v1/traces");
        assert_eq!(message.headers["content-type"], "application/x-protobuf");
        let sent = String::from_utf8_lossy(&message.body);
        assert!(!sent.contains(&tenant.token), "a session's token");
    }
}

#[test]
fn whoever_takes_traces_and_is_gone_stops_nothing() {
    let mut installation = Installation::default()
        .with_environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    installation.up();
    let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), ANVIL_KEY);
    let space = tenant.create("hello", "garden");
    tenant.wait_for(&space, "running");
    // In the time that a stop has.
    installation.stop();
}

#[test]
fn where_traces_can_not_go_stops_the_start_and_is_named() {
    let rows =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "no url"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")];
    for (name, value) in rows {
        let mut command = Program::Plain.command();
        command.args(["edge", "--edge", "127.0.0.1:0", "--json"]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").env(name, value);
        let output = run(&mut command);
        assert_eq!(output.code, Some(1), "{name}: {output:?}");
        assert!(output.stderr.contains("OTEL_EXPORTER_OTLP_"), "{name}: {}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
}
