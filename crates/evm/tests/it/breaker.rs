//! Leaving alone, for a while, what fails.

use std::time::Duration;

use domain::Timestamp;
use evm::{BREAKER_KEY_PREFIX, Failure, is_breaker_stale};

use crate::world::{Node, START_MS, World, failures};

const A: &str = "https://a.example/SECRET";
const B: &str = "https://b.example";

fn down() -> Node {
    Node::Says(503, "")
}

/// How often a node was asked since the last time.
fn n_asked(world: &World) -> usize {
    world.log().iter().filter(|line| line.starts_with("https://")).count()
}

#[test]
fn three_failures_in_a_row_open_it_for_longer_and_longer() {
    let world = World::new([(A, down())]);
    for _ in 0..3 {
        assert_eq!(failures(world.call(&[])), [Failure::Status(503)]);
    }
    for pause_ms in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        world.log();
        assert_eq!(failures(world.call(&[])), [Failure::Resting]);
        world.advance(pause_ms - 1);
        assert_eq!(failures(world.call(&[])), [Failure::Resting]);
        assert_eq!(n_asked(&world), 0);
        world.advance(1);
        assert_eq!(failures(world.call(&[])), [Failure::Status(503)]);
        assert_eq!(n_asked(&world), 1);
    }
}

#[test]
fn a_success_closes_it() {
    for n_failures in 1..=6 {
        let mut world = World::new([(A, down())]);
        for _ in 0..n_failures {
            let _ = world.call(&[]);
            world.advance(60_000);
        }
        world.replace(A, Node::Works);
        world.call(&[]).unwrap();
        world.replace(A, down());
        for _ in 0..3 {
            assert_eq!(failures(world.call(&[])), [Failure::Status(503)], "after {n_failures}");
        }
        assert_eq!(failures(world.call(&[])), [Failure::Resting], "after {n_failures}");
    }
}

#[test]
fn two_failures_a_success_and_two_failures_do_not_open_it() {
    let mut world = World::new([(A, down())]);
    for is_up in [false, false, true, false, false, true] {
        world.replace(A, if is_up { Node::Works } else { down() });
        assert_eq!(world.call(&[]).is_ok(), is_up);
    }
}

#[test]
fn the_next_node_is_asked_while_it_is_open() {
    let world = World::new([(A, Node::Hangs), (B, Node::Works)]);
    for _ in 0..3 {
        world.call(&[]).unwrap();
    }
    world.log();
    world.call(&[]).unwrap();
    let want = ["load", "load", "https://b.example list 2000 ms 262144 bytes"];
    assert_eq!(world.log(), want);
}

#[test]
fn when_all_are_open_nobody_waits() {
    let world = World::new([(A, Node::Hangs), (B, Node::Hangs)]);
    for _ in 0..3 {
        assert_eq!(failures(world.call(&[])).len(), 2);
    }
    world.log();
    assert_eq!(failures(world.call(&[])), [Failure::Resting, Failure::Resting]);
    assert_eq!(world.log(), ["load", "load"]);
}

#[test]
fn one_tries_while_the_others_wait() {
    let mut world = World::new([(A, down())]);
    for _ in 0..3 {
        let _ = world.call(&[]);
    }
    world.advance(5_000);
    world.log();
    // As if the one who tries were gone before it hears anything: what it stored first remains.
    world.replace(A, Node::Panics);
    let gone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.call(&[])));
    assert!(gone.is_err());
    assert_eq!(world.log()[..2], ["load", "store"]);

    world.replace(A, Node::Works);
    assert_eq!(failures(world.call(&[])), [Failure::Resting]);
    world.advance(4_999);
    assert_eq!(failures(world.call(&[])), [Failure::Resting]);
    world.advance(1);
    world.call(&[]).unwrap();
}

#[test]
fn a_healthy_node_costs_one_load() {
    let mut world = World::new([(A, Node::Works)]);
    let post = "https://a.example/SECRET list 2000 ms 262144 bytes";
    world.call(&[]).unwrap();
    assert_eq!(world.log(), ["load", post]);

    world.replace(A, down());
    let _ = world.call(&[]);
    assert_eq!(world.log(), ["load", post, "store"]);

    world.replace(A, Node::Works);
    world.call(&[]).unwrap();
    assert_eq!(world.log(), ["load", post, "store"]);
    world.call(&[]).unwrap();
    assert_eq!(world.log(), ["load", post]);
}

#[test]
fn without_a_store_every_node_is_asked_every_time() {
    let world = World::new([(A, down()), (B, Node::Works)]).with_broken_store();
    for _ in 0..5 {
        world.call(&[]).unwrap();
        assert_eq!(n_asked(&world), 2);
    }
}

#[test]
fn the_store_says_nothing_of_keys_and_something_of_time() {
    let world = World::new([(A, down()), (B, down())]);
    for _ in 0..3 {
        let _ = world.call(&[]);
    }
    let store = world.store();
    assert_eq!(store.len(), 2);
    for (key, value) in store {
        let hash = key.strip_prefix(BREAKER_KEY_PREFIX).unwrap();
        assert!(hash.len() == 64 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')));
        assert_eq!(value, format!(r#"{{"failures":3,"retry_at":{}}}"#, START_MS + 5_000));
    }
}

#[test]
fn a_value_says_itself_until_when_it_matters() {
    let now = Timestamp::from_unix_ms(START_MS);
    let value =
        |seconds: i64| format!(r#"{{"failures":3,"retry_at":{}}}"#, START_MS + seconds * 1_000);
    #[rustfmt::skip]
    let rows = [
        // value                                    stale   may the node be asked
        (value(0),                                  false,  true),
        (value(1),                                  false,  false),
        (value(60),                                 false,  false),
        // No pause is so long: the clock of another instance was wrong.
        (value(61),                                 true,   true),
        (value(1_000_000_000),                      true,   true),
        (value(-3600),                              false,  true),
        (value(-3601),                              true,   true),
        (String::new(),                             true,   true),
        ("{}".to_owned(),                           true,   true),
        (r#"{"failures":-1,"retry_at":0}"#.into(),  true,   true),
        (value(1).replace('}', r#","more":1}"#),    true,   true),
    ];
    for (value, is_stale, is_asked) in rows {
        assert_eq!(is_breaker_stale(&value, now), is_stale, "{value}");
        let world = World::new([(A, down())]);
        let _ = world.call(&[]);
        let key = world.store().into_keys().next().unwrap();
        world.put(key, value.clone());
        world.log();
        let _ = world.call(&[]);
        assert_eq!(n_asked(&world) == 1, is_asked, "{value}");
    }
}

#[test]
fn what_is_an_hour_old_is_forgotten_whether_or_not_it_was_swept() {
    let world = World::new([(A, down())]);
    let _ = world.call(&[]);
    let _ = world.call(&[]);
    world.advance(3_600_001);
    let value = world.store().into_values().next().unwrap();
    let now = Timestamp::from_unix_ms(START_MS).plus(Duration::from_millis(3_600_001));
    assert!(is_breaker_stale(&value, now));
    for _ in 0..3 {
        assert_eq!(failures(world.call(&[])), [Failure::Status(503)]);
    }
    assert_eq!(failures(world.call(&[])), [Failure::Resting]);
}

#[test]
fn each_chain_has_breakers_of_its_own() {
    let world = World::new([(A, down())]);
    for _ in 0..3 {
        let _ = world.call(&[]);
    }
    let other: evm::Endpoints = serde_json::json!({"1": [A]}).to_string().parse().unwrap();
    let result = futures::executor::block_on(evm::Chains::new(&world, &other).call(1, &[]));
    assert_eq!(failures(result), [Failure::Status(503)]);
}
