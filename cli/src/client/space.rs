//! A space as the edge shows it, and waiting for it.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, bail};
use domain::{Generation, Phase, StepRecord, StepState, Timestamp};
use reqwest::StatusCode;
use serde::Deserialize;

use super::{Api, ApiError};
use crate::output;

/// How long to wait before looking again.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// How often in a row an edge may fail to answer while a space is waited for: it may be restarting.
const FAILURES_MAX: u32 = 25;

/// The fields of a space that are shown here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct SpaceView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) app: String,
    pub(crate) version: Option<String>,
    pub(crate) update: Option<UpdateView>,
    pub(crate) title: String,
    pub(crate) owner: String,
    pub(crate) phase: Phase,
    pub(crate) generation: Generation,
    pub(crate) observed_generation: Generation,
    pub(crate) reason: Option<String>,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) host: String,
    pub(crate) created_at: Timestamp,
}

/// The release that a space can be updated to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct UpdateView {
    pub(crate) version: String,
}

/// What a space is waited for to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// It answers.
    Running,
    /// It answers, and what was wanted with this generation came to an end.
    Settled(Generation),
    /// It is gone.
    Deleted,
}

/// What to do after a look at a space.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Reached,
    Missed(String),
    NotYet,
}

impl Goal {
    fn judge(self, space: &SpaceView) -> Outcome {
        let reason = || space.reason.clone().unwrap_or_else(|| "no reason was given".to_owned());
        match (self, space.phase) {
            (Self::Running, Phase::Running) | (Self::Deleted, Phase::Deleted) => Outcome::Reached,
            (Self::Settled(it), Phase::Running) if it <= space.observed_generation => {
                Outcome::Reached
            }
            (Self::Running | Self::Settled(_), Phase::Failed) => {
                Outcome::Missed(format!("{} could not be started: {}", space.name, reason()))
            }
            (Self::Running | Self::Settled(_), Phase::Deleting | Phase::Deleted) => {
                Outcome::Missed(format!("{} was deleted meanwhile", space.name))
            }
            (Self::Running | Self::Settled(_), Phase::Suspending | Phase::Suspended) => {
                Outcome::Missed(format!("{} is suspended: {}", space.name, reason()))
            }
            _ => Outcome::NotYet,
        }
    }
}

/// Waits until the space `id` is what it should be, and tells each step as it is done.
///
/// # Errors
/// If it will not get there, or the edge stays away.
pub(crate) async fn wait_for(api: &Api, id: &str, goal: Goal) -> anyhow::Result<()> {
    let mut told = Told::default();
    let mut n_failures = 0;
    loop {
        match api.get::<SpaceView>(&format!("/v1/spaces/{id}")).await {
            Ok(space) => {
                n_failures = 0;
                told.tell(&space).iter().for_each(output::note);
                match goal.judge(&space) {
                    Outcome::Reached => return Ok(()),
                    Outcome::Missed(why) => bail!(why),
                    Outcome::NotYet => (),
                }
            }
            Err(ApiError::Refused { status: StatusCode::NOT_FOUND, .. })
                if goal == Goal::Deleted =>
            {
                return Ok(());
            }
            Err(error @ ApiError::Refused { status, .. }) if !status.is_server_error() => {
                return Err(error).context("cannot look at the space");
            }
            Err(error) if n_failures == FAILURES_MAX => {
                return Err(error).context("cannot look at the space");
            }
            Err(_) => n_failures += 1,
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

/// What of the progress a person knows already.
#[derive(Default)]
struct Told {
    steps: BTreeSet<(String, Timestamp)>,
    reason: Option<String>,
}

impl Told {
    /// The lines for what is new.
    fn tell(&mut self, space: &SpaceView) -> Vec<String> {
        let mut lines = Vec::new();
        for step in &space.steps {
            let Some(ended_at) = step.ended_at.filter(|_| step.state != StepState::Running) else {
                continue;
            };
            if self.steps.insert((step.name.clone(), ended_at)) {
                let outcome =
                    if step.state == StepState::Failed { "failed after" } else { "done in" };
                let seconds = ended_at.since(step.started_at).as_secs_f64();
                lines.push(format!("  {:<24} {outcome} {seconds:.2} s", step.name));
            }
        }
        // Why a space that is not given up yet does not get on.
        if space.phase != Phase::Failed && space.reason != self.reason {
            self.reason.clone_from(&space.reason);
            lines.extend(self.reason.iter().map(|it| format!("  {it}")));
        }
        lines
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn space(phase: Phase, reason: Option<&str>) -> SpaceView {
        SpaceView {
            id: "spc_01ARYZ6S41ZZZZZZZZZZZZZZZZ".to_owned(),
            name: "garden".to_owned(),
            url: "http://garden.localhost:8080".to_owned(),
            app: "hello".to_owned(),
            version: Some("1.0".to_owned()),
            update: Some(UpdateView { version: "1.1".to_owned() }),
            title: "Garden".to_owned(),
            owner: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".to_owned(),
            phase,
            generation: Generation(2),
            observed_generation: Generation(1),
            reason: reason.map(str::to_owned),
            steps: Vec::new(),
            host: "local".to_owned(),
            created_at: Timestamp::from_unix_ms(0),
        }
    }

    #[test]
    fn when_to_stop_waiting() {
        let missed = |why: &str| Outcome::Missed(why.to_owned());
        #[rustfmt::skip]
        let rows = [
            (Goal::Running, Phase::Pending,      None,      Outcome::NotYet),
            (Goal::Running, Phase::Provisioning, Some("x"), Outcome::NotYet),
            (Goal::Running, Phase::Waking,       None,      Outcome::NotYet),
            (Goal::Running, Phase::Running,      None,      Outcome::Reached),
            (Goal::Running, Phase::Failed,       Some("out of memory"), missed("garden could not be started: out of memory")),
            (Goal::Running, Phase::Failed,       None,      missed("garden could not be started: no reason was given")),
            (Goal::Running, Phase::Deleting,     None,      missed("garden was deleted meanwhile")),
            (Goal::Running, Phase::Suspended,    Some("unpaid"), missed("garden is suspended: unpaid")),
            (Goal::Settled(Generation(1)), Phase::Running, None, Outcome::Reached),
            (Goal::Settled(Generation(2)), Phase::Running, None, Outcome::NotYet),
            (Goal::Deleted, Phase::Deleting,     Some("x"), Outcome::NotYet),
            (Goal::Deleted, Phase::Failed,       Some("x"), Outcome::NotYet),
            (Goal::Deleted, Phase::Deleted,      None,      Outcome::Reached),
        ];
        for (goal, phase, reason, want) in rows {
            assert_eq!(goal.judge(&space(phase, reason)), want, "{goal:?} {phase:?}");
        }
    }

    #[test]
    fn each_step_is_told_once_when_it_ends() {
        let at = Timestamp::from_unix_ms;
        let step = |state, ended_at| StepRecord {
            name: "start-web".to_owned(),
            state,
            started_at: at(1000),
            ended_at,
        };
        let mut told = Told::default();
        let mut look = |steps: &[StepRecord], reason| {
            let mut space = space(Phase::Provisioning, reason);
            space.steps = steps.to_vec();
            told.tell(&space)
        };
        assert!(look(&[step(StepState::Running, None)], None).is_empty());
        let failed = step(StepState::Failed, Some(at(2500)));
        let lines = look(std::slice::from_ref(&failed), Some("no room"));
        assert_eq!(lines, ["  start-web                failed after 1.50 s", "  no room"]);
        assert!(look(std::slice::from_ref(&failed), Some("no room")).is_empty());
        let lines = look(&[failed, step(StepState::Done, Some(at(2750)))], None);
        assert_eq!(lines, ["  start-web                done in 1.75 s"]);
    }
}
