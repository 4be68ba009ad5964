//! What nodes answer, and what counts.

use alloy_primitives::Address;
use evm::{Call, Failure, Outcome, SendError};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::world::{CHAIN_ID, Node, World, failures, returned};

const URL: &str = "https://a.example";

/// What is done to a good answer, and what comes of it.
type Row = (fn(&mut Value), Result<Vec<Outcome>, Failure>);

fn call(node: Node) -> Result<Vec<Outcome>, Failure> {
    let result = World::new([(URL, node)]).call(&[b"one", b"two"]);
    result.map_err(|it| failures::<()>(Err(it)).remove(0))
}

#[test]
fn requests_are_what_nodes_expect() {
    let world = World::new([(URL, Node::Works)]);
    let to = Address::repeat_byte(0x11);
    let calls = [
        Call { to: Some(to), data: vec![0xab, 0xcd].into(), gas: None },
        Call { to: None, data: vec![0xfe].into(), gas: Some(10_000_000) },
    ];
    block_on(world.chains().call(CHAIN_ID, &calls)).unwrap();
    let from = "0x5ac4e9ef1082290569c42e1ebf592b5cb1a4b9a7";
    let want = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_call", "params": [
            {"from": from, "to": "0x1111111111111111111111111111111111111111", "data": "0xabcd"},
            "latest",
        ]},
        {"jsonrpc": "2.0", "id": 3, "method": "eth_call", "params": [
            {"from": from, "data": "0xfe", "gas": "0x989680"},
            "latest",
        ]},
    ]);
    assert_eq!(world.requests(), [want]);
}

#[test]
fn a_list_of_answers_counts_if_it_is_whole() {
    let good = || Ok(vec![returned(b"one"), returned(b"two")]);
    let bad = |why| Err(Failure::Malformed(why));
    let not_rpc = || bad("not JSON-RPC");
    let count = || bad("not one answer for each request");
    let ids = || bad("the ids are not those of the requests");
    let either = || bad("not either a result or an error");
    #[rustfmt::skip]
    let rows: [Row; 27] = [
        (|_| (),                                                    good()),
        (|it| it.as_array_mut().unwrap().reverse(),                 good()),
        (|it| it[1]["error"] = Value::Null,                         good()),
        (|it| it[1]["more"] = json!(1),                             good()),
        (|it| it[0]["result"] = json!("0x02105"),                   good()),
        (|it| it.as_array_mut().unwrap().truncate(2),               count()),
        (|it| it.as_array_mut().unwrap().clear(),                   count()),
        (|it| { let one = it[1].clone(); it.as_array_mut().unwrap().push(one); }, count()),
        (|it| it[2]["id"] = json!(2),                               ids()),
        (|it| it[2]["id"] = json!(4),                               ids()),
        (|it| it[0]["id"] = json!(0),                               ids()),
        (|it| it[2]["id"] = json!("3"),                             not_rpc()),
        (|it| it[2]["id"] = Value::Null,                            not_rpc()),
        (|it| it[2] = Value::Null,                                  not_rpc()),
        (|it| it[2]["error"] = json!("no"),                         not_rpc()),
        (|it| { it[2].as_object_mut().unwrap().remove("jsonrpc"); }, not_rpc()),
        (|it| it[2]["jsonrpc"] = json!("1.0"),                      bad("another version of JSON-RPC")),
        (|it| it[1]["result"] = Value::Null,                        either()),
        (|it| it[1]["error"] = json!({"code": 3, "message": ""}),   either()),
        (|it| it[1]["result"] = json!(["0x"]),                      bad("the result is not text")),
        (|it| it[1]["result"] = json!("00"),                        bad("the result is not hex")),
        (|it| it[1]["result"] = json!("0x0"),                       bad("the result is not hex")),
        (|it| it[1]["result"] = json!("0x0x00"),                    bad("the result is not hex")),
        (|it| it[0]["result"] = json!("2105"),                      bad("the chain id is no number")),
        (|it| it[0]["result"] = json!("0x+2105"),                   bad("the chain id is no number")),
        (|it| it[0]["result"] = json!("0x"),                        bad("the chain id is no number")),
        (|it| it[0]["result"] = json!("0x1"),                       Err(Failure::WrongChain { said: 1 })),
    ];
    for (index, (edit, want)) in rows.into_iter().enumerate() {
        assert_eq!(call(Node::Edits(edit)), want, "row {index}");
    }
}

#[test]
fn nothing_else_counts() {
    const OTHER_ID: &str = r#"{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":""}}"#;
    const QUOTA: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"quota"}}"#;
    let malformed = Failure::Malformed;
    let unreachable = || SendError::Unreachable("no route".to_owned());
    let quota = Failure::Refused { code: -32_005, message: "quota".to_owned() };
    #[rustfmt::skip]
    let rows = [
        (Node::Says(200, ""),                           malformed("not JSON")),
        (Node::Says(200, "<html>Sign in</html>"),       malformed("not JSON")),
        (Node::Says(200, "[{}"),                        malformed("not JSON")),
        (Node::Says(200, "null"),                       malformed("neither a list nor an error")),
        (Node::Says(200, "{}"),                         malformed("neither a list nor an error")),
        (Node::Says(200, r#"{"result": "0x2105"}"#),    malformed("neither a list nor an error")),
        (Node::Says(204, ""),                           Failure::Status(204)),
        (Node::Says(302, ""),                           Failure::Status(302)),
        (Node::Says(429, ""),                           Failure::Status(429)),
        (Node::Says(500, ""),                           Failure::Status(500)),
        (Node::Says(503, "[]"),                         Failure::Status(503)),
        (Node::Hangs,                                   SendError::TimedOut.into()),
        (Node::Fails(SendError::TooLarge),              SendError::TooLarge.into()),
        (Node::Fails(unreachable()),                    unreachable().into()),
        // These are asked again, one request at a time, and say the same.
        (Node::Says(400, "[]"),                         Failure::Status(400)),
        (Node::Says(404, ""),                           Failure::Status(404)),
        (Node::Says(200, r#"{"error": {}}"#),           malformed("not JSON-RPC")),
        (Node::Says(200, OTHER_ID),                     malformed("the id is not that of the request")),
        (Node::Says(200, QUOTA),                        quota),
    ];
    for (index, (node, want)) in rows.into_iter().enumerate() {
        assert_eq!(call(node), Err(want), "row {index}");
    }
}

#[test]
fn a_node_that_takes_no_lists_is_asked_one_by_one() {
    let refusals = [
        (200, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no lists"}}"#),
        (200, r#"{"error":"no lists"}"#),
        (400, ""),
        (405, "<html>"),
        (413, "too many"),
    ];
    for (status, body) in refusals {
        let world = World::new([(URL, Node::TakesNoLists(status, body, 0))]);
        assert_eq!(world.call(&[b"one", b"two"]).unwrap(), [returned(b"one"), returned(b"two")]);
        let want = [
            "load",
            "https://a.example list 2000 ms 262144 bytes",
            "https://a.example eth_chainId 2000 ms 262144 bytes",
            "https://a.example eth_call 2000 ms 262144 bytes",
            "https://a.example eth_call 2000 ms 262144 bytes",
        ];
        assert_eq!(world.log(), want, "{status} {body}");
    }
}

/// What a node says of a call that came to nothing.
#[test]
fn a_contract_that_fails_is_not_a_node_that_fails() {
    #[rustfmt::skip]
    let rows = [
        // code    message                                                          is it the contract
        (3,        "execution reverted",                                            true), // geth, reth
        (3,        "execution reverted: revert: no",                                true), // anvil
        (3,        "anything",                                                      true),
        (-32000,   "execution reverted",                                            true), // older geth
        (-32000,   "Execution reverted",                                            true), // Besu
        (-32000,   "out of gas",                                                    true), // geth, Erigon
        (-32000,   "gas uint64 overflow",                                           true),
        (-32000,   "invalid opcode: INVALID",                                       true),
        (-32000,   "invalid opcode: opcode 0x5f not defined",                       true),
        (-32000,   "invalid jump destination",                                      true),
        (-32000,   "stack underflow (0 <=> 2)",                                     true),
        (-32000,   "stack limit reached 1024 (1023)",                               true),
        (-32000,   "return data out of bounds",                                     true),
        (-32003,   "out of gas: gas required exceeds: 10000000",                    true), // reth
        (-32003,   "Out of gas: gas required exceeds allowance: 10000000",          true), // older anvil
        (-32603,   "EVM error OutOfGas",                                            true), // anvil 1.7
        (-32603,   "EVM error MemoryOOG",                                           true),
        (-32603,   "EVM error PrecompileOOG",                                       true),
        (-32603,   "EVM error InvalidOperandOOG",                                   true),
        (-32603,   "EVM error InvalidFEOpcode",                                     true),
        (-32603,   "EVM error OpcodeNotFound",                                      true),
        (-32603,   "EVM error StackUnderflow",                                      true),
        (-32603,   "EVM error StackOverflow",                                       true),
        (-32603,   "EVM error InvalidJump",                                         true),
        (-32603,   "EVM error OutOfOffset",                                         true),
        (-32603,   "EVM error: OutOfGas(MemoryLimit)",                              true), // reth
        (-32603,   "EVM error: NotActivated",                                       true),
        (-32015,   "VM execution error.",                                           true), // Parity, Nethermind
        (-32015,   "BadInstruction",                                                true), // Nethermind
        (-32015,   "OutOfGas",                                                      true),
        (-32015,   "BadJumpDestination",                                            true),
        (-32603,   "VM Exception while processing transaction: revert",             true), // Hardhat
        (-32000,   "execution aborted (timeout = 5s)",                              false),
        (-32000,   "header not found",                                              false),
        (-32000,   "missing trie node 1234 (path ) state 0x1234 is not available",  false),
        (-32000,   "intrinsic gas too low: have 21000, want 53000",                 false),
        (-32000,   "insufficient funds for gas * price + value",                    false),
        (-32000,   "max initcode size exceeded",                                    false),
        (-32005,   "daily request count exceeded",                                  false),
        (-32601,   "the method eth_call does not exist",                            false),
        (-32602,   "invalid argument 0: stack trace follows",                       false),
        (-32603,   "internal error",                                                false),
        (-32603,   "blocked by google",                                             false),
        (429,      "too many requests",                                             false),
    ];
    for (code, message, is_contract) in rows {
        let body = json!([
            {"jsonrpc": "2.0", "id": 1, "result": "0x2105"},
            {"jsonrpc": "2.0", "id": 2, "result": "0x"},
            {"jsonrpc": "2.0", "id": 3, "error": {"code": code, "message": message}},
        ]);
        let want = if is_contract {
            Ok(vec![returned(b""), Outcome::Reverted])
        } else {
            Err(Failure::Refused { code, message: message.to_owned() })
        };
        let body = body.to_string().leak();
        assert_eq!(call(Node::Says(200, body)), want, "{code} {message}");
    }
}

#[test]
fn no_chain_id_is_a_failure_of_the_node_whatever_the_error() {
    let node = Node::Edits(|it| {
        it[0] = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": "reverted"}});
    });
    assert_eq!(call(node), Err(Failure::Refused { code: 3, message: "reverted".to_owned() }));
}

#[test]
fn what_nodes_say_is_fit_for_a_log() {
    const URL: &str = "https://a.example/v3/SECRET-1?token=SECRET-2";
    fn refuse(answers: &mut Value, message: &str) {
        let error = json!({"code": 1, "message": message});
        answers[1] = json!({"jsonrpc": "2.0", "id": 2, "error": error});
    }
    let unreachable = SendError::Unreachable(format!("no way\nto {URL}"));
    let rows = [
        (
            Node::Fails(unreachable),
            "unreachable: no way to https://a.example/v3/***?token=***".into(),
        ),
        (Node::Edits(|it| refuse(it, "no\r\n\u{1b}SECRET-2")), "error 1: no   ***".into()),
        // The end of what is kept does not cut a secret in two.
        (
            Node::Edits(|it| refuse(it, &format!("{}SECRET-1 and", "x".repeat(195)))),
            format!("error 1: {}*** a", "x".repeat(195)),
        ),
    ];
    for (node, want) in rows {
        let error = World::new([(URL, node)]).call(&[b""]).unwrap_err();
        let want = format!("chain 8453 could not be asked: https://a.example:443: {want}");
        assert_eq!(error.to_string(), want);
    }
}
