//! Which node is asked when, and for how long.

use evm::{Failure, SendError};

use crate::world::{Node, World, failures, returned};

const A: &str = "https://a.example/SECRET";
const B: &str = "https://b.example";
const C: &str = "https://c.example";

/// The hosts that were asked, with how long they were given.
fn asked(world: &World) -> Vec<String> {
    let log = world.log();
    let posts = log.iter().filter_map(|line| line.strip_prefix("https://"));
    let words = posts.map(|it| it.split(' ').collect::<Vec<_>>());
    words.map(|it| format!("{} {}", &it[0][..1], it[2])).collect()
}

#[test]
fn the_first_node_that_answers_is_the_last_one_asked() {
    let unreachable = || Node::Fails(SendError::Unreachable("no route".to_owned()));
    let wrong_chain = || Node::Edits(|it| it[0]["result"] = "0x1".into());
    #[rustfmt::skip]
    let rows = [
        // a                                    b                       asked
        (Node::Works,                           Node::Works,            vec!["a 2000"]),
        (unreachable(),                         Node::Works,            vec!["a 2000", "b 2000"]),
        (wrong_chain(),                         Node::Works,            vec!["a 2000", "b 2000"]),
        (Node::Says(200, "<html>"),             Node::Works,            vec!["a 2000", "b 2000"]),
        (Node::Says(429, ""),                   Node::Works,            vec!["a 2000", "b 2000"]),
        (Node::Says(404, ""),                   Node::Works,            vec!["a 2000", "a 2000", "b 2000"]),
        (Node::Fails(SendError::TooLarge),      unreachable(),          vec!["a 2000", "b 2000", "c 2000"]),
        (Node::Takes(1999),                     Node::Works,            vec!["a 2000"]),
        (Node::Takes(2001),                     Node::Takes(2000),      vec!["a 2000", "b 2000"]),
        (Node::Hangs,                           Node::Hangs,            vec!["a 2000", "b 2000", "c 1000"]),
    ];
    for (index, (a, b, want)) in rows.into_iter().enumerate() {
        let world = World::new([(A, a), (B, b), (C, Node::Works)]);
        assert_eq!(world.call(&[b"data"]).unwrap(), [returned(b"data")], "row {index}");
        assert_eq!(asked(&world), want, "row {index}");
    }
}

#[test]
fn all_calls_are_answered_by_one_node() {
    let half = Node::Edits(|it| it[2] = serde_json::json!({"jsonrpc": "2.0", "id": 3}));
    let world = World::new([(A, half), (B, Node::Edits(|it| it[2]["result"] = "0x".into()))]);
    assert_eq!(world.call(&[b"one", b"two"]).unwrap(), [returned(b"one"), returned(b"")]);
}

#[test]
fn no_call_is_fine_too() {
    assert_eq!(World::new([(A, Node::Works)]).call(&[]).unwrap(), []);
}

#[test]
fn nobody_is_asked_when_the_time_is_over() {
    let d = ("https://d.example", Node::Works);
    let world = World::new([(A, Node::Hangs), (B, Node::Hangs), (C, Node::Hangs), d]);
    let timed_out = || Failure::from(SendError::TimedOut);
    let want = [timed_out(), timed_out(), timed_out(), Failure::OutOfTime];
    assert_eq!(failures(world.call(&[b""])), want);
    assert_eq!(asked(&world), ["a 2000", "b 2000", "c 1000"]);
}

#[test]
fn asking_one_by_one_has_two_seconds_for_all() {
    #[rustfmt::skip]
    let rows = [
        // each takes   asked
        (0,             vec!["a 2000", "b 2000", "b 2000", "b 2000", "b 2000"]),
        (600,           vec!["a 2000", "b 2000", "b 2000", "b 1400", "b 800"]),
        (700,           vec!["a 2000", "b 2000", "b 2000", "b 1300", "b 600", "c 1000"]),
        (1000,          vec!["a 2000", "b 2000", "b 2000", "b 1000", "c 1000"]),
        (2001,          vec!["a 2000", "b 2000", "b 2000", "c 1000"]),
    ];
    for (takes_ms, want) in rows {
        let b = Node::TakesNoLists(400, "", takes_ms);
        let world = World::new([(A, Node::Hangs), (B, b), (C, Node::Works)]);
        world.call(&[b"one", b"two"]).unwrap();
        assert_eq!(asked(&world), want, "{takes_ms}");
    }
}

#[test]
fn the_log_has_every_node_and_no_key() {
    let world = World::new([(A, Node::Hangs), (B, Node::Says(503, "")), (C, Node::Says(200, ""))]);
    let want = "chain 8453 could not be asked: https://a.example:443: timed out; \
        https://b.example:443: status 503; \
        https://c.example:443: not the answer to the question: not JSON";
    assert_eq!(world.call(&[b""]).unwrap_err().to_string(), want);
}

#[test]
fn a_chain_without_nodes_is_unavailable() {
    let world = World::new([(A, Node::Works)]);
    let endpoints = evm::Endpoints::default();
    let result = futures::executor::block_on(evm::Chains::new(&world, &endpoints).call(1, &[]));
    let want = "chain 1 could not be asked: it has no endpoints";
    assert_eq!(result.unwrap_err().to_string(), want);
}

#[test]
fn a_node_that_does_not_run_programs_is_passed_over() {
    #[rustfmt::skip]
    let rows = [
        ("0x",                                                                    None),
        ("0x00",                                                                  None),
        ("0x01",                                                                  None),
        ("0x0000000000000000000000000000000000000000000000000000000000000000",    Some(false)),
        ("0x0000000000000000000000000000000000000000000000000000000000000001",    Some(true)),
        ("0x0000000000000000000000000000000000000000000000000000000000000002",    None),
        ("0x0100000000000000000000000000000000000000000000000000000000000001",    None),
        ("0x000000000000000000000000000000000000000000000000000000000000000100",  None),
    ];
    for (result, want) in rows {
        let body = serde_json::json!([
            {"jsonrpc": "2.0", "id": 1, "result": "0x2105"},
            {"jsonrpc": "2.0", "id": 2, "result": result},
        ]);
        let world = World::new([(A, Node::Says(200, body.to_string().leak()))]);
        match (world.is_signed(b"signature"), want) {
            (Ok(got), Some(want)) => assert_eq!(got, want, "{result}"),
            (Err(it), None) => {
                let want = [Failure::Malformed("not what the program returns")];
                assert_eq!(failures::<bool>(Err(it)), want, "{result}");
            }
            (got, _) => panic!("{result}: {got:?}"),
        }
    }
}

/// Some node may allow less gas than is asked for.
#[test]
fn a_program_that_runs_out_of_gas_has_said_no() {
    for message in ["out of gas", "execution reverted"] {
        let body = serde_json::json!([
            {"jsonrpc": "2.0", "id": 1, "result": "0x2105"},
            {"jsonrpc": "2.0", "id": 2, "error": {"code": -32_000, "message": message}},
        ]);
        let world = World::new([(A, Node::Says(200, body.to_string().leak()))]);
        assert_eq!(world.is_signed(b"signature"), Ok(false), "{message}");
    }
}

/// What a stranger has run must not have nodes left alone that others need.
#[test]
fn a_signature_that_breaks_nodes_opens_no_breaker() {
    let world = World::new([(A, Node::Fails(SendError::TimedOut))]);
    for _ in 0..5 {
        assert_eq!(failures(world.is_signed(b"signature")), [SendError::TimedOut.into()]);
    }
    assert!(world.store().is_empty());
    for _ in 0..3 {
        assert_eq!(failures(world.call(&[b"data"])), [SendError::TimedOut.into()]);
    }
    // A breaker that is open is one for signatures, too.
    assert_eq!(failures(world.is_signed(b"signature")), [Failure::Resting]);
}
