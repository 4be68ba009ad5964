//! Every event in every state.

use std::time::Duration;

use domain::Timestamp;
use x402::{Effect, PaymentEvent as E, PaymentState as S, Transition, advance};

const LEASE: Duration = Duration::from_mins(1);

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(second * 1000)
}

/// The states, with a lease that is over at 100.
fn states() -> [(&'static str, Option<S>); 6] {
    let settling = |is_in_doubt| Some(S::Settling { until: at(100), is_in_doubt });
    [
        ("new", None),
        ("settling", settling(false)),
        ("settling in doubt", settling(true)),
        ("unknown", Some(S::Unknown)),
        ("refused", Some(S::Refused)),
        ("settled", Some(S::Settled)),
    ]
}

fn events() -> [(&'static str, E); 13] {
    [
        ("asked at 99", E::Asked { now: at(99), lease: LEASE }),
        ("asked at 100", E::Asked { now: at(100), lease: LEASE }),
        ("resumed at 99", E::Resumed { now: at(99) }),
        ("resumed at 100", E::Resumed { now: at(100) }),
        ("facilitator settled", E::FacilitatorSettled),
        ("facilitator refused", E::FacilitatorRefused),
        ("nothing sent", E::NothingSent),
        ("outcome unknown", E::OutcomeUnknown),
        ("chain: for us", E::ChainUsedForUs),
        ("chain: otherwise", E::ChainUsedOtherwise),
        ("chain: expired", E::ChainExpired),
        ("chain: unused", E::ChainUnused),
        ("hinted", E::Hinted),
    ]
}

fn name(state: S) -> String {
    match state {
        S::Settling { until, is_in_doubt } => {
            let doubt = if is_in_doubt { " in doubt" } else { "" };
            format!("settling{doubt} until {}", until.unix_s())
        }
        other => format!("{other:?}").to_lowercase(),
    }
}

#[test]
fn the_whole_table() {
    let mut got = String::new();
    for (state_name, state) in states() {
        for (event_name, event) in events() {
            let line = match advance(state, event) {
                Some(Transition { state, effect }) => format!("{}, {effect:?}", name(state)),
                None => "impossible".to_owned(),
            };
            got += &[state_name, " + ", event_name, " = ", &line, "\n"].concat();
        }
        got.push('\n');
    }
    assert_eq!(got.trim_end(), include_str!("states.txt").trim_end());
}

#[test]
fn only_what_leads_to_settled_credits_and_nothing_leads_away_from_it() {
    for (_, state) in states() {
        for (_, event) in events() {
            let Some(next) = advance(state, event) else { continue };
            let is_new = next.state == S::Settled && state != Some(S::Settled);
            assert_eq!(next.effect == Effect::Credit, is_new, "{state:?} {event:?}");
            assert!(state != Some(S::Settled) || next.state == S::Settled, "{event:?}");
        }
    }
}

#[test]
fn of_four_that_ask_at_once_one_asks_the_facilitator() {
    let asked = E::Asked { now: at(0), lease: LEASE };
    let (mut state, mut effects) = (None, Vec::new());
    for _ in 0..4 {
        let next = advance(state, asked).unwrap();
        state = Some(next.state);
        effects.push(next.effect);
    }
    assert_eq!(effects, [Effect::Ask, Effect::Wait, Effect::Wait, Effect::Wait]);
}
