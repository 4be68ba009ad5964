//! Settings that can't be meant: the start stops, and one line names the variable and what is wrong.

use e2e::{Installation, Program, run};
use serde_json::{Value, json};

const CONTRACT: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

/// How a start with these variables fails.
fn failure(variables: &[(&str, &str)]) -> String {
    let mut installation = Installation::default();
    for (name, value) in variables {
        installation.set_variable(name, value);
    }
    run(&mut installation.up_command(Program::Plain)).failure()
}

/// A policy of one rule: a good one for a token, with `fields` over it. A null takes a field away.
fn with_fields(fields: &Value) -> String {
    let mut rule =
        json!({ "kind": "erc20", "chain_id": 8453, "contract": CONTRACT, "required": "100" });
    for (name, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => rule.as_object_mut().unwrap().remove(name),
            _ => rule.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    json!({ "rules": [rule] }).to_string()
}

#[test]
fn a_policy_that_can_not_be_meant_stops_the_start() {
    let erc1155 = json!({ "kind": "erc1155" });
    let list = |addresses: Value| {
        json!({ "rules": [{ "kind": "allowlist", "addresses": addresses }] }).to_string()
    };
    let good = with_fields(&json!({}));
    let rule: Value = serde_json::from_str::<Value>(&good).unwrap()["rules"][0].clone();
    let many = json!({ "rules": vec![rule.clone(); 17] }).to_string();
    let nobody = json!({ "kind": "attestation", "ledger": "crdt-main", "required": "1" });
    #[rustfmt::skip]
    let rows = [
        (String::new(),                                                "gate_policy"),
        ("{".to_owned(),                                               "gate_policy"),
        ("[]".to_owned(),                                              "gate_policy"),
        (json!({ "rules": [] }).to_string(),                           "rules"),
        (json!({}).to_string(),                                        "rules"),
        (json!({ "mode": "most", "rules": [rule] }).to_string(),       "mode"),
        (json!({ "rules": [rule], "rule": 1 }).to_string(),            "rule"),
        (json!({ "rules": [rule, { "kind": "erc777" }] }).to_string(), "rule 2"),
        (json!({ "rules": [rule, nobody] }).to_string(),               "issuer"),
        (many,                                                         "16"),
        (with_fields(&json!({ "colour": "red" })),                     "colour"),
        (with_fields(&json!({ "token_id": "7" })),                     "token_id"),
        (with_fields(&json!({ "chain_id": 0 })),                       "chain_id"),
        (with_fields(&json!({ "chain_id": null })),                    "chain_id"),
        (with_fields(&json!({ "contract": "0x1234" })),                "contract"),
        (with_fields(&json!({ "contract": format!("0x{:040}", 0) })),  "contract"),
        (with_fields(&json!({ "required": "0" })),                     "required"),
        (with_fields(&json!({ "required": 0 })),                       "required"),
        (with_fields(&json!({ "required": "-1" })),                    "required"),
        (with_fields(&json!({ "required": 1.5 })),                     "required"),
        (with_fields(&json!({ "required": "1.5" })),                   "required"),
        (with_fields(&json!({ "required": "1.0001", "decimals": 3 })), "required"),
        (with_fields(&json!({ "required": "9".repeat(90) })),          "required"),
        (with_fields(&json!({ "required": null })),                    "required"),
        (with_fields(&erc1155),                                        "token_id"),
        (list(json!([])),                                              "addresses"),
        (list(json!(["0x12"])),                                        "addresses"),
        (list(json!([CONTRACT, CONTRACT.to_lowercase()])),             "addresses"),
    ];
    let rpc_urls = json!({ "8453": ["http://127.0.0.1:1"] }).to_string();
    for (policy, culprit) in rows {
        let variables =
            [("crdt_gate_enabled", "true"), ("gate_policy", &*policy), ("rpc_urls", &*rpc_urls)];
        let line = failure(&variables);
        assert!(line.contains("gate_policy") && line.contains(culprit), "{policy}: {line}");
        assert!(!line.contains("127.0.0.1:1"), "{line}");
    }
    let without_rpc = failure(&[("crdt_gate_enabled", "true"), ("gate_policy", &good)]);
    assert!(without_rpc.contains("rpc_urls") && without_rpc.contains("8453"), "{without_rpc}");
}

#[test]
fn other_settings_that_can_not_be_meant_stop_the_start() {
    #[rustfmt::skip]
    let rows = [
        ("crdt_gate_enabled",       "yes please"),
        ("rpc_urls",                "http://127.0.0.1:8545"),
        ("rpc_urls",                "{\"base\":[\"http://127.0.0.1:8545\"]}"),
        ("rpc_urls",                "{\"0\":[\"http://127.0.0.1:8545\"]}"),
        ("rpc_urls",                "{\"1\":[]}"),
        ("rpc_urls",                "{\"1\":\"http://127.0.0.1:8545\"}"),
        ("rpc_urls",                "{\"1\":[\"127.0.0.1:8545\"]}"),
        ("rpc_urls",                "{\"1\":[\"ftp://127.0.0.1\"]}"),
        ("rpc_urls",                "{\"1\":[\"http://me:pass@127.0.0.1:8545\"]}"),
        ("siwe_chain_ids",          "base"),
        ("siwe_chain_ids",          "0"),
        ("previous_session_keys",   "short"),
        ("rate_general_per_min",    "many"),
        ("rate_general_per_min",    "-1"),
        ("rate_provision_per_hour", "1.5"),
        ("trusted_proxies",         "localhost"),
        ("trusted_proxies",         "10.0.0.0/33"),
    ];
    for (name, value) in rows {
        let line = failure(&[(name, value)]);
        assert!(line.contains(name), "{name}={value}: {line}");
        assert!(!line.contains("pass@"), "a password is not for the log: {line}");
    }
}
