//! The layers hold: who may depend on whom, and what each ring may reach at all.
//!
//! Method: Cargo's own tree of each crate, so that a dependency of a dependency counts too.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use std::{collections::BTreeSet, process::Command};

/// Rules only: no I/O, no clock, no randomness, no executor.
const INNER: [&str; 12] = [
    "billing",
    "domain",
    "evm",
    "facilitator",
    "fleet",
    "ledger",
    "limits",
    "problem",
    "reconcile",
    "settings",
    "siwe",
    "x402",
];

/// Rules that need a port or a token: still no socket, no executor, no host of components.
const MIDDLE: [&str; 5] = ["apps", "credentials", "gate", "http-api", "records"];

/// `rand_core` is not here: it is the trait by which randomness comes in as an argument.
const NEVER_INNER: [&str; 15] = [
    "axum",
    "bollard",
    "chrono",
    "fastrand",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "socket2",
    "spin-sdk",
    "tokio",
    "wasmtime",
    "worker",
];

const NEVER_MIDDLE: [&str; 11] = [
    "bollard",
    "edge-host",
    "hyper",
    "mio",
    "reqwest",
    "rusqlite",
    "socket2",
    "spin-sdk",
    "tokio",
    "wasmtime",
    "worker",
];

/// The arrows between our own crates. A new one is a decision.
#[rustfmt::skip]
const ARROWS: [(&str, &[&str]); 17] = [
    ("domain",      &[]),
    ("problem",     &[]),
    ("settings",    &[]),
    ("billing",     &["domain"]),
    ("evm",         &["domain"]),
    ("fleet",       &["domain"]),
    ("ledger",      &["domain"]),
    ("limits",      &["domain"]),
    ("reconcile",   &["domain"]),
    ("siwe",        &["evm"]),
    ("facilitator", &["domain", "evm"]),
    ("x402",        &["domain", "evm"]),
    ("apps",        &["settings"]),
    ("credentials", &["domain"]),
    ("gate",        &["credentials", "domain", "evm"]),
    ("records",     &["billing", "credentials", "domain", "fleet", "ledger", "limits", "x402"]),
    ("http-api",    &["billing", "credentials", "domain", "evm", "facilitator", "fleet", "gate", "ledger", "limits", "problem", "records", "settings", "siwe", "x402"]),
];

/// All that `name` needs at run time on `target`, with what those need, and so on down to `depth`.
fn needs(name: &str, target: &str, depth: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--package", name, "--target", target, "--depth", depth])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // The first line is the crate itself.
    text.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_ring_reaches_what_it_must_not() {
    for target in ["x86_64-unknown-linux-gnu", "wasm32-wasip2"] {
        for (ring, never) in [(&INNER[..], &NEVER_INNER[..]), (&MIDDLE[..], &NEVER_MIDDLE[..])] {
            for name in ring {
                let reached = needs(name, target, "99");
                let wrong: Vec<_> = never.iter().filter(|it| reached.contains(**it)).collect();
                assert!(wrong.is_empty(), "{name} reaches {wrong:?} ({target})");
            }
        }
    }
}

#[test]
fn the_arrows_between_our_crates_are_the_drawn_ones() {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, want) in ARROWS {
        let direct = needs(name, "x86_64-unknown-linux-gnu", "1");
        let got: Vec<_> =
            direct.iter().map(String::as_str).filter(|it| ours.contains(it)).collect();
        assert_eq!(got, want, "{name}");
    }
}
