//! The life of a payment: what may happen to it, and what is to be done then.
//!
//! ```text
//!            asked, nobody else is about it
//!   (new) ───────────────► settling ──── the facilitator says yes ───► settled, credited
//!                          ▲  │  │                                        ▲
//!                  asked   │  │  └── no, or nothing was sent ► refused ───┤ the chain says:
//!                  again   │  └───── no clear answer ────────► unknown ───┘ used for us
//! ```
//!
//! Whoever is told of a payment may be wrong, late, or die before it has noted anything. So every
//! event is possible in every state; only `settled` is final, and what leads to it credits. A payment
//! that is `refused` may be tried again, and may turn out to be settled after all. While an earlier
//! attempt may have gone through, a facilitator's no leaves it `unknown`: the chain decides.

use std::time::Duration;

use domain::Timestamp;

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Somebody is asking a facilitator.
    Settling {
        /// Until then nobody else does.
        until: Timestamp,
        /// Whether it was asked for before, without a clear answer.
        is_in_doubt: bool,
    },
    /// Nobody knows whether it was settled.
    Unknown,
    /// It was not settled, as far as anybody knows.
    Refused,
    /// It was settled, and its money is in the books.
    Settled,
}

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// It came with a request.
    Asked {
        /// When.
        now: Timestamp,
        /// How long it may take to ask a facilitator.
        lease: Duration,
    },
    /// Somebody looks whether the one who was asking is gone.
    Resumed {
        /// When.
        now: Timestamp,
    },
    /// The facilitator has settled it.
    FacilitatorSettled,
    /// The facilitator has not.
    FacilitatorRefused,
    /// The facilitator was not asked, for sure.
    NothingSent,
    /// The facilitator may have settled it.
    OutcomeUnknown,
    /// On the chain its nonce was used, for a transfer to us.
    ChainUsedForUs,
    /// On the chain its nonce was used otherwise, or before we had heard of it.
    ChainUsedOtherwise,
    /// On the chain its nonce is unused, and its time is over.
    ChainExpired,
    /// On the chain its nonce is unused, and its time is not over.
    ChainUnused,
    /// Somebody says that something happened to it.
    Hinted,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Ask a facilitator.
    Ask,
    /// Look at the chain. If it says nothing for sure, ask a facilitator.
    LookThenAsk,
    /// Look at the chain.
    Look,
    /// Let the one who is asking finish.
    Wait,
    /// Credit the money, together with the change of state.
    Credit,
}

/// What an event leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state after it.
    pub state: PaymentState,
    /// What is to be done.
    pub effect: Effect,
}

/// What `event` does to a payment. `None` is a payment that nobody has heard of, which comes to be
/// by [`PaymentEvent::Asked`] alone.
#[must_use]
pub fn advance(state: Option<PaymentState>, event: PaymentEvent) -> Option<Transition> {
    use PaymentEvent as E;
    use PaymentState as S;

    let to = |state, effect| Some(Transition { state, effect });
    let settling =
        |now: Timestamp, lease, is_in_doubt| S::Settling { until: now.plus(lease), is_in_doubt };
    let Some(state) = state else {
        let E::Asked { now, lease } = event else { return None };
        return to(settling(now, lease, false), Effect::Ask);
    };
    match (state, event) {
        // Final.
        (S::Settled, _) => to(S::Settled, Effect::Nothing),

        (S::Settling { until, .. }, E::Asked { now, .. }) if now < until => to(state, Effect::Wait),
        // Whoever was asking is gone, and may have been heard.
        (S::Settling { .. } | S::Unknown, E::Asked { now, lease }) => {
            to(settling(now, lease, true), Effect::LookThenAsk)
        }
        // Whoever refused it may have been wrong.
        (S::Refused, E::Asked { now, lease }) => {
            to(settling(now, lease, false), Effect::LookThenAsk)
        }

        (S::Settling { until, .. }, E::Resumed { now }) if until <= now => {
            to(S::Unknown, Effect::Look)
        }
        (S::Settling { .. }, E::Resumed { .. }) => to(state, Effect::Wait),
        (S::Unknown | S::Refused, E::Resumed { .. }) => to(state, Effect::Look),

        (_, E::FacilitatorSettled | E::ChainUsedForUs) => to(S::Settled, Effect::Credit),
        (_, E::ChainUsedOtherwise | E::ChainExpired) => to(S::Refused, Effect::Nothing),

        // It was refused this time. Who pays must not be told to pay again before it is known what
        // became of it the time before.
        (S::Settling { is_in_doubt: true, .. } | S::Unknown, E::FacilitatorRefused) => {
            to(S::Unknown, Effect::Look)
        }
        (S::Settling { is_in_doubt: false, .. } | S::Refused, E::FacilitatorRefused) => {
            to(S::Refused, Effect::Nothing)
        }

        // This time nothing happened, and what happened before is as unclear as it was.
        (S::Settling { is_in_doubt: true, .. } | S::Unknown, E::NothingSent) => {
            to(S::Unknown, Effect::Nothing)
        }
        (S::Settling { is_in_doubt: false, .. } | S::Refused, E::NothingSent) => {
            to(S::Refused, Effect::Nothing)
        }
        (_, E::OutcomeUnknown) => to(S::Unknown, Effect::Look),

        (_, E::ChainUnused) => to(state, Effect::Nothing),
        // It proves nothing.
        (_, E::Hinted) => to(state, Effect::Look),
    }
}
