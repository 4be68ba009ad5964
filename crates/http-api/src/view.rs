//! Spaces and events as clients see them.

use domain::{
    CustomDomain, Desired, Generation, Money, Phase, SpaceId, SpaceName, StepRecord, Timestamp,
    Wallet,
};
use gate::{Mode, RuleVerdict};
use records::{Answer, EventRecord, SpaceRecord};
use serde::Serialize;

use crate::{admission::Admission, config::Config};

/// A space as clients see it.
#[derive(Debug, Serialize)]
pub(crate) struct SpaceView<'a> {
    id: &'a SpaceId,
    name: &'a SpaceName,
    url: String,
    app: &'a str,
    /// What people call the release of the app that is wanted; null for one that is not known.
    version: Option<&'a str>,
    /// The release that it can be updated to.
    update: Option<UpdateView<'a>>,
    title: &'a str,
    owner: Wallet,
    members: Vec<MemberView<'a>>,
    phase: Phase,
    desired: Desired,
    generation: Generation,
    observed_generation: Generation,
    reason: Option<&'a str>,
    steps: &'a [StepRecord],
    /// The custom domains it is reached at, too.
    domains: &'a [CustomDomain],
    host: &'a str,
    balance: Money,
    /// Until when the balance pays for it; null if it costs nothing.
    paid_until: Option<Timestamp>,
    next_wake_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct UpdateView<'a> {
    version: &'a str,
}

#[derive(Debug, Serialize)]
struct MemberView<'a> {
    address: Wallet,
    role: &'a str,
}

impl<'a> SpaceView<'a> {
    /// How clients see `space`.
    pub(crate) fn of(space: &'a SpaceRecord, config: &Config) -> Self {
        let members = space.members.iter();
        Self {
            id: &space.id,
            name: &space.name,
            url: config.space_url(&space.name, space.gateway_url.as_deref()),
            app: &space.app,
            version: space.version.as_deref(),
            update: space.update.as_ref().map(|it| UpdateView { version: &it.version }),
            title: &space.title,
            owner: space.owner,
            members: members.map(|it| MemberView { address: it.wallet, role: &it.role }).collect(),
            phase: space.phase,
            desired: space.desired,
            generation: space.generation,
            observed_generation: space.observed_generation,
            reason: space.reason.as_deref(),
            steps: &space.steps,
            domains: &space.domains,
            host: &space.host,
            balance: space.balance,
            paid_until: space.paid_until(&config.rates_in_force()),
            next_wake_at: None,
            created_at: space.created_at,
            updated_at: space.updated_at,
        }
    }
}

/// The answer to a request whose work on `space` goes on after it.
pub(crate) fn accepted(space: &SpaceRecord, config: &Config) -> Answer {
    let view = SpaceView::of(space, config);
    Answer {
        status: 202,
        location: Some(format!("/v1/spaces/{}", space.id)),
        body: serde_json::to_string(&view).expect("a view is plain data"),
    }
}

/// An event as clients see it.
#[derive(Debug, Serialize)]
pub(crate) struct EventView {
    pub(crate) seq: u64,
    at: Timestamp,
    pub(crate) kind: String,
    actor: String,
    detail: serde_json::Value,
}

impl From<EventRecord> for EventView {
    fn from(event: EventRecord) -> Self {
        let EventRecord { seq, at, kind, actor, detail } = event;
        Self { seq, at, kind, actor, detail }
    }
}

/// Why the gate is closed, beside the other fields of the problem.
#[derive(Serialize)]
pub(crate) struct GateClosedView<'a> {
    mode: Mode,
    rules: &'a [RuleVerdict],
    checked_at: Timestamp,
    cached: bool,
}

impl<'a> GateClosedView<'a> {
    pub(crate) fn of(admission: &'a Admission) -> Self {
        Self {
            mode: admission.verdict.mode,
            rules: &admission.verdict.rules,
            checked_at: admission.checked_at,
            cached: admission.is_cached,
        }
    }
}
