//! The Docker Engine of this host, as the runtime that the planner works with.
//!
//! Everything that is made here carries labels, and nothing is touched that does not carry ours.
//! What Docker says is already so (304, 404 on removal, 409 on creation) is success once the labels
//! say that it is ours.

mod apply;
mod ask;
mod backup;
mod container;
mod dump;
mod error;
mod events;
mod exec;
mod first_admin;
mod labels;
mod meters;
mod network;
mod observe;
mod probe;
mod queries;
mod query_space;
mod ready_checks;
mod secrecy;
mod shared;
mod subnet;
mod tenant_logs;
mod update;
mod volumes;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bollard::Docker;
use domain::{SpaceId, Timestamp};
use reconcile::{
    ContainerRuntime, DesiredStack, Exit, Failure, ObservedStack, Readiness, Step, Target,
    UpdateRecord, Waiting,
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, sleep, timeout},
};

use self::exec::Commands;
pub(crate) use self::{
    events::watch,
    labels::{Labels, space as space_of},
    meters::{Meters, Running},
    subnet::Subnets,
    tenant_logs::DockerLogs,
};
pub use self::{
    queries::{Period, Queries, QueryError, SignalValue},
    query_space::{QueryOptions, QuerySpaceError, query_space},
};
use crate::{
    backup::{BackupKey, Shelf},
    files::SpaceFiles,
    releases::Releases,
};

/// How many spaces may have Docker work at once: more would not make it faster.
const SPACES_AT_ONCE: usize = 8;

/// How many images may be pulled at once: they share the line of the host.
const PULLS_AT_ONCE: usize = 2;

/// How many spaces may have commands run in services of the host at once: that may take seconds, and
/// others have commands to run, too.
const PREPARATIONS_AT_ONCE: usize = 4;

/// How many backups may be made at once: they take a core each, and all of the disk.
const BACKUPS_AT_ONCE: usize = 2;

/// How long a wait may take before somebody looks at what else has changed.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How long to wait between two questions to a space at first: a fraction of what its start takes.
const PROBE_PAUSE_MIN: Duration = Duration::from_millis(10);

/// The same for a space that takes its time.
const PROBE_PAUSE_MAX: Duration = Duration::from_millis(250);

/// How long to wait where only Docker can be asked.
const WAIT_PAUSE: Duration = Duration::from_millis(100);

/// The Docker Engine, with what is needed to make stacks on it.
pub(crate) struct Engine {
    docker: Docker,
    labels: Labels,
    releases: Arc<Releases>,
    files: SpaceFiles,
    subnets: Subnets,
    /// Held while a subnet is chosen and taken.
    choosing_subnet: Mutex<()>,
    slots: Semaphore,
    pulls: Semaphore,
    preparations: Semaphore,
    backing_up: Semaphore,
    backups: Backups,
    commands: Commands,
}

/// Where backups go.
pub(crate) struct Backups {
    /// Their folder.
    pub(crate) shelf: Shelf,
    /// What opens them.
    pub(crate) key: BackupKey,
    /// What time it is.
    pub(crate) now: fn() -> Timestamp,
}

impl Engine {
    /// The engine behind `docker`.
    pub(crate) fn new(
        docker: Docker,
        labels: Labels,
        releases: Arc<Releases>,
        files: SpaceFiles,
        subnets: Subnets,
        backups: Backups,
    ) -> Self {
        Self {
            docker,
            labels,
            releases,
            files,
            subnets,
            choosing_subnet: Mutex::new(()),
            slots: Semaphore::new(SPACES_AT_ONCE),
            pulls: Semaphore::new(PULLS_AT_ONCE),
            preparations: Semaphore::new(PREPARATIONS_AT_ONCE),
            backing_up: Semaphore::new(BACKUPS_AT_ONCE),
            backups,
            commands: Commands::new(),
        }
    }

    /// Whether the web service answers well at the place that was observed.
    async fn answers(&self, desired: &DesiredStack, observed: &ObservedStack) -> bool {
        let (Some(web), Some(upstream)) = (&desired.web, observed.upstream) else { return false };
        let host = desired.values.get("SPACE_HOST").map_or("localhost", String::as_str);
        probe::answers(upstream, &web.path, host).await
    }
}

impl ContainerRuntime for Engine {
    async fn observe(&self, desired: &DesiredStack) -> Result<ObservedStack, Failure> {
        let mut observed = {
            let _slot = self.slots.acquire().await.expect("nobody closes it");
            self.observe_stack(desired).await?
        };
        if desired.target == Target::Running && observed.upstream.is_some() {
            let answers = self.answers(desired, &observed).await;
            observed.check_failing = if answers { self.failing_check(desired).await } else { None };
            let is_ready = answers && observed.check_failing.is_none();
            observed.readiness = if is_ready { Readiness::Ready } else { Readiness::NotReady };
        }
        Ok(observed)
    }

    async fn standing(
        &self,
        space: &SpaceId,
    ) -> Result<(Option<String>, Option<UpdateRecord>), Failure> {
        self.standing_of(space)
    }

    async fn observe_all(&self) -> Result<BTreeMap<SpaceId, ObservedStack>, Failure> {
        self.observe_stacks().await
    }

    async fn apply(&self, desired: &DesiredStack, step: &Step) -> Result<(), Failure> {
        let places = match step {
            // In its own time, which is up to the template and costs Docker nothing.
            Step::StopContainer(_) => None,
            // As long as the data is large, and a few of them must not keep all others waiting.
            Step::SaveData | Step::RestoreData => None,
            Step::PullImage(_) => Some(&self.pulls),
            Step::BackUp => Some(&self.backing_up),
            Step::PrepareShared | Step::RemoveShared => Some(&self.preparations),
            _ => Some(&self.slots),
        };
        let _place = match places {
            Some(places) => Some(places.acquire().await.expect("nobody closes it")),
            None => None,
        };
        let began = Instant::now();
        let taken = self.take_step(desired, step).await;
        let (call, duration_ms) = (step.name(), began.elapsed().as_millis());
        tracing::debug!(docker.call = call, duration_ms, is_done = taken.is_ok(), "Docker");
        taken
    }

    async fn wait(
        &self,
        desired: &DesiredStack,
        observed: &ObservedStack,
        waiting: &Waiting,
        waited: Duration,
    ) {
        match waiting {
            // A check costs Docker as much as a start of a program does.
            Waiting::Ready if observed.check_failing.is_some() => sleep(WAIT_MAX).await,
            // Only the space is asked: Docker is not, a hundred times a second.
            Waiting::Ready if observed.upstream.is_some() => {
                let begin = Instant::now();
                let answered = async {
                    while !self.answers(desired, observed).await {
                        sleep(probe_pause(waited.saturating_add(begin.elapsed()))).await;
                    }
                };
                let _ = timeout(WAIT_MAX, answered).await;
            }
            Waiting::Shared(_) => sleep(WAIT_MAX).await,
            Waiting::Ready | Waiting::Healthy(_) | Waiting::Removed(_) => {
                sleep(WAIT_PAUSE).await;
            }
        }
    }

    async fn exit_of(&self, desired: &DesiredStack, service: &str) -> Result<Exit, Failure> {
        self.exit(desired, service).await
    }
}

/// How long to wait before a space is asked again that has been waited for so long: as short as can
/// be in the first second, then doubled with each.
fn probe_pause(waited: Duration) -> Duration {
    let doublings = u32::try_from(waited.as_secs().min(8)).unwrap_or(8);
    PROBE_PAUSE_MIN.saturating_mul(1 << doublings).min(PROBE_PAUSE_MAX)
}

/// A label filter as Docker's lists take it.
fn filters(labels: Vec<String>) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), labels)])
}

#[cfg(test)]
mod tests;
