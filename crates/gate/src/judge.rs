//! The verdict on a wallet, of what is known.

use std::collections::BTreeSet;

use alloy_primitives::U256;
use domain::{Timestamp, Wallet};

use crate::{
    Amount, Ledger, Mode, Outcome, Policy, Readings, RuleVerdict, Statement, Verdict,
    policy::{Condition, Rule, Tokens},
    reads::Reading,
};

/// Whether `policy` lets `wallet` through.
///
/// - `readings`: what came back from [`Policy::reads`] of this wallet.
/// - `statements`: what came with the request, in any order; those that don't count say why in
///   `detail`.
///
/// Three-valued: `any` passes on one rule and `all` is closed by one rule, even if another could
/// not be read. If what could not be read matters, the verdict is [`Outcome::Undecided`].
#[must_use]
pub fn judge(
    policy: &Policy,
    wallet: Wallet,
    readings: &Readings,
    statements: &[Statement],
    now: Timestamp,
) -> Verdict {
    let mut readings = readings.each();
    let mut answers = Vec::new();
    let mut rules = Vec::new();
    for rule in &policy.rules {
        let finding = match &rule.condition {
            // Chain rules are counted off against the readings.
            Condition::Tokens(tokens) => {
                of_chain(tokens, readings.next().unwrap_or(Reading::NotAsked))
            }
            Condition::Allowlist(addresses) => of_list(addresses, wallet),
            Condition::Attestation { issuer, ledger, required } => {
                of_statements(*issuer, ledger, required, wallet, statements, now)
            }
        };
        answers.push(finding.answer);
        rules.push(finding.into_verdict(rule));
    }
    Verdict { outcome: outcome(policy.mode, &answers), mode: policy.mode, rules }
}

/// One rule's answer, `None` if it is unknown.
struct Finding {
    answer: Option<bool>,
    held: Option<Amount>,
    detail: String,
}

impl Finding {
    fn amount(held: U256, required: &Amount) -> Self {
        let answer = Some(required.base_units() <= held);
        let held = Amount::new(held, required.decimals());
        let detail = format!("You hold {held} and need {required}.");
        Self { answer, held: Some(held), detail }
    }

    fn text(answer: Option<bool>, detail: impl Into<String>) -> Self {
        Self { answer, held: None, detail: detail.into() }
    }

    fn into_verdict(self, rule: &Rule) -> RuleVerdict {
        let (tokens, required) = match &rule.condition {
            Condition::Tokens(tokens) => (Some(tokens), Some(&tokens.required)),
            Condition::Attestation { required, .. } => (None, Some(required)),
            Condition::Allowlist(_) => (None, None),
        };
        RuleVerdict {
            label: rule.label.clone(),
            kind: rule.condition.kind(),
            chain_id: tokens.map(|it| it.chain_id),
            contract: tokens.map(|it| it.contract),
            required: required.map(Amount::to_string),
            held: self.held.as_ref().map(Amount::to_string),
            passed: self.answer == Some(true),
            detail: self.detail,
        }
    }
}

fn of_chain(tokens: &Tokens, reading: Reading) -> Finding {
    match reading {
        Reading::Balance(held) => Finding::amount(held, &tokens.required),
        Reading::Unknown => {
            let chain_id = tokens.chain_id;
            Finding::text(None, format!("Your balance on chain {chain_id} can't be read now."))
        }
        Reading::NotAsked => Finding::text(None, "Your balance was not read."),
    }
}

fn of_list(addresses: &BTreeSet<Wallet>, wallet: Wallet) -> Finding {
    if addresses.contains(&wallet) {
        Finding::text(Some(true), "Your address is on the list.")
    } else {
        Finding::text(Some(false), "Your address is not on the list.")
    }
}

/// Why a statement by the right issuer on the right ledger does not count, in the order in which
/// it is looked at: the later, the nearer it came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rejection {
    OtherWallet,
    Expired,
    BadSignature,
}

fn of_statements(
    issuer: Wallet,
    ledger: &Ledger,
    required: &Amount,
    wallet: Wallet,
    statements: &[Statement],
    now: Timestamp,
) -> Finding {
    let mut largest = None;
    let mut rejection = None;
    for statement in statements.iter().filter(|it| it.issuer == issuer && it.ledger == *ledger) {
        match weigh(statement, wallet, now) {
            Ok(amount) => largest = largest.max(Some(amount)),
            Err(reason) => rejection = rejection.max(Some(reason)),
        }
    }
    let no = |detail: &str| Finding::text(Some(false), detail);
    match (largest, rejection) {
        (Some(held), _) => Finding::amount(held, required),
        (None, None) => no(&format!("There is no statement of {issuer} on the ledger {ledger}.")),
        (None, Some(Rejection::OtherWallet)) => no("The statement is about another wallet."),
        (None, Some(Rejection::Expired)) => no("The statement has expired."),
        (None, Some(Rejection::BadSignature)) => no("The statement is not signed by its issuer."),
    }
}

/// The amount that counts for `wallet`. The signature, which takes longest, comes last.
fn weigh(statement: &Statement, wallet: Wallet, now: Timestamp) -> Result<U256, Rejection> {
    if statement.subject != wallet {
        Err(Rejection::OtherWallet)
    } else if statement.is_expired(now) {
        Err(Rejection::Expired)
    } else if statement.verify().is_err() {
        Err(Rejection::BadSignature)
    } else {
        Ok(statement.amount)
    }
}

fn outcome(mode: Mode, answers: &[Option<bool>]) -> Outcome {
    let of = |passes| if passes { Outcome::Passed } else { Outcome::Closed };
    // The answer that settles it, whatever the others are.
    let decisive = mode == Mode::Any;
    if answers.contains(&Some(decisive)) {
        of(decisive)
    } else if answers.contains(&None) {
        Outcome::Undecided
    } else {
        of(!decisive)
    }
}
