//! Policies as operators write them, and what they are told when something is wrong.

use std::collections::BTreeSet;

use crate::common::{CONTRACT, FIRST, SECOND, policy, rule};
use gate::{Mode, Policy, PolicyError, PolicyFlaw};
use serde_json::{Value, json};

const KINDS: [&str; 5] = ["erc20", "erc721", "erc1155", "allowlist", "attestation"];

/// The rule with one member set.
fn with(kind: &str, field: &str, value: impl Into<Value>) -> Value {
    let mut rule = rule(kind);
    rule[field] = value.into();
    rule
}

fn without(kind: &str, field: &str) -> Value {
    let mut rule = rule(kind);
    rule.as_object_mut().unwrap().remove(field);
    rule
}

/// What is said of a policy whose second rule this is.
fn refusal(rule: &Value) -> String {
    let policy = json!({ "rules": [with("erc721", "label", "fine"), rule] });
    match Policy::parse(&policy.to_string()) {
        Ok(policy) => panic!("{policy:?} is taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_mode_is_all_unless_it_is_written() {
    #[rustfmt::skip]
    let rows = [
        (json!({ "rules": [rule("erc20")] }),                 Mode::All),
        (json!({ "mode": "all", "rules": [rule("erc20")] }),  Mode::All),
        (json!({ "mode": "any", "rules": [rule("erc20")] }),  Mode::Any),
    ];
    for (json, want) in rows {
        assert_eq!(Policy::parse(&json.to_string()).unwrap().mode(), want, "{json}");
    }
}

#[test]
fn what_is_in_the_format_is_taken() {
    let label = "ä".repeat(Policy::LABEL_LEN_MAX);
    #[rustfmt::skip]
    let rows = [
        with("erc20", "label", "100 CRDT"),
        with("erc20", "label", label),
        with("erc20", "label", Value::Null),
        with("erc20", "contract", CONTRACT.to_lowercase()),
        with("erc20", "required", 100),
        with("erc20", "required", u64::MAX),
        with("erc20", "required", "12.5"),
        with("erc20", "chain_id", u64::MAX),
        without("erc20", "decimals"),
        with("erc20", "decimals", 0),
        with("erc721", "required", 1),
        with("erc1155", "token_id", 0),
        with("erc1155", "token_id", alloy_primitives::U256::MAX.to_string()),
        with("allowlist", "addresses", json!([FIRST, SECOND])),
        without("attestation", "decimals"),
    ];
    for rule in rows.into_iter().chain(KINDS.map(rule)) {
        let json = json!({ "rules": [rule] }).to_string();
        assert!(Policy::parse(&json).is_ok(), "{json}");
    }
}

#[test]
fn a_policy_has_1_to_16_rules() {
    for (n_rules, is_right) in [(0, false), (1, true), (16, true), (17, false)] {
        let rules = vec![rule("erc20"); n_rules];
        let got = Policy::parse(&json!({ "rules": rules }).to_string());
        let flaw = PolicyFlaw::NumberOfRules { n_rules };
        let error = PolicyError { rule: None, field: "rules".to_owned(), flaw };
        assert_eq!(got.err(), (!is_right).then_some(error), "{n_rules}");
    }
}

#[test]
fn a_wrong_rule_is_named_with_its_field() {
    let long = "ä".repeat(Policy::LABEL_LEN_MAX + 1);
    let label = "a label has 1 to 100 characters, not only spaces, and none that control";
    let zero = "0x0000000000000000000000000000000000000000";
    let nobody = "the zero address is nobody's and no contract's";
    let malformed = "\"0x12\": an address is 0x and 40 hexadecimal digits";
    let typo = &CONTRACT.replace("aaA", "aAA");
    let checksum =
        &format!("{typo:?}: the upper and lower case of this address is not its EIP-55 checksum");
    let both = json!([FIRST, FIRST.to_lowercase()]);
    let twice = &format!("{FIRST} is on the list twice");
    let digits = "an amount has only digits, and maybe a point between them, such as 100 or 12.5";
    let too_large = "an amount is less than 2^256 base units";
    #[rustfmt::skip]
    let rows = [
        // rule                                            field        what is wrong
        (json!({}),                                        "kind",      "must be there"),
        (without("erc20", "chain_id"),                     "chain_id",  "must be there"),
        (without("erc20", "contract"),                     "contract",  "must be there"),
        (without("erc20", "required"),                     "required",  "must be there"),
        (without("erc721", "required"),                    "required",  "must be there"),
        (without("erc1155", "token_id"),                   "token_id",  "must be there"),
        (without("allowlist", "addresses"),                "addresses", "must be there"),
        (without("attestation", "issuer"),                 "issuer",    "must be there"),
        (without("attestation", "ledger"),                 "ledger",    "must be there"),
        (without("attestation", "required"),               "required",  "must be there"),
        (with("erc20", "label", ""),                       "label",     label),
        (with("erc20", "label", "  "),                     "label",     label),
        (with("erc20", "label", "a\nb"),                   "label",     label),
        (with("erc20", "label", long),                     "label",     label),
        (with("erc20", "chain_id", 0),                     "chain_id",  "a chain's id is above 0, such as 1 or 8453"),
        (with("erc20", "contract", "0x12"),                "contract",  malformed),
        (with("attestation", "issuer", "0x12"),            "issuer",    malformed),
        (with("allowlist", "addresses", json!(["0x12"])),  "addresses", malformed),
        (with("erc20", "contract", &**typo),               "contract",  checksum),
        (with("erc20", "contract", zero),                  "contract",  nobody),
        (with("attestation", "issuer", zero),              "issuer",    nobody),
        (with("allowlist", "addresses", json!([zero])),    "addresses", nobody),
        (with("allowlist", "addresses", json!([])),        "addresses", "a list has at least one address"),
        (with("allowlist", "addresses", both),             "addresses", twice),
        (with("attestation", "ledger", ""),                "ledger",    "a ledger's name has 1 to 64 characters, this one has 0"),
        (with("erc20", "required", "a lot"),               "required",  digits),
        (with("erc20", "required", "12.55"),               "required",  "this amount has at most 1 digits behind the point"),
        (with("erc721", "required", "0.5"),                "required",  "this amount has at most 0 digits behind the point"),
        (with("erc1155", "token_id", "0x7"),               "token_id",  digits),
        (with("erc20", "required", "9".repeat(78)),        "required",  too_large),
        (with("erc20", "required", 0),                     "required",  "must be above 0"),
        (with("erc20", "required", "0.0"),                 "required",  "must be above 0"),
        (with("erc721", "required", "0"),                  "required",  "must be above 0"),
        (with("attestation", "required", "0"),             "required",  "must be above 0"),
        (with("erc20", "decimals", 78),                    "decimals",  "decimals are 0 to 77, not 78"),
    ];
    for (rule, field, wrong) in rows {
        assert_eq!(refusal(&rule), format!("rule 2: {field}: {wrong}"), "{rule}");
    }
}

#[test]
fn a_rule_has_no_field_of_another_kind() {
    #[rustfmt::skip]
    let rows = [
        ("erc20",       "token_id"),
        ("erc20",       "addresses"),
        ("erc20",       "issuer"),
        ("erc721",      "decimals"),
        ("erc721",      "token_id"),
        ("erc1155",     "decimals"),
        ("erc1155",     "ledger"),
        ("allowlist",   "chain_id"),
        ("allowlist",   "contract"),
        ("allowlist",   "required"),
        ("attestation", "chain_id"),
        ("attestation", "contract"),
    ];
    for (kind, field) in rows {
        let all = KINDS.map(rule);
        let value = all.iter().find_map(|it| it.get(field)).unwrap();
        let want = format!("rule 2: {field}: a rule of the kind {kind} has no such field");
        assert_eq!(refusal(&with(kind, field, value.clone())), want);
    }
}

/// The rest of these lines is serde's, with line and column.
#[test]
fn what_is_not_even_the_right_type_is_named_too() {
    let number = "required: expected a decimal string, such as \"100\", or a whole number";
    #[rustfmt::skip]
    let rows = [
        (with("erc20", "kind", "erc777"),             "kind: unknown variant `erc777`, expected one of `erc20`, "),
        (with("erc20", "kind", 20),                   "kind: "),
        (with("erc20", "colour", "red"),              "colour: unknown field `colour`, expected one of `kind`, "),
        (with("erc20", "chain_id", "8453"),           "chain_id: invalid type: string \"8453\", expected u64"),
        (with("erc20", "chain_id", -1),               "chain_id: invalid value: integer `-1`, expected u64"),
        (with("erc20", "contract", 1),                "contract: invalid type: integer `1`, expected a string"),
        (with("erc20", "required", 1.5),              number),
        (with("erc20", "required", -1),               number),
        (with("erc20", "required", true),             number),
        (with("erc20", "decimals", 256),              "decimals: invalid value: integer `256`, expected u8"),
        (with("allowlist", "addresses", SECOND),      "addresses: invalid type: string"),
        (with("allowlist", "addresses", json!([1])),  "addresses: invalid type: integer `1`, expected a string"),
        (json!("erc20"),                              "invalid type: string \"erc20\", expected an object"),
    ];
    for (rule, want) in rows {
        let got = refusal(&rule);
        assert!(got.starts_with(&format!("rule 2: {want}")), "{got}, not {want}");
    }
}

#[test]
fn what_is_around_the_rules_is_checked_too() {
    let good = json!({ "rules": [rule("erc721")] }).to_string();
    let twice = good.replace("\"required\"", "\"required\":\"5\",\"required\"");
    #[rustfmt::skip]
    let rows = [
        (String::new(),                                "EOF while parsing a value"),
        ("no".to_owned(),                              "expected ident"),
        ("7".to_owned(),                               "invalid type: integer `7`, expected an object with the member rules"),
        ("{".to_owned(),                               "EOF while parsing an object"),
        (format!("{good}{good}"),                      "trailing characters"),
        ("{}".to_owned(),                              "rules: a policy has 1 to 16 rules, this one has 0"),
        ("{\"rules\":{}}".to_owned(),                  "rules: invalid type: map, expected a sequence"),
        ("{\"mode\":\"some\"}".to_owned(),             "mode: unknown variant `some`, expected `any` or `all`"),
        ("{\"rule\":[]}".to_owned(),                   "rule: unknown field `rule`, expected `mode` or `rules`"),
        ("{\"a\\nb\":0}".to_owned(),                  "a\\nb: unknown field `a\\nb`, expected `mode` or `rules`"),
        (twice,                                        "rule 1: duplicate field `required`"),
    ];
    for (json, want) in rows {
        let got = Policy::parse(&json).unwrap_err().to_string();
        assert!(got.starts_with(want), "{json}: {got}");
    }
}

#[test]
fn each_chain_is_named_once() {
    let chain_ids = |policy: Policy| Vec::from_iter(policy.chain_ids());
    assert_eq!(chain_ids(policy("all", &KINDS.map(rule))), [1, 8453]);
    assert_eq!(
        policy("all", &[rule("allowlist"), rule("attestation")]).chain_ids(),
        BTreeSet::new()
    );
}

#[test]
fn what_says_the_same_has_the_same_fingerprint() {
    let label = format!("Hold at least 100 of the token {CONTRACT} on chain 8453.");
    #[rustfmt::skip]
    let rows = [
        with("erc20", "required", 100),
        with("erc20", "required", "100.0"),
        with("erc20", "contract", CONTRACT.to_lowercase()),
        with("erc20", "label", label),
        with("erc20", "addresses", Value::Null),
    ];
    let want = policy("all", &[rule("erc20")]).fingerprint();
    for rule in rows {
        assert_eq!(policy("all", std::slice::from_ref(&rule)).fingerprint(), want, "{rule}");
    }
    let list =
        |addresses: [&str; 2]| policy("any", &[with("allowlist", "addresses", json!(addresses))]);
    assert_eq!(list([FIRST, SECOND]).fingerprint(), list([SECOND, FIRST]).fingerprint());
}

#[test]
fn what_says_something_else_has_another_fingerprint() {
    #[rustfmt::skip]
    let rows = [
        with("erc20", "label", "CRDT"),
        with("erc20", "chain_id", 1),
        with("erc20", "contract", FIRST),
        with("erc20", "required", "100.1"),
        with("erc20", "decimals", 2),
        with("erc1155", "token_id", "8"),
        with("allowlist", "addresses", json!([FIRST])),
        with("allowlist", "addresses", json!([FIRST, SECOND])),
        with("attestation", "issuer", SECOND),
        with("attestation", "ledger", "crdt-test"),
        with("attestation", "required", "99"),
        with("attestation", "decimals", 2),
    ];
    let mut fingerprints = BTreeSet::new();
    for rule in rows.iter().cloned().chain(KINDS.map(rule)) {
        for mode in ["any", "all"] {
            fingerprints.insert(policy(mode, std::slice::from_ref(&rule)).fingerprint());
        }
    }
    assert_eq!(fingerprints.len(), 2 * (rows.len() + KINDS.len()));
}

/// Caches outlive a release, so a new fingerprint of an old policy should be meant.
#[test]
fn a_fingerprint_is_the_same_tomorrow() {
    let want = "024c1a6e2c4588139b9ee1075106a959d43bd5c4848e1c104e72580b73cd728b";
    assert_eq!(policy("any", &KINDS.map(rule)).fingerprint(), want);
}

#[test]
fn the_example_of_the_readme_is_a_policy_with_every_kind() {
    let readme = include_str!("../../README.md");
    let json = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    Policy::parse(json).unwrap();
    for kind in KINDS {
        assert!(json.contains(&format!("\"{kind}\"")), "{kind}");
    }
}
