//! Who may make a space: what a wallet holds on two chains, lists, and what an issuer says of it.

use std::time::Duration;

use e2e::{Answer, Chain, Installation, SECOND_KEY, Signer, Tenant, eventually};
use http::Method;
use serde_json::{Value, json};

use crate::{
    attestations::statement,
    edge::{Edge, gated, hello, refused},
};

/// The longest a verdict may be kept, on a machine that does much else.
const CACHE_TIME_MAX: Duration = Duration::from_mins(1);

/// Which rules of an answer a wallet passes.
fn passed(answer: &Value) -> Vec<bool> {
    let rules = answer["rules"].as_array().unwrap();
    rules.iter().map(|it| it["passed"].as_bool().unwrap()).collect()
}

#[test]
fn a_wallet_is_let_in_once_it_has_all_that_is_asked_for() {
    let (base, mainnet) = (Chain::start(8453), Chain::start(1));
    let credit = base.deploy("Erc20", &["6"]);
    let member = mainnet.deploy("Erc721", &[]);
    let badge = mainnet.deploy("Erc1155", &[]);
    let signer = Signer::start();
    let (wallet, issuer) = (signer.fresh(), signer.fresh());
    #[rustfmt::skip]
    let policy = json!({ "rules": [
        { "kind": "erc20",   "label": "Credit", "chain_id": 8453, "contract": credit.address, "required": "12.5", "decimals": 6 },
        { "kind": "erc721",  "chain_id": 1, "contract": member.address, "required": 1 },
        { "kind": "erc1155", "label": "Badge", "chain_id": 1, "contract": badge.address, "token_id": "7", "required": "2" },
        { "kind": "allowlist", "label": "Founders", "addresses": [wallet.address] },
        { "kind": "attestation", "label": "Ledger", "issuer": issuer.address, "ledger": "crdt-main", "required": "100" },
    ] });
    let mut edge = Edge::of(gated(&policy, &json!({ "8453": [base.url()], "1": [mainnet.url()] })));
    let tenant = Tenant::sign_in(&edge.client(), &signer, &wallet.key);

    // One below each limit, and many of another badge.
    base.call(&credit, "mint", &[&wallet.address, "12499999"]);
    mainnet.call(&badge, "mint", &[&wallet.address, "7", "1"]);
    mainnet.call(&badge, "mint", &[&wallet.address, "8", "100"]);
    let said = statement(&wallet, &json!({ "amount": "100" }));
    let header = signer.attestation(&issuer.key, &said, &json!({}));
    let header = ("gate-attestation", &*header);
    let closed = tenant.get_with("/v1/gate", header);
    assert_eq!(closed.status, 200, "{}", closed.text);
    check_explanation(&closed.json, &policy);
    // All of it is explained, also where one rule alone decides.
    let without = tenant.get("/v1/gate").json;
    assert_eq!(passed(&without), [false, false, false, true, false]);
    assert_eq!(without["rules"][0], closed.json["rules"][0]);
    check_refusal(&tenant.post_with("/v1/spaces", &hello("too-early"), &[header]));

    base.call(&credit, "mint", &[&wallet.address, "1"]);
    mainnet.call(&member, "mint", &[&wallet.address, "1"]);
    mainnet.call(&badge, "mint", &[&wallet.address, "7", "1"]);
    eventually(CACHE_TIME_MAX, || {
        let answer = tenant.get_with("/v1/gate", header);
        if answer.json["allowed"] == true { Ok(()) } else { Err(answer.text) }
    });
    assert_eq!(tenant.get("/v1/gate").json["allowed"], false, "nobody says what the ledger has");
    check_refusal(&tenant.post("/v1/spaces", &hello("too-early")));
    edge.nothing_changed();
    let once = ("idempotency-key", "at-last");
    let made = tenant.post_with("/v1/spaces", &hello("at-last"), &[header, once]);
    assert_eq!(made.status, 202, "{}", made.text);
    let space = made.field("id");
    tenant.wait_for(&space, "running");

    // Who has a space keeps it, whatever the gate says later.
    let mut stricter = policy;
    stricter["rules"][0]["required"] = "12.500001".into();
    edge.installation.stop();
    edge.installation.set_variable("gate_policy", &stricter.to_string());
    edge.installation.up();
    let tenant = tenant.at(&edge.client());
    check_refusal(&tenant.post_with("/v1/spaces", &hello("too-late"), &[header]));
    let again = tenant.post_with("/v1/spaces", &hello("at-last"), &[once]);
    assert_eq!((again.status.as_u16(), &again.text), (202, &made.text), "an answer is an answer");
    assert_eq!(tenant.get("/v1/spaces").json["items"].as_array().unwrap().len(), 1);
    assert_eq!(tenant.get(&format!("/v1/spaces/{space}/events")).status, 200);
    tenant.delete_and_wait(&space);
}

/// Checks what the gate says to a wallet that is on the list and in the ledger, and lacks one of each
/// token.
fn check_explanation(answer: &Value, policy: &Value) {
    assert_eq!((&answer["enabled"], &answer["allowed"]), (&json!(true), &json!(false)));
    assert_eq!(answer["mode"], "all", "{answer:#}");
    assert!(answer["checked_at"].as_str().unwrap().ends_with('Z'), "{answer:#}");
    assert_eq!(passed(answer), [false, false, false, true, true]);
    #[rustfmt::skip]
    let rows = [
        (json!("12.5"), json!("12.499999")),
        (json!("1"),    json!("0")),
        (json!("2"),    json!("1")),
        (json!(null),   json!(null)),
        (json!("100"),  json!("100")),
    ];
    let rules = policy["rules"].as_array().unwrap();
    for (index, (required, held)) in rows.iter().enumerate() {
        let (rule, said) = (&rules[index], &answer["rules"][index]);
        for field in ["kind", "chain_id", "contract"] {
            assert_eq!(said[field], rule[field], "rule {index}: {field}: {answer:#}");
        }
        assert_eq!((&said["required"], &said["held"]), (required, held), "{index}: {answer:#}");
        let label = said["label"].as_str().unwrap();
        assert_eq!(label, rule["label"].as_str().unwrap_or(label));
        assert!(!label.is_empty(), "a label is made for a rule without: {answer:#}");
        assert!(!said["detail"].as_str().unwrap().is_empty(), "{answer:#}");
    }
    let detail = answer["rules"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("12.499999") && detail.contains("12.5"), "{detail}");
}

/// Checks that the gate kept somebody out, and says why.
pub(crate) fn check_refusal(answer: &Answer) {
    assert_eq!(answer.problem(), refused(403, "gate-closed"), "{}", answer.text);
    assert!(!passed(&answer.json).is_empty(), "{}", answer.text);
    assert!(answer.json["mode"].is_string() && answer.json["cached"].is_boolean());
    assert!(answer.json["checked_at"].as_str().unwrap().ends_with('Z'), "{}", answer.text);
}

/// A gate with three ways in: a token, a list with the second wallet, a statement of an issuer. The
/// first wallet is an admin.
pub(crate) fn with_three_ways(chain: &Chain, signer: &Signer, issuer: &str) -> Edge {
    let credit = chain.deploy("Erc20", &["18"]);
    let second = signer.text(SECOND_KEY, "who is it?").address;
    #[rustfmt::skip]
    let policy = json!({ "mode": "any", "rules": [
        { "kind": "erc20", "chain_id": 31337, "contract": credit.address, "required": "1", "decimals": 18 },
        { "kind": "allowlist", "addresses": [second.to_lowercase()] },
        { "kind": "attestation", "issuer": issuer, "ledger": "crdt-main", "required": "100", "decimals": 3 },
    ] });
    let admin = signer.text(e2e::ANVIL_KEY, "who is it?").address;
    let installation = gated(&policy, &json!({ "31337": [chain.url()] }));
    Edge::of(installation.with_variable("admin_addresses", &admin))
}

#[test]
fn one_of_several_ways_in_is_enough_and_admins_need_none() {
    let (chain, signer) = (Chain::start(31337), Signer::start());
    let edge = with_three_ways(&chain, &signer, &signer.fresh().address);
    let second = Tenant::sign_in(&edge.client(), &signer, SECOND_KEY);
    let stranger = edge.stranger();
    assert_eq!(edge.client().get("/v1/gate", None).problem(), refused(401, "unauthenticated"));

    let open = second.get("/v1/gate").json;
    assert_eq!((&open["allowed"], &open["mode"]), (&json!(true), &json!("any")), "{open:#}");
    assert_eq!(passed(&open), [false, true, false]);
    let taken = second.create("hello", "taken");
    // In this order: sign-in, body, name, app, whether the name is taken, gate.
    #[rustfmt::skip]
    let rows = [
        (json!({ "name": "garden", "app": "hello", "owner": "me" }), 400, "unknown-field"),
        (json!({ "name": "garden" }),                                400, "invalid-body"),
        (json!({ "name": "Bad_Name", "app": "hello" }),              400, "invalid-name"),
        (json!({ "name": "garden", "app": "no-such-app" }),          404, "app-not-found"),
        (json!({ "name": "taken", "app": "hello" }),                 409, "name-taken"),
    ];
    for (body, status, code) in rows {
        let anonymous = edge.client().post("/v1/spaces", None, &body);
        assert_eq!(anonymous.problem(), refused(401, "unauthenticated"), "{body}");
        let answer = stranger.post("/v1/spaces", &body);
        assert_eq!(answer.problem(), refused(status, code), "{body}");
    }
    let closed = stranger.post("/v1/spaces", &hello("garden"));
    check_refusal(&closed);
    assert_eq!(closed.json["mode"], "any");
    let made = edge.tenant.create("hello", "by-admin");
    assert_eq!(edge.tenant.get("/v1/gate").json["allowed"], true, "an admin");
    a_detour_leads_nowhere(&stranger);

    // A key comes as far as its wallet.
    for (tenant, is_allowed) in [(&second, true), (&stranger, false)] {
        let scopes = json!({ "name": "x", "scopes": ["spaces:read", "spaces:write"] });
        let key = tenant.post("/v1/keys", &scopes).field("key");
        let program = Tenant::with_bearer(&edge.client(), &key, &tenant.address);
        assert_eq!(program.get("/v1/gate").json["allowed"], is_allowed);
        if !is_allowed {
            check_refusal(&program.post("/v1/spaces", &hello("garden")));
        }
    }

    // A verdict is kept for a while, and says so.
    eventually(CACHE_TIME_MAX, || {
        let first = stranger.get("/v1/gate");
        let again = stranger.get("/v1/gate");
        let _: u64 = again.header("age").parse().unwrap_or_else(|_| panic!("{again:?}"));
        let is_kept =
            again.json["cached"] == true && again.json["checked_at"] == first.json["checked_at"];
        if is_kept { Ok(()) } else { Err(again.text) }
    });
    second.wait_for(&taken, "running");
    edge.tenant.wait_for(&made, "running");
}

/// Checks that no way to write the path leads a wallet past the gate.
fn a_detour_leads_nowhere(stranger: &Tenant) {
    let paths = [
        "/v1/spaces/",
        "//v1/spaces",
        "/v1//spaces",
        "/v1/./spaces",
        "/v1/auth/../spaces",
        "/v1/%73paces",
        "/v1/spaces%2f",
        "/v1/spaces;gate=off",
        "/V1/SPACES",
        "/v1/spaces?crdt_gate_enabled=false",
        "/v1/gate",
        "/v1/gate/../spaces",
    ];
    for path in paths {
        let answer = stranger.post(path, &hello("garden"));
        assert!(answer.status.is_client_error(), "{path}: {}", answer.text);
    }
    for header in [
        ("spaceport-gate", "passed"),
        ("x-http-method-override", "GET"),
        ("x-original-url", "/v1/gate"),
        ("x-rewrite-url", "/v1/gate"),
    ] {
        check_refusal(&stranger.post_with("/v1/spaces", &hello("garden"), &[header]));
    }
    Edge::has_no_space(stranger);
}

#[test]
fn a_gate_that_is_off_is_open_to_anybody() {
    for value in ["false", "0", ""] {
        let edge = Edge::of(Installation::default().with_variable("crdt_gate_enabled", value));
        let answer = edge.client().get("/v1/gate", None);
        assert_eq!(answer.status, 200, "{}", answer.text);
        for (field, want) in
            [("enabled", json!(false)), ("allowed", json!(true)), ("rules", json!([]))]
        {
            assert_eq!(answer.json[field], want, "{}", answer.text);
        }
        let method = edge.client().request(Method::POST, "/v1/gate");
        assert_eq!(edge.client().send(method, None).problem(), refused(405, "method-not-allowed"));
    }
}
