//! Whatever fails on the way: money that reached us on the chain is credited once, and nothing else
//! is; and who pays is not told that a payment is refused while it may still be settled.
//!
//! Method: a fake chain, a fake facilitator and fake books around the rules. Those who handle a
//! payment do one thing at a time: call somebody, then note what they heard, much later or never. A
//! list drawn by proptest says who goes on and how each call goes. When the list is used up, time
//! passes until the authorization is over, and the chain is looked at one last time.

use std::time::Duration;

use domain::Timestamp;
use proptest::prelude::*;
use x402::{Effect, PaymentEvent, PaymentState, advance};

const LEASE_S: u32 = 60;
/// When the authorization is over.
const VALID_BEFORE_S: u32 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    ForUs,
    Otherwise,
}

/// How a call of a facilitator goes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    SettlesAndSaysSo,
    SettlesAndIsNotHeard,
    SendsAndIsStillWaiting,
    SendsAndIsNotHeard,
    Refuses,
    IsNotReached,
    DoesNothingAndIsNotHeard,
    /// It is broken.
    SendsAndSaysItRefuses,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The payer sends the request, perhaps again.
    Send,
    /// One of those who handle it makes a call, or notes what it heard.
    GoOn(usize, Fate),
    /// One of them looks at a node that is so many moments behind.
    GoOnBehind(usize, usize),
    /// One of them dies.
    Die(usize),
    /// A webhook, true or forged.
    Hint,
    /// The cron job.
    Resume,
    /// What was sent to the chain gets into a block.
    Mine,
    /// The payer uses the nonce for something else.
    UseOtherwise,
    Pass(u32),
}

/// Somebody who handles the payment.
#[derive(Clone, Copy, Debug)]
struct Handler {
    todo: Effect,
    heard: Option<PaymentEvent>,
}

#[derive(Default)]
struct World {
    now_s: u32,
    state: Option<PaymentState>,
    handlers: Vec<Handler>,
    n_credits: u32,
    /// What the chain was at each moment: its time, and how the nonce was used.
    blocks: Vec<(u32, Option<Use>)>,
    is_sent: bool,
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(i64::from(self.now_s) * 1000)
    }

    fn used(&self) -> Option<Use> {
        self.blocks.last().and_then(|it| it.1)
    }

    /// A block with this use of the nonce in it, if it can still be used.
    fn mine(&mut self, used: Use) -> bool {
        let can = self.used().is_none() && self.now_s < VALID_BEFORE_S;
        if can {
            self.blocks.push((self.now_s, Some(used)));
        }
        can
    }

    fn note(&mut self, event: PaymentEvent) {
        let Some(next) = advance(self.state, event) else { return };
        self.state = Some(next.state);
        match next.effect {
            Effect::Credit => self.n_credits += 1,
            Effect::Nothing | Effect::Wait => {}
            todo => self.handlers.push(Handler { todo, heard: None }),
        }
    }

    /// What the chain says, to one whose node is so many moments behind.
    fn look(&self, n_behind: usize) -> PaymentEvent {
        let index = self.blocks.len().saturating_sub(1).saturating_sub(n_behind);
        match self.blocks[index] {
            (_, Some(Use::ForUs)) => PaymentEvent::ChainUsedForUs,
            (_, Some(Use::Otherwise)) => PaymentEvent::ChainUsedOtherwise,
            (time_s, None) if VALID_BEFORE_S < time_s => PaymentEvent::ChainExpired,
            _ => PaymentEvent::ChainUnused,
        }
    }

    /// What one hears of a facilitator. `None`: that the nonce is used.
    fn ask(&mut self, fate: Fate) -> Option<PaymentEvent> {
        use PaymentEvent as E;

        let is_open = self.used().is_none() && self.now_s < VALID_BEFORE_S;
        Some(match fate {
            Fate::IsNotReached => E::NothingSent,
            Fate::DoesNothingAndIsNotHeard => E::OutcomeUnknown,
            Fate::Refuses => E::FacilitatorRefused,
            _ if self.used().is_some() => return None,
            _ if !is_open => E::FacilitatorRefused,
            Fate::SettlesAndSaysSo => {
                self.mine(Use::ForUs);
                E::FacilitatorSettled
            }
            Fate::SettlesAndIsNotHeard => {
                self.mine(Use::ForUs);
                E::OutcomeUnknown
            }
            Fate::SendsAndIsStillWaiting | Fate::SendsAndIsNotHeard => {
                self.is_sent = true;
                E::OutcomeUnknown
            }
            Fate::SendsAndSaysItRefuses => {
                self.is_sent = true;
                E::FacilitatorRefused
            }
        })
    }

    fn go_on(&mut self, index: usize, fate: Fate, n_behind: usize) {
        if self.handlers.is_empty() {
            return;
        }
        let index = index % self.handlers.len();
        let mut handler = self.handlers.swap_remove(index);
        if let Some(event) = handler.heard {
            self.note(event);
            return;
        }
        let heard = match handler.todo {
            Effect::Ask => self.ask(fate),
            _ => Some(self.look(n_behind)),
        };
        match (handler.todo, heard) {
            (Effect::LookThenAsk, Some(PaymentEvent::ChainUnused)) => handler.todo = Effect::Ask,
            (_, None) => handler.todo = Effect::Look,
            (_, heard) => handler.heard = heard,
        }
        self.handlers.push(handler);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send => {
                let lease = Duration::from_secs(LEASE_S.into());
                self.note(PaymentEvent::Asked { now: self.now(), lease });
            }
            Step::GoOn(index, fate) => self.go_on(index, fate, 0),
            Step::GoOnBehind(index, n_behind) => {
                self.go_on(index, Fate::DoesNothingAndIsNotHeard, n_behind);
            }
            Step::Die(index) if !self.handlers.is_empty() => {
                let index = index % self.handlers.len();
                self.handlers.swap_remove(index);
            }
            Step::Die(_) => {}
            Step::Hint => self.note(PaymentEvent::Hinted),
            Step::Resume => self.note(PaymentEvent::Resumed { now: self.now() }),
            Step::Mine => {
                if self.is_sent {
                    self.mine(Use::ForUs);
                }
            }
            Step::UseOtherwise => {
                self.mine(Use::Otherwise);
            }
            Step::Pass(seconds) => {
                self.now_s += seconds;
                let used = self.used();
                self.blocks.push((self.now_s, used));
            }
        }
    }

    /// Everybody finishes, the time is over, and the cron job comes by.
    fn come_to_rest(&mut self) {
        self.step(Step::Pass(VALID_BEFORE_S + LEASE_S + 120));
        self.step(Step::Resume);
        while !self.handlers.is_empty() {
            self.step(Step::GoOn(0, Fate::IsNotReached));
        }
        // Somebody may have noted something old last.
        self.step(Step::Resume);
        while !self.handlers.is_empty() {
            self.step(Step::GoOn(0, Fate::IsNotReached));
        }
    }

    /// What is true at any moment, said without the rules.
    fn check(&self) {
        let is_settled = self.state == Some(PaymentState::Settled);
        assert_eq!(self.n_credits, u32::from(is_settled), "credited once, and then it is settled");
        assert!(
            !is_settled || self.used() == Some(Use::ForUs),
            "nothing is credited that is not ours"
        );
    }
}

fn fate(of_honest: bool) -> BoxedStrategy<Fate> {
    let honest = prop_oneof![
        Just(Fate::SettlesAndSaysSo),
        Just(Fate::SettlesAndIsNotHeard),
        Just(Fate::SendsAndIsStillWaiting),
        Just(Fate::SendsAndIsNotHeard),
        Just(Fate::Refuses),
        Just(Fate::IsNotReached),
        Just(Fate::DoesNothingAndIsNotHeard),
    ];
    if of_honest {
        honest.boxed()
    } else {
        prop_oneof![7 => honest, 1 => Just(Fate::SendsAndSaysItRefuses)].boxed()
    }
}

fn steps(of_honest: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Send),
        12 => (0..4_usize, fate(of_honest)).prop_map(|(index, fate)| Step::GoOn(index, fate)),
        2 => (0..4_usize, 0..4_usize).prop_map(|(index, behind)| Step::GoOnBehind(index, behind)),
        1 => (0..4_usize).prop_map(Step::Die),
        1 => Just(Step::Hint),
        2 => Just(Step::Resume),
        2 => Just(Step::Mine),
        1 => Just(Step::UseOtherwise),
        3 => (1..100_u32).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..40)
}

fn run(steps: &[Step], mut check: impl FnMut(&World)) -> World {
    let mut world = World { blocks: vec![(0, None)], ..World::default() };
    for step in steps {
        world.step(*step);
        world.check();
        check(&world);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_reached_us_is_credited_once_and_nothing_else_is(steps in steps(false)) {
        let mut world = run(&steps, |_| {});
        world.come_to_rest();
        world.check();
        let want = match world.used() {
            _ if world.state.is_none() => None,
            Some(Use::ForUs) => Some(PaymentState::Settled),
            Some(Use::Otherwise) | None => Some(PaymentState::Refused),
        };
        prop_assert_eq!(world.state, want, "{:?}", world.blocks);
        // Nobody but a facilitator who was asked sends anything to us.
        prop_assert!(world.state.is_some() || world.used() != Some(Use::ForUs));
    }

    #[test]
    fn nobody_is_told_to_pay_again_while_a_payment_may_go_through(steps in steps(true)) {
        run(&steps, |world| {
            let may_go_through = match world.used() {
                Some(it) => it == Use::ForUs,
                None => world.is_sent && world.now_s < VALID_BEFORE_S,
            };
            let is_refused = world.state == Some(PaymentState::Refused);
            assert!(!is_refused || !may_go_through, "{steps:?}");
        });
    }
}
