//! Servers of a chain that are down, slow, wrong or mad: nobody gets in by them, and nobody waits
//! for ever.

use std::time::Duration;

use e2e::{BadRpc, Behaviour, Chain, Contract, Key, NOBODY, NODE_KEY, Tenant, eventually};
use serde_json::{Value, json};

use crate::edge::{Edge, gated, hello, refused};

const CHAIN_ID: u64 = 31337;
/// How long a server that failed may be left alone before it is asked again.
const REST_TIME_MAX: Duration = Duration::from_mins(2);

fn policy(credit: &Contract) -> Value {
    json!({ "rules": [{ "kind": "erc20", "chain_id": CHAIN_ID, "contract": credit.address,
        "required": "1" }] })
}

/// A wallet that nobody has seen before and that holds enough.
fn holder(edge: &Edge, chain: &Chain, credit: &Contract) -> Tenant {
    let Key { key, address } = edge.signer.fresh();
    chain.call(credit, "mint", &[&address, "1"]);
    Tenant::sign_in(&edge.client(), &edge.signer, &key)
}

/// Checks that the gate did not decide on a wallet, whether it is asked or in the way.
fn undecided(tenant: &Tenant, case: &str) {
    let answers = [tenant.get("/v1/gate"), tenant.post("/v1/spaces", &hello("garden"))];
    for answer in answers {
        assert_eq!(answer.problem(), refused(503, "gate-unavailable"), "{case}: {}", answer.text);
        let _: u32 = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("{answer:?}"));
        assert!(!answer.text.contains(NODE_KEY), "{case}: {}", answer.text);
    }
}

/// Starts the product again with these servers of the chain.
fn restart_with(edge: &mut Edge, servers: &[&BadRpc]) {
    let urls: Vec<String> = servers.iter().map(|it| it.url()).collect();
    edge.installation.stop();
    let rpc_urls = json!({ CHAIN_ID.to_string(): urls });
    edge.installation.set_variable("rpc_urls", &rpc_urls.to_string());
    edge.installation.up();
}

#[test]
fn a_gate_that_can_not_ask_lets_nobody_in() {
    let chain = Chain::start(CHAIN_ID);
    let credit = chain.deploy("Erc20", &["18"]);
    let rpc_urls = json!({ CHAIN_ID.to_string(): [NOBODY] });
    let mut edge = Edge::of(gated(&policy(&credit), &rpc_urls));
    undecided(&edge.tenant, "nobody");
    for behaviour in [
        Behaviour::Fails,
        Behaviour::ClaimsChain(1),
        Behaviour::Closes,
        Behaviour::Html,
        Behaviour::Errors,
        Behaviour::OtherIds,
        Behaviour::Empties,
        Behaviour::Floods,
        Behaviour::Hangs,
    ] {
        let rpc = BadRpc::before(chain.url(), CHAIN_ID, behaviour);
        restart_with(&mut edge, &[&rpc]);
        edge.tenant = holder(&edge, &chain, &credit);
        undecided(&edge.tenant, &format!("{behaviour:?}"));
        assert_ne!(rpc.n_requests(), 0, "{behaviour:?}: it was not asked");
        edge.nothing_changed();
        let log = edge.installation.log();
        assert!(!log.contains(NODE_KEY), "{behaviour:?}: a URL with a key is logged:\n{log}");
        // Whose contract it is that answers with nothing is in the policy.
        let is_named = log.contains(&rpc.origin()) || behaviour == Behaviour::Empties;
        assert!(is_named, "{behaviour:?}: the log does not say which node failed:\n{log}");
        if behaviour == Behaviour::Hangs {
            rpc.becomes(Behaviour::Forwards);
            eventually(REST_TIME_MAX, || {
                let answer = edge.tenant.get("/v1/gate");
                if answer.json["allowed"] == true { Ok(()) } else { Err(answer.text) }
            });
        }
    }
}

#[test]
fn where_one_server_fails_the_next_one_is_asked() {
    let chain = Chain::start(CHAIN_ID);
    let credit = chain.deploy("Erc20", &["18"]);
    let good = BadRpc::before(chain.url(), CHAIN_ID, Behaviour::NoBatches);
    let mut edge = Edge::of(gated(&policy(&credit), &json!({ CHAIN_ID.to_string(): [NOBODY] })));
    for behaviour in [
        Behaviour::ClaimsChain(1),
        Behaviour::Closes,
        Behaviour::Html,
        Behaviour::Errors,
        Behaviour::OtherIds,
        Behaviour::Floods,
        Behaviour::Hangs,
        Behaviour::Fails,
    ] {
        let bad = BadRpc::before(chain.url(), CHAIN_ID, behaviour);
        restart_with(&mut edge, &[&bad, &good]);
        let answer = holder(&edge, &chain, &credit).get("/v1/gate");
        assert_eq!(answer.json["allowed"], true, "{behaviour:?}: {}", answer.text);
        assert_ne!(bad.n_requests(), 0, "{behaviour:?}: it is the first of the list");
    }

    // Who fails again and again is left alone for a while.
    let bad = BadRpc::before(chain.url(), CHAIN_ID, Behaviour::Fails);
    restart_with(&mut edge, &[&bad, &good]);
    let n_good = good.n_requests();
    for _ in 0..16 {
        let answer = holder(&edge, &chain, &credit).get("/v1/gate");
        assert_eq!(answer.json["allowed"], true, "{}", answer.text);
    }
    let (n_bad, n_good) = (bad.n_requests(), good.n_requests() - n_good);
    assert!(0 < n_bad && 16 <= n_good && 2 * n_bad <= n_good, "{n_bad} and {n_good}");
}

#[test]
fn what_is_known_decides_if_it_is_enough() {
    let contract = format!("0x{:040}", 1);
    let mut edge = Edge::start();
    let wallet = edge.signer.fresh();
    edge.installation.set_variable("admin_addresses", &edge.tenant.address);
    let token = json!({ "kind": "erc20", "chain_id": CHAIN_ID, "contract": contract,
        "required": "1" });
    let listed = json!({ "kind": "allowlist", "addresses": [wallet.address] });
    let others = json!({ "kind": "allowlist", "addresses": [contract] });
    let rpc_urls = json!({ CHAIN_ID.to_string(): [NOBODY] });
    #[rustfmt::skip]
    let rows = [
        ("any", &listed, Ok(true)),
        ("any", &others, Err("gate-unavailable")),
        ("all", &others, Ok(false)),
        ("all", &listed, Err("gate-unavailable")),
    ];
    for (mode, list, want) in rows {
        let policy = json!({ "mode": mode, "rules": [token, list] });
        edge.installation.stop();
        for (name, value) in [
            ("crdt_gate_enabled", "true".to_owned()),
            ("gate_policy", policy.to_string()),
            ("rpc_urls", rpc_urls.to_string()),
        ] {
            edge.installation.set_variable(name, &value);
        }
        edge.installation.up();
        let tenant = Tenant::sign_in(&edge.client(), &edge.signer, &wallet.key);
        let answer = tenant.get("/v1/gate");
        match want {
            Ok(is_allowed) => {
                assert_eq!(answer.json["allowed"], is_allowed, "{mode}: {}", answer.text);
                assert_eq!(answer.json["rules"][0]["held"], Value::Null, "{}", answer.text);
            }
            Err(code) => assert_eq!(answer.problem(), refused(503, code), "{mode} {list}"),
        }
    }
    // The operator passes also where nothing is known, as in the last row.
    let admin = edge.tenant.at(&edge.client());
    let space = admin.create("hello", "by-admin");
    let answer = admin.get("/v1/gate");
    assert_eq!((answer.status.as_u16(), &answer.json["allowed"]), (200, &json!(true)));
    admin.wait_for(&space, "running");
}
