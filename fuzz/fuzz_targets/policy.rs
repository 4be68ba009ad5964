//! Any text as a policy: what is read can be judged, nobody passes for want of an answer, and an
//! error is one line.

#![no_main]

use domain::{Timestamp, Wallet};
use gate::{Kind, Mode, Outcome, Policy, Readings, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n'), "{text:?} gives {line:?}");
            return;
        }
    };
    assert_eq!(Policy::parse(text).map(|it| it.fingerprint()), Ok(policy.fingerprint()));

    // Nobody has this address, and no chain was asked.
    let nobody = Wallet::from(alloy_primitives::Address::ZERO);
    let verdict = judge(&policy, nobody, &Readings::default(), &[], Timestamp::from_unix_ms(0));
    assert_ne!(verdict.outcome, Outcome::Passed, "{text:?}");
    assert!((1..=Policy::N_RULES_MAX).contains(&verdict.rules.len()), "{text:?}");
    let is_known = |kind| matches!(kind, Kind::Allowlist | Kind::Attestation);
    let is_closed = match policy.mode() {
        Mode::All => verdict.rules.iter().any(|it| is_known(it.kind)),
        Mode::Any => verdict.rules.iter().all(|it| is_known(it.kind)),
    };
    assert_eq!(verdict.outcome == Outcome::Closed, is_closed, "{text:?}");
});
