//! What became of a payment, by what a chain says.

use std::sync::atomic::Ordering;

use alloy_primitives::{Address, B256};
use domain::Timestamp;
use evm::{
    Failure, SendError, Unavailable,
    eip3009::{Query, Settlement, settlement},
};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::{
    chain::{Entry, NONCE, Node, PAYER, TOKEN, US, World, cancelled, paid, used},
    world::failures,
};

const A: &str = "https://a.example";
const B: &str = "https://b.example";
const CHAIN_ID: u64 = 8453;
const VALUE: u64 = 5_000_000;
/// The first block is of this time, and the others are two seconds apart.
const FIRST_S: u64 = 1_795_000_000;
/// The block of the time when we were shown the payment, which is good for 300 seconds.
const SHOWN: u64 = 10_000;
/// The newest block, 30 seconds later.
const NEWEST: u64 = SHOWN + 15;
/// The first block that is a minute and more past the end of the payment.
const OVER: u64 = SHOWN + 150 + 31;
/// A transaction.
const HASH: u8 = 0xf1;

const OURS: Settlement = Settlement::Ours { transaction: B256::repeat_byte(HASH) };
const VALID: Settlement = Settlement::Unused { expired: false };
const EXPIRED: Settlement = Settlement::Unused { expired: true };
const NO_ENTRY: Failure = Failure::Malformed("a used authorization was not used in any block");

fn node() -> Node {
    Node {
        first_s: FIRST_S,
        block_ms: 2000,
        newest: NEWEST,
        transactions: [].into(),
        state_from: 0,
        listed_to: u64::MAX,
        called_at: u64::MAX,
        takes_ms: 0,
        takes_lists: true,
    }
}

fn query(node: &Node) -> Query {
    let shown_s = node.time_s(SHOWN);
    Query {
        chain_id: CHAIN_ID,
        asset: TOKEN,
        from: PAYER,
        nonce: NONCE,
        pay_to: US,
        value: VALUE,
        since: Timestamp::from_unix_ms(i64::try_from(shown_s * 1000).unwrap()),
        valid_before_s: shown_s + 300,
        transaction_hint: None,
    }
}

fn world(nodes: impl IntoIterator<Item = (&'static str, Node)>) -> World {
    World { nodes: nodes.into_iter().collect(), asked: [].to_vec().into(), now_ms: 0.into() }
}

fn ask(world: &World, query: &Query) -> Result<Settlement, Unavailable> {
    let urls: Vec<_> = world.nodes.keys().collect();
    let endpoints = json!({ CHAIN_ID.to_string(): urls }).to_string().parse().unwrap();
    block_on(settlement(world, &endpoints, query))
}

/// The methods that were asked for, one word for each exchange.
fn asked(world: &World) -> Vec<String> {
    let asked = world.asked.lock().unwrap();
    let methods = |it: &Value| {
        let methods = it.as_array().unwrap().iter().skip(1);
        let methods = methods.map(|it| it["method"].as_str().unwrap().trim_start_matches("eth_"));
        methods.collect::<Vec<_>>().join("+")
    };
    asked.iter().map(methods).collect()
}

/// The payment as it should be.
fn payment() -> [Entry; 2] {
    [used(PAYER, NONCE), paid(PAYER, US, VALUE)]
}

#[test]
fn a_payment_is_ours_if_it_is_that_payment() {
    const OTHER: Address = Address::repeat_byte(0x99);
    let (used, paid) = (|| used(PAYER, NONCE), || paid(PAYER, US, VALUE));
    let elsewhere = |entry: Entry| Entry { address: OTHER, ..entry };
    let other_nonce = || crate::chain::used(PAYER, B256::repeat_byte(0x0f));
    let transfer = crate::chain::paid;
    #[rustfmt::skip]
    let rows: Vec<(&str, Vec<Entry>, Settlement)> = vec![
        ("as it should be",             vec![used(), paid()],                           OURS),
        ("with others around it",       vec![other_nonce(), transfer(PAYER, OTHER, 7), used(), paid(), elsewhere(used())], OURS),
        ("to somebody else",            vec![used(), transfer(PAYER, OTHER, VALUE)],    Settlement::Other),
        ("from somebody else",          vec![used(), transfer(OTHER, US, VALUE)],       Settlement::Other),
        ("too little",                  vec![used(), transfer(PAYER, US, VALUE - 1)],   Settlement::Other),
        ("too much",                    vec![used(), transfer(PAYER, US, VALUE + 1)],   Settlement::Other),
        ("in another token",            vec![used(), elsewhere(paid())],                Settlement::Other),
        ("no money",                    vec![used()],                                   Settlement::Other),
        ("money before, not after",     vec![paid(), used()],                           Settlement::Other),
        // Two payments in one transaction, one of them to us: it counts for its own nonce only.
        ("for another nonce",           vec![other_nonce(), paid(), used(), transfer(PAYER, OTHER, VALUE)], Settlement::Other),
        ("for another nonce, later",    vec![used(), transfer(PAYER, OTHER, VALUE), other_nonce(), paid()], Settlement::Other),
        ("for a nonce in another token", vec![elsewhere(used()), paid(), used(), transfer(PAYER, OTHER, VALUE)], Settlement::Other),
        ("half an amount",              vec![used(), Entry { data: paid().data[16..].to_vec(), ..paid() }], Settlement::Other),
        ("the nonce in another token",  vec![elsewhere(used()), paid()],                VALID),
        ("the nonce of somebody else",  vec![crate::chain::used(OTHER, NONCE), paid()], VALID),
        ("another nonce",               vec![other_nonce(), paid()],                    VALID),
        ("cancelled",                   vec![cancelled(PAYER, NONCE)],                  Settlement::Other),
    ];
    for (name, entries, want) in rows {
        let mut node = node();
        node.put(HASH, SHOWN + 2, entries);
        let query = query(&node);
        let world = world([(A, node)]);
        assert_eq!(ask(&world, &query), Ok(want), "{name}");
        let hinted = Query { transaction_hint: Some(B256::repeat_byte(HASH)), ..query };
        assert_eq!(ask(&world, &hinted), Ok(want), "{name}, with a hint");
    }
}

#[test]
fn a_nonce_that_was_used_before_we_were_shown_it_paid_for_something_else() {
    #[rustfmt::skip]
    let rows = [
        // block        became
        (SHOWN,         OURS),
        (SHOWN - 60,    OURS),
        (SHOWN - 61,    Settlement::Other),
        (SHOWN - 2000,  Settlement::Other),
        (0,             Settlement::Other),
    ];
    for (block, want) in rows {
        let mut node = node();
        node.put(HASH, block, payment());
        let query = query(&node);
        let world = world([(A, node)]);
        assert_eq!(ask(&world, &query), Ok(want), "{block}");
        let hinted = Query { transaction_hint: Some(B256::repeat_byte(HASH)), ..query };
        assert_eq!(ask(&world, &hinted), Ok(want), "{block}, with a hint");
    }
}

#[test]
fn a_payment_is_over_a_minute_after_its_end_by_the_clock_of_the_chain() {
    for (newest, want) in [(NEWEST, VALID), (OVER - 1, VALID), (OVER, EXPIRED)] {
        let node = Node { newest, ..node() };
        let query = query(&node);
        assert_eq!(ask(&world([(A, node)]), &query), Ok(want), "{newest}");
    }
}

#[test]
fn a_machine_that_is_behind_does_not_end_a_payment() {
    let mut node = Node { newest: OVER, called_at: SHOWN, ..node() };
    node.put(HASH, SHOWN + 2, payment());
    let query = query(&node);
    let world = world([(A, node)]);
    assert_eq!(ask(&world, &query), Ok(OURS));
    assert_eq!(asked(&world)[..2], ["getBlockByNumber+call", "call"]);
}

#[test]
fn a_hint_saves_the_search_and_need_not_be_true() {
    let search = ["getBlockByNumber", "getLogs+getBlockByNumber", "getTransactionReceipt"];
    let found = ["getTransactionReceipt", "getBlockByNumber"];
    #[rustfmt::skip]
    let rows = [
        // hint         asked
        (None,          [&["getBlockByNumber+call"], &search[..], &found[1..]].concat()),
        (Some(HASH),    [&["getBlockByNumber+call"], &found[..]].concat()),
        // A transaction that is nowhere, one of others, and one that failed.
        (Some(0x01),    [&["getBlockByNumber+call"], &found[..1], &search[..], &found[1..]].concat()),
        (Some(0x02),    [&["getBlockByNumber+call"], &found[..1], &search[..], &found[1..]].concat()),
        (Some(0x03),    [&["getBlockByNumber+call"], &found[..1], &search[..], &found[1..]].concat()),
    ];
    for (hint, want) in rows {
        let mut node = node();
        node.put(HASH, SHOWN + 2, payment());
        node.put(0x02, SHOWN + 2, [paid(PAYER, US, VALUE)]);
        node.put(0x03, SHOWN + 1, payment());
        node.transactions.get_mut(&B256::repeat_byte(0x03)).unwrap().status = 0;
        // What failed has no entries in reality, so it is not in the list either.
        node.transactions.get_mut(&B256::repeat_byte(0x03)).unwrap().block = NEWEST + 1;
        let query = Query { transaction_hint: hint.map(B256::repeat_byte), ..query(&node) };
        let world = world([(A, node)]);
        assert_eq!(ask(&world, &query), Ok(OURS), "{hint:?}");
        assert_eq!(asked(&world), want, "{hint:?}");
    }
}

#[test]
fn a_payment_of_long_ago_is_found_with_a_few_questions() {
    const DAY_S: u64 = 24 * 60 * 60;
    #[rustfmt::skip]
    let rows = [
        // blocks of ms     shown ago       exchanges
        (12_000,            60,             5),
        (12_000,            30 * DAY_S,     6),
        (2000,              60,             5),
        (2000,              DAY_S,          6),
        (2000,              30 * DAY_S,     6),
        (250,               60,             5),
        (250,               600,            7),
        (250,               30 * DAY_S,     7),
    ];
    for (block_ms, ago_s, most) in rows {
        let blocks = |seconds: u64| seconds * 1000 / block_ms;
        let mut node = Node { block_ms, newest: 30_000_000, ..node() };
        let shown = node.newest - blocks(ago_s);
        // Almost at the end, as far from where the search begins as it may be.
        node.put(HASH, shown + blocks(299).min(node.newest - shown), payment());
        let shown_s = node.time_s(shown);
        let since = Timestamp::from_unix_ms(i64::try_from(shown_s * 1000).unwrap());
        let query = Query { since, valid_before_s: shown_s + 300, ..query(&node) };
        let world = world([(A, node)]);
        assert_eq!(ask(&world, &query), Ok(OURS), "{block_ms} {ago_s}");
        let n_asked = asked(&world).len();
        assert!(n_asked <= most, "{block_ms} {ago_s}: {n_asked}: {:?}", asked(&world));
    }
}

#[test]
fn a_nonce_that_was_used_long_ago_for_something_else_is_a_few_questions_too() {
    let mut node = Node { newest: 2_000_000, ..node() };
    node.put(HASH, SHOWN - 2000, payment());
    let query = query(&node);
    let world = world([(A, node)]);
    assert_eq!(ask(&world, &query), Ok(Settlement::Other));
    assert!(asked(&world).len() <= 5, "{:?}", asked(&world));
}

#[test]
fn no_block_is_left_out() {
    let mut node = Node { block_ms: 250, newest: SHOWN + 5000, ..node() };
    let query = query(&node);
    // From two minutes before to the end.
    for block in SHOWN - 480..SHOWN + 1200 {
        node.transactions.clear();
        node.put(HASH, block, payment());
        assert_eq!(ask(&world([(A, node.clone())]), &query), Ok(OURS), "{block}");
    }
}

#[test]
fn a_chain_that_is_younger_than_the_payment_is_searched_from_its_first_block() {
    for block in [0, 1, 3] {
        let mut node = Node { newest: 3, ..node() };
        node.put(HASH, block, payment());
        let since = Timestamp::from_unix_ms(i64::try_from(FIRST_S * 1000).unwrap());
        let query = Query { since, valid_before_s: FIRST_S + 300, ..query(&node) };
        assert_eq!(ask(&world([(A, node)]), &query), Ok(OURS), "{block}");
    }
}

/// The nonce is used, and the list of entries doesn't say where.
#[test]
fn a_list_that_is_behind_does_not_end_a_payment() {
    let refused = || Failure::Refused { code: -32_000, message: "missing trie node".to_owned() };
    #[rustfmt::skip]
    let rows = [
        // newest   used in         state from      became
        (NEWEST,    SHOWN + 2,      0,              Err(NO_ENTRY)),
        (NEWEST,    SHOWN + 2,      SHOWN,          Err(refused())),
        (OVER - 1,  SHOWN + 2,      SHOWN,          Err(refused())),
        // Nobody knows, and the list has had its time.
        (OVER,      SHOWN + 2,      SHOWN,          Ok(Settlement::Other)),
        // Here it is plain that the list is wrong.
        (OVER,      SHOWN + 2,      0,              Err(NO_ENTRY)),
        // And here that it is right.
        (NEWEST,    SHOWN - 3000,   0,              Ok(Settlement::Other)),
        (OVER,      SHOWN - 3000,   0,              Ok(Settlement::Other)),
    ];
    for (index, (newest, block, state_from, want)) in rows.into_iter().enumerate() {
        let mut node = Node { newest, state_from, listed_to: SHOWN, ..node() };
        node.put(HASH, block, payment());
        let query = query(&node);
        let got = ask(&world([(A, node)]), &query).map_err(|it| failures::<()>(Err(it)).remove(0));
        assert_eq!(got, want, "row {index}");
    }
}

#[test]
fn a_node_without_the_transaction_is_passed_over() {
    let mut whole = node();
    whole.put(HASH, SHOWN + 2, payment());
    let query = query(&whole);
    // It has the entry of a transaction whose receipt it doesn't have yet, and the other has both.
    let mut behind = Node { listed_to: SHOWN, ..whole.clone() };
    behind.transactions.get_mut(&B256::repeat_byte(HASH)).unwrap().status = 0;
    assert!(ask(&world([(A, behind.clone())]), &query).is_err());
    let hinted = Query { transaction_hint: Some(B256::repeat_byte(HASH)), ..query };
    assert!(ask(&world([(A, behind.clone())]), &hinted).is_err());
    let listed = Node { listed_to: u64::MAX, ..behind };
    assert_eq!(ask(&world([(A, listed), (B, whole)]), &query), Ok(OURS));
}

#[test]
fn a_node_that_takes_no_lists_is_asked_one_by_one() {
    let mut node = Node { takes_lists: false, ..node() };
    node.put(HASH, SHOWN + 2, payment());
    let query = query(&node);
    assert_eq!(ask(&world([(A, node)]), &query), Ok(OURS));
}

#[test]
fn all_questions_together_have_ten_seconds() {
    for (takes_ms, is_found) in [(1999, true), (2001, false)] {
        let mut node = Node { takes_ms, ..node() };
        node.put(HASH, SHOWN + 2, payment());
        let query = query(&node);
        let world = world([(A, node)]);
        assert_eq!(ask(&world, &query).is_ok(), is_found, "{takes_ms}");
    }
    let mut node = Node { takes_ms: 1999, block_ms: 250, newest: SHOWN + 12_000, ..node() };
    node.put(HASH, SHOWN + 1100, payment());
    let query = query(&node);
    let world = world([(A, node)]);
    let out_of_time = [Failure::OutOfTime, SendError::TimedOut.into()];
    assert!(out_of_time.contains(&failures(ask(&world, &query))[0]));
    assert!(world.now_ms.load(Ordering::SeqCst) <= 10_000);
}

#[test]
fn requests_are_what_nodes_expect() {
    let mut node = node();
    node.put(HASH, SHOWN + 2, payment());
    let query = query(&node);
    let world = world([(A, node)]);
    ask(&world, &query).unwrap();
    let asked: Vec<_> = std::mem::take(&mut *world.asked.lock().unwrap());
    let asked: Vec<_> = asked.iter().map(|it| it.as_array().unwrap()[1..].to_vec()).collect();
    let request = |id: u64, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let call = json!({
        "from": "0x5ac4e9ef1082290569c42e1ebf592b5cb1a4b9a7",
        "to": "0x7070707070707070707070707070707070707070",
        "data": "0xe94a0102\
            000000000000000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
            0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e",
    });
    let filter = json!({
        "address": "0x7070707070707070707070707070707070707070",
        "topics": [
            [
                "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5",
                "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81",
            ],
            ["0x000000000000000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
            ["0x0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e"],
        ],
        "fromBlock": "0x2337",
        "toBlock": "0x271f",
    });
    let hash = B256::repeat_byte(HASH);
    let want = [
        vec![
            request(2, "eth_getBlockByNumber", json!(["latest", false])),
            request(3, "eth_call", json!([call, "latest"])),
        ],
        vec![request(2, "eth_getBlockByNumber", json!(["0x2337", false]))],
        vec![
            request(2, "eth_getLogs", json!([filter])),
            request(3, "eth_getBlockByNumber", json!(["0x271f", false])),
        ],
        vec![request(2, "eth_getTransactionReceipt", json!([hash]))],
        vec![request(2, "eth_getBlockByNumber", json!(["0x2712", false]))],
    ];
    assert_eq!(asked, want);
}
