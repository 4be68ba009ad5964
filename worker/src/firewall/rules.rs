//! What is filtered, as `iptables-restore` reads it.

use std::{fmt::Write as _, net::Ipv4Addr};

use sha2::{Digest as _, Sha256};

/// How the names of all chains begin that are any installation's.
const PREFIX: &str = "SPACEPORT-";

/// Longest id of a state that fits into the name of a chain, in bytes: 28 less prefix and suffix.
const ID_LEN_MAX: usize = 16;

/// Where the rules stand that are in front of everybody else's.
const HOOKS: [&str; 2] = ["INPUT", "DOCKER-USER"];

/// The destinations that no space reaches: whatever is not the internet, and the addresses by which
/// clouds tell a machine its secrets. Source: the registry of special-purpose addresses (RFC 6890).
const CLOSED: [&str; 12] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    // Also the metadata of most clouds, at 169.254.169.254.
    "169.254.0.0/16",
    "172.16.0.0/12",
    // Also the metadata of Oracle's cloud before it moved, at 192.0.0.192.
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // The one address of Azure's own that looks like the internet's.
    "168.63.129.16/32",
];

/// The chains of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chains {
    /// One for each hook: what spaces send to the host, and through it.
    hooked: [String; 2],
    /// Which answer a closed destination gives: at once, so that nobody waits for it.
    refuse: String,
}

impl Chains {
    /// The chains of the installation `state_id`.
    pub(super) fn of(state_id: &str) -> Self {
        let is_short = state_id.len() <= ID_LEN_MAX
            && state_id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        let id = if is_short {
            state_id.to_owned()
        } else {
            let digest = Sha256::digest(state_id);
            digest.iter().take(ID_LEN_MAX / 2).fold(String::new(), |mut id, byte| {
                let _ = write!(id, "{byte:02x}");
                id
            })
        };
        let [input, forward, refuse] = ["I", "F", "R"].map(|it| format!("{PREFIX}{id}-{it}"));
        Self { hooked: [input, forward], refuse }
    }

    /// Each hook with the chain that it leads to.
    fn hooked(&self) -> impl Iterator<Item = (&'static str, &String)> {
        HOOKS.into_iter().zip(&self.hooked)
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.hooked.iter().chain([&self.refuse])
    }
}

/// Whether Docker lets others filter in this table.
pub(super) fn has_docker_chain(table: &str) -> bool {
    has_chain(table, HOOKS[1])
}

fn has_chain(table: &str, chain: &str) -> bool {
    table
        .lines()
        .any(|it| it.strip_prefix(':').is_some_and(|it| it.starts_with(&format!("{chain} "))))
}

/// What makes of `table` one that filters what `pool` sends.
pub(super) fn to_apply(chains: &Chains, pool: &str, resolvers: &[Ipv4Addr], table: &str) -> String {
    let mut text = "*filter\n".to_owned();
    for chain in chains.all() {
        // Also empties one that is there.
        let _ = writeln!(text, ":{chain} - [0:0]");
    }
    for (hook, chain) in chains.hooked() {
        let _ = writeln!(text, "-A {chain} -m conntrack --ctstate ESTABLISHED -j RETURN");
        let _ = writeln!(text, "-A {chain} -p icmp -m conntrack --ctstate RELATED -j RETURN");
        let is_forward = hook == HOOKS[1];
        if is_forward {
            // Within the space's own network, where the host's settings show such packets here.
            let _ = writeln!(text, "-A {chain} -m physdev --physdev-is-bridged -j RETURN");
        }
        for resolver in resolvers {
            for protocol in ["udp", "tcp"] {
                let to = format!("-d {resolver}/32 -p {protocol} -m {protocol} --dport 53");
                let _ = writeln!(text, "-A {chain} {to} -j RETURN");
            }
        }
        let closed: &[&str] = if is_forward { &CLOSED } else { &["0.0.0.0/0"] };
        for range in closed {
            let _ = writeln!(text, "-A {chain} -d {range} -j {}", chains.refuse);
        }
    }
    let refuse = &chains.refuse;
    let _ = writeln!(text, "-A {refuse} -p tcp -j REJECT --reject-with tcp-reset");
    let _ = writeln!(text, "-A {refuse} -j REJECT --reject-with icmp-admin-prohibited");
    for (hook, chain) in chains.hooked() {
        let jump = format!("-s {pool} -j {chain}");
        if !is_hooked(table, hook, chain, &jump) {
            unhook(&mut text, table, hook, chain);
            let _ = writeln!(text, "-I {hook} 1 {jump}");
        }
    }
    text + "COMMIT\n"
}

/// What takes `chains` out of `table`; nothing if they are not in it.
pub(super) fn to_remove(chains: &Chains, table: &str) -> Option<String> {
    let mut text = "*filter\n".to_owned();
    let there: Vec<_> = chains.all().filter(|it| has_chain(table, it)).collect();
    for (hook, chain) in chains.hooked() {
        unhook(&mut text, table, hook, chain);
    }
    for action in ["-F", "-X"] {
        for chain in &there {
            let _ = writeln!(text, "{action} {chain}");
        }
    }
    (!there.is_empty()).then(|| text + "COMMIT\n")
}

/// Whether `jump` is in `hook` exactly once, and nothing in front of it but jumps of installations.
fn is_hooked(table: &str, hook: &str, chain: &str, jump: &str) -> bool {
    let rules: Vec<&str> = rules_of(table, hook).collect();
    let is_ours = |it: &&&str| leads_to(it, chain);
    let at = rules.iter().position(|it| *it == jump);
    rules.iter().filter(is_ours).count() == 1
        && at.is_some_and(|at| rules[..at].iter().all(|it| it.contains(&format!(" -j {PREFIX}"))))
}

/// Takes every rule of `hook` that leads to `chain` away.
fn unhook(text: &mut String, table: &str, hook: &str, chain: &str) {
    for rule in rules_of(table, hook).filter(|it| leads_to(it, chain)) {
        let _ = writeln!(text, "-D {hook} {rule}");
    }
}

fn rules_of<'a>(table: &'a str, hook: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let begin = format!("-A {hook} ");
    table.lines().filter_map(move |it| it.strip_prefix(begin.as_str()))
}

fn leads_to(rule: &str, chain: &str) -> bool {
    rule.ends_with(&format!("-j {chain}"))
}

#[cfg(test)]
mod tests;
