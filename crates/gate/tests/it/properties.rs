//! Verdicts follow logic, amounts keep their value, and no input makes a parser panic.
//!
//! Method: each rule is drawn as passing, failing or unknown. The oracle knows nothing of three
//! values: it fills in the unknown ones in every possible way and looks whether all of them agree.

use crate::common::{NOW, policy, rule, second, statement};
use alloy_primitives::U256;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gate::{Amount, Decimals, Outcome, Policy, Readings, Statement, judge};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

fn oracle(mode: &str, answers: &[Option<bool>]) -> Outcome {
    let mut seen = (false, false);
    for bits in 0_u32..1 << answers.len() {
        let filled: Vec<bool> = answers
            .iter()
            .enumerate()
            .map(|(index, answer)| answer.unwrap_or(bits & (1 << index) != 0))
            .collect();
        let passes = if mode == "any" { filled.contains(&true) } else { !filled.contains(&false) };
        if passes { seen.0 = true } else { seen.1 = true }
    }
    match seen {
        (true, false) => Outcome::Passed,
        (false, true) => Outcome::Closed,
        _ => Outcome::Undecided,
    }
}

/// A rule that needs a thousand, and what is read for it.
fn tokens(answer: Option<bool>) -> (Value, Option<U256>) {
    (rule("erc20"), answer.map(|it| U256::from(if it { 1000 } else { 999 })))
}

/// A rule on a list that the second account is on, or not.
fn list(is_on_it: bool) -> Value {
    let address = if is_on_it { second().to_string() } else { crate::common::FIRST.to_owned() };
    json!({ "kind": "allowlist", "addresses": [address] })
}

proptest! {
    #[test]
    fn the_verdict_is_what_every_way_to_know_more_agrees_on(
        mode in prop_oneof![Just("any"), Just("all")],
        // The flag: whether a certain answer is a list's or a chain's.
        drawn in vec((any::<Option<bool>>(), any::<bool>()), 1..9),
    ) {
        let mut rules = Vec::new();
        let mut readings = Vec::new();
        for (answer, by_list) in &drawn {
            match answer {
                Some(answer) if *by_list => rules.push(list(*answer)),
                answer => {
                    let (rule, reading) = tokens(*answer);
                    rules.push(rule);
                    readings.push(reading);
                }
            }
        }
        let policy = policy(mode, &rules);
        let readings: Readings = readings.into_iter().collect();
        let verdict = judge(&policy, second(), &readings, &[], NOW);

        let answers: Vec<_> = drawn.iter().map(|it| it.0).collect();
        prop_assert_eq!(verdict.outcome, oracle(mode, &answers));
        let passed: Vec<_> = verdict.rules.iter().map(|it| it.passed).collect();
        let want: Vec<_> = answers.iter().map(|it| *it == Some(true)).collect();
        prop_assert_eq!(passed, want);
        // Who is told that no chain is needed gets the verdict that reading would have given.
        if !policy.needs_chain(second(), &[], NOW) {
            let unread = judge(&policy, second(), &Readings::default(), &[], NOW);
            prop_assert_eq!(unread.outcome, verdict.outcome);
        }
    }

    #[test]
    fn amounts_that_are_printed_are_read_back(
        words in any::<[u64; 4]>(),
        n_bits in 0_usize..256,
        decimals in 0..=Decimals::MAX,
    ) {
        let decimals = Decimals::try_from(decimals).unwrap();
        let amount = Amount::new(U256::from_limbs(words) >> n_bits, decimals);
        let text = amount.to_string();
        prop_assert_eq!(Amount::parse(&text, decimals), Ok(amount));
        prop_assert!(!text.contains('.') || !text.ends_with(['0', '.']), "{}", text);
    }

    #[test]
    fn amounts_of_any_shape_do_not_panic(text in "[0-9.]{0,90}|\\PC{0,9}", decimals in 0_u8..78) {
        let _ = Amount::parse(&text, Decimals::try_from(decimals).unwrap());
    }

    #[test]
    fn arbitrary_text_does_not_panic(bytes in vec(any::<u8>(), 0..300), text in any::<String>()) {
        for text in [&*String::from_utf8_lossy(&bytes), &*text] {
            let _ = Policy::parse(text);
            let _ = Statement::parse_header(text);
        }
        let _ = Statement::parse_header(&URL_SAFE_NO_PAD.encode(bytes));
    }

    #[test]
    fn good_text_with_a_piece_replaced_does_not_panic(
        place in 0_usize..600,
        len in 0_usize..12,
        piece in "\\PC{0,8}|[0-9]{0,80}|[\"{}\\[\\],:]{0,3}",
    ) {
        let replace = |good: &str| {
            let start = place % good.len();
            let end = good.len().min(start + len);
            format!("{}{piece}{}", &good[..start], &good[end..])
        };
        let rules = ["erc20", "erc1155", "allowlist", "attestation"].map(rule);
        let _ = Policy::parse(&replace(&json!({ "rules": rules }).to_string()));

        let header = statement(1).to_header();
        let _ = Statement::parse_header(&replace(&header));
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        if let Ok(statements) = Statement::parse_header(&URL_SAFE_NO_PAD.encode(replace(&json))) {
            let _ = statements.iter().map(Statement::verify).collect::<Vec<_>>();
        }
    }
}
