//! What the gate says of a wallet, one row for each side of each limit.

use crate::common::{
    CONTRACT, FIRST, NOW, NOW_S, first, first_key, policy, rule, second, second_key, statement,
};
use alloy_primitives::U256;
use domain::Timestamp;
use gate::{Outcome, Policy, Readings, RuleVerdict, Statement, Verdict, judge};
use serde_json::json;

/// What one rule says of the second account.
fn verdict_of(kind: &str, readings: &Readings, statements: &[Statement]) -> RuleVerdict {
    let policy = policy("all", &[rule(kind)]);
    judge(&policy, second(), readings, statements, NOW).rules.remove(0)
}

fn read(balance: impl Into<Option<u64>>) -> Readings {
    [balance.into().map(U256::from)].into_iter().collect()
}

#[test]
fn a_balance_passes_from_what_is_required_on() {
    #[rustfmt::skip]
    let rows = [
        // kind       reading                 passed  held           detail
        ("erc20",     read(1000),             true,   Some("100"),   "You hold 100 and need 100."),
        ("erc20",     read(1001),             true,   Some("100.1"), "You hold 100.1 and need 100."),
        ("erc20",     read(999),              false,  Some("99.9"),  "You hold 99.9 and need 100."),
        ("erc20",     read(0),                false,  Some("0"),     "You hold 0 and need 100."),
        ("erc20",     read(None),             false,  None,          "Your balance on chain 8453 can't be read now."),
        ("erc20",     Readings::default(),    false,  None,          "Your balance was not read."),
        ("erc721",    read(1),                true,   Some("1"),     "You hold 1 and need 1."),
        ("erc721",    read(0),                false,  Some("0"),     "You hold 0 and need 1."),
        ("erc721",    read(None),             false,  None,          "Your balance on chain 1 can't be read now."),
        ("erc1155",   read(2),                true,   Some("2"),     "You hold 2 and need 2."),
        ("erc1155",   read(1),                false,  Some("1"),     "You hold 1 and need 2."),
        ("erc1155",   read(None),             false,  None,          "Your balance on chain 1 can't be read now."),
    ];
    for (kind, readings, passed, held, detail) in rows {
        let got = verdict_of(kind, &readings, &[]);
        assert_eq!(
            (got.passed, got.held.as_deref(), &*got.detail),
            (passed, held, detail),
            "{kind}"
        );
    }
}

#[test]
fn a_list_passes_whom_it_names() {
    let policy = policy("all", &[rule("allowlist")]);
    #[rustfmt::skip]
    let rows = [
        (second(), Outcome::Passed, "Your address is on the list."),
        (first(),  Outcome::Closed, "Your address is not on the list."),
    ];
    for (wallet, outcome, detail) in rows {
        let got = judge(&policy, wallet, &Readings::default(), &[], NOW);
        assert_eq!((got.outcome, &*got.rules[0].detail), (outcome, detail));
    }
}

/// The first account's statement on the second, but for the arguments.
fn signed(ledger: &str, amount: u64, expiry: u64) -> Statement {
    let ledger = ledger.to_owned().try_into().unwrap();
    Statement::sign(second(), ledger, U256::from(amount), expiry, &first_key())
}

/// A statement of the first account that the second one signed.
fn forged(amount: u64) -> Statement {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    let ledger = "crdt-main".to_owned().try_into().unwrap();
    let own = Statement::sign(second(), ledger, U256::from(amount), NOW_S + 1, &second_key());
    let json = String::from_utf8(URL_SAFE_NO_PAD.decode(own.to_header()).unwrap()).unwrap();
    let json = json.replacen(&second().to_string(), FIRST, 1);
    Statement::parse_header(&URL_SAFE_NO_PAD.encode(json)).unwrap().remove(0)
}

#[test]
fn a_statement_counts_if_its_issuer_says_it_of_this_wallet_and_in_time() {
    let missing = format!("There is no statement of {FIRST} on the ledger crdt-main.");
    let ledger = || "crdt-main".to_owned().try_into().unwrap();
    let of_other = Statement::sign(first(), ledger(), U256::from(1000), NOW_S + 1, &first_key());
    let by_other = Statement::sign(second(), ledger(), U256::from(1000), NOW_S + 1, &second_key());
    let short = signed("crdt-main", 999, NOW_S + 1);
    let enough = signed("crdt-main", 1000, NOW_S + 1);
    let more = signed("crdt-main", 1001, NOW_S + 1);
    let expired = signed("crdt-main", 5000, NOW_S);
    let of_all_time = signed("crdt-main", 1000, u64::MAX);
    let other_ledger = signed("crdt-test", 1000, NOW_S + 1);
    let others = "The statement is about another wallet.";
    let late = "The statement has expired.";
    let unsigned = "The statement is not signed by its issuer.";
    let f = forged(5000);
    #[rustfmt::skip]
    let rows = [
        // statements                    passed  held           detail
        (vec![&enough],                  true,   Some("100"),   "You hold 100 and need 100."),
        (vec![&short],                   false,  Some("99.9"),  "You hold 99.9 and need 100."),
        (vec![&of_all_time],             true,   Some("100"),   "You hold 100 and need 100."),
        (vec![],                         false,  None,          &*missing),
        (vec![&by_other],                false,  None,          &missing),
        (vec![&other_ledger],            false,  None,          &missing),
        (vec![&of_other],                false,  None,          others),
        (vec![&expired],                 false,  None,          late),
        (vec![&f],                       false,  None,          unsigned),
        // The largest counts. They do not add up, and those that don't count do no harm.
        (vec![&short, &short],           false,  Some("99.9"),  "You hold 99.9 and need 100."),
        (vec![&short, &more, &enough],   true,   Some("100.1"), "You hold 100.1 and need 100."),
        (vec![&f, &short, &expired],     false,  Some("99.9"),  "You hold 99.9 and need 100."),
        (vec![&of_other, &enough, &f],   true,   Some("100"),   "You hold 100 and need 100."),
        // Of several reasons, the one of the statement that came nearest.
        (vec![&expired, &of_other],      false,  None,          late),
        (vec![&f, &expired, &of_other],  false,  None,          unsigned),
        (vec![&by_other, &of_other],     false,  None,          others),
    ];
    for (statements, passed, held, detail) in rows {
        let statements: Vec<_> = statements.into_iter().cloned().collect();
        let got = verdict_of("attestation", &Readings::default(), &statements);
        assert_eq!((got.passed, got.held.as_deref(), &*got.detail), (passed, held, detail));
    }
}

#[test]
fn a_statement_is_expired_from_its_last_second_on() {
    let policy = policy("all", &[rule("attestation")]);
    let statements = [signed("crdt-main", 1000, NOW_S)];
    #[rustfmt::skip]
    let rows = [
        (NOW.unix_ms() - 1, Outcome::Passed),
        (NOW.unix_ms(),     Outcome::Closed),
        (-1,                Outcome::Passed),
    ];
    for (unix_ms, want) in rows {
        let now = Timestamp::from_unix_ms(unix_ms);
        let got = judge(&policy, second(), &Readings::default(), &statements, now);
        assert_eq!(got.outcome, want, "{now}");
    }
}

#[test]
fn what_is_certain_needs_no_chain() {
    let list = |account: &str| json!({ "kind": "allowlist", "addresses": [account] });
    let (yes, no) = (list(&second().to_string()), list(FIRST));
    let tokens = rule("erc20");
    let ledger = rule("attestation");
    #[rustfmt::skip]
    let rows = [
        // mode  rules                          statements            want
        ("any",  vec![&tokens, &yes],           vec![],               false),
        ("any",  vec![&tokens, &no],            vec![],               true),
        ("all",  vec![&tokens, &yes],           vec![],               true),
        ("all",  vec![&tokens, &no],            vec![],               false),
        ("any",  vec![&tokens, &ledger],        vec![],               true),
        ("any",  vec![&tokens, &ledger],        vec![statement(999)], true),
        ("any",  vec![&tokens, &ledger],        vec![statement(1000)],false),
        ("all",  vec![&tokens, &ledger],        vec![],               false),
        ("all",  vec![&tokens, &ledger],        vec![statement(1000)],true),
        ("all",  vec![&tokens],                 vec![],               true),
        ("all",  vec![&yes],                    vec![],               false),
    ];
    for (mode, rules, statements, want) in rows {
        let rules: Vec<_> = rules.into_iter().cloned().collect();
        let policy = policy(mode, &rules);
        assert_eq!(policy.needs_chain(second(), &statements, NOW), want, "{policy:?}");
    }
}

/// Rules of a chain are matched with readings by their order, whatever stands between them.
#[test]
fn each_chain_rule_has_its_own_reading() {
    let rules = ["allowlist", "erc1155", "attestation", "erc20", "erc721"].map(rule);
    let readings = [Some(U256::from(2)), None, Some(U256::ZERO)].into_iter().collect();
    let got = judge(&policy("any", &rules), first(), &readings, &[], NOW);
    let held: Vec<_> = got.rules.iter().map(|it| it.held.as_deref()).collect();
    assert_eq!(held, [None, Some("2"), None, None, Some("0")]);
    assert_eq!(got.outcome, Outcome::Passed);
}

#[test]
fn rules_without_a_label_have_a_sentence() {
    let rules = ["erc20", "erc721", "erc1155", "allowlist", "attestation"].map(rule);
    let got = judge(&policy("any", &rules), first(), &Readings::default(), &[], NOW);
    let labels: Vec<_> = got.rules.into_iter().map(|it| it.label).collect();
    let want = [
        format!("Hold at least 100 of the token {CONTRACT} on chain 8453."),
        format!("Hold at least 1 of the collection {CONTRACT} on chain 1."),
        format!("Hold at least 2 of token 7 of the collection {CONTRACT} on chain 1."),
        "Be on the list.".to_owned(),
        format!("Hold at least 100 in the ledger crdt-main of {FIRST}."),
    ];
    assert_eq!(labels, want);
}

/// The rules have the form that clients of the edge see.
#[test]
fn a_verdict_travels_as_json() {
    let policy = Policy::parse(
        &json!({ "mode": "any", "rules": [
            { "kind": "erc20", "label": "100 CRDT", "chain_id": 8453, "contract": CONTRACT,
              "required": "100", "decimals": 18 },
            { "kind": "erc721", "label": "Member", "chain_id": 1, "contract": CONTRACT,
              "required": 1 },
            { "kind": "allowlist", "label": "Founders", "addresses": [FIRST] },
            { "kind": "attestation", "label": "Ledger balance", "issuer": FIRST,
              "ledger": "crdt-main", "required": "100", "decimals": 1 },
        ] })
        .to_string(),
    )
    .unwrap();
    let balance = U256::from(12_500_000_000_000_000_000_u64);
    let readings = [Some(balance), None].into_iter().collect();
    let verdict = judge(&policy, second(), &readings, &[statement(1)], NOW);
    let want = json!({
        "outcome": "undecided",
        "mode": "any",
        "rules": [
            { "label": "100 CRDT", "kind": "erc20", "chain_id": 8453, "contract": CONTRACT,
              "required": "100", "held": "12.5", "passed": false,
              "detail": "You hold 12.5 and need 100." },
            { "label": "Member", "kind": "erc721", "chain_id": 1, "contract": CONTRACT,
              "required": "1", "held": null, "passed": false,
              "detail": "Your balance on chain 1 can't be read now." },
            { "label": "Founders", "kind": "allowlist", "chain_id": null, "contract": null,
              "required": null, "held": null, "passed": false,
              "detail": "Your address is not on the list." },
            { "label": "Ledger balance", "kind": "attestation", "chain_id": null,
              "contract": null, "required": "100", "held": "0.1", "passed": false,
              "detail": "You hold 0.1 and need 100." },
        ],
    });
    assert_eq!(serde_json::to_value(&verdict).unwrap(), want);
    assert_eq!(serde_json::from_value::<Verdict>(want).unwrap(), verdict);
}
