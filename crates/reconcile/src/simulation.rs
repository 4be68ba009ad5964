//! A container runtime in memory, for tests: it keeps what it is told, and fails when told to.

mod data;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{Generation, SpaceId, Timestamp};

use self::data::{Data, loses, write};
use crate::{
    ContainerRuntime, Dependency, DesiredStack, Exit, Failure, Health, ObservedContainer,
    ObservedStack, Readiness, RunState, ServiceWish, SharedState, Step, Target, UpdateRecord,
    UpdateState, Waiting, Web,
};

/// What becomes of the next effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It works.
    Works,
    /// It fails, and nothing has happened.
    FailsBefore,
    /// It happens, and the answer is lost.
    FailsAfter,
}

/// How often the runtime was asked for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Observations of one space.
    pub observe: usize,
    /// Observations of all.
    pub observe_all: usize,
    /// Steps.
    pub apply: usize,
}

/// The runtime.
#[derive(Debug, Default)]
pub struct Simulation {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stacks: BTreeMap<SpaceId, ObservedStack>,
    images: BTreeSet<String>,
    broken: BTreeSet<String>,
    data: BTreeMap<SpaceId, Data>,
    fates: VecDeque<Fate>,
    calls: Calls,
    removed_data: bool,
    lost_data: bool,
}

impl Simulation {
    /// A runtime that has the image of [`stack`]'s services.
    #[must_use]
    pub fn new() -> Self {
        let it = Self::default();
        it.add_image("app:1");
        it
    }

    /// From now on it has this image.
    pub fn add_image(&self, image: &str) {
        self.state().images.insert(image.to_owned());
    }

    /// What becomes of the next effects; those after them work.
    pub fn fates(&self, fates: impl IntoIterator<Item = Fate>) {
        self.state().fates.extend(fates);
    }

    /// From now on no web service of `space` becomes ready.
    pub fn break_space(&self, space: &SpaceId) {
        self.state().broken.insert(space.to_string());
    }

    /// From now on no web service of this release becomes ready.
    pub fn break_release(&self, release: &str) {
        self.state().broken.insert(release.to_owned());
    }

    /// The releases that have written to the volumes of `space`, in that order.
    #[must_use]
    pub fn written_by(&self, space: &SpaceId) -> Vec<String> {
        self.state().data.get(space).map(|it| it.written_by.clone()).unwrap_or_default()
    }

    /// What is there of `space`.
    #[must_use]
    pub fn stack(&self, space: &SpaceId) -> ObservedStack {
        self.state().stacks.get(space).cloned().unwrap_or_default()
    }

    /// Changes what is there of `space` behind everybody's back.
    pub fn meddle(&self, space: &SpaceId, change: impl FnOnce(&mut ObservedStack)) {
        change(self.state().stacks.entry(space.clone()).or_default());
    }

    /// How often it was asked, since the last time this was asked.
    #[must_use]
    pub fn take_calls(&self) -> Calls {
        std::mem::take(&mut self.state().calls)
    }

    /// Whether a volume was removed.
    #[must_use]
    pub fn has_removed_data(&self) -> bool {
        self.state().removed_data
    }

    /// Whether a volume, or what a service of the host kept, was removed that was somebody's and was
    /// not backed up as it was then.
    #[must_use]
    pub fn has_lost_data(&self) -> bool {
        self.state().lost_data
    }

    /// The releases whose writing is in the final backup of `space`, if there is one.
    #[must_use]
    pub fn backup_of(&self, space: &SpaceId) -> Option<Vec<String>> {
        self.state().data.get(space)?.backup.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ContainerRuntime for Simulation {
    async fn observe(&self, desired: &DesiredStack) -> Result<ObservedStack, Failure> {
        let mut state = self.state();
        state.calls.observe += 1;
        let mut observed = state.stacks.get(&desired.space).cloned().unwrap_or_default();
        let is_made = |service: &str| {
            let release = observed.container(service).and_then(|it| it.release.as_ref());
            release == Some(&desired.release)
        };
        let missing = desired
            .services
            .iter()
            .filter(|it| !is_made(&it.name) && !state.images.contains(&it.image));
        observed.images_missing = missing.map(|it| it.name.clone()).collect();
        for name in &desired.shared {
            let seen = observed.shared.entry(name.clone()).or_default();
            seen.is_ready = true;
        }
        observed.upstream = Some(upstream());
        let runs = |service: &str| {
            observed.container(service).is_some_and(|it| it.state == RunState::Running)
        };
        observed.readiness = match &desired.web {
            Some(web) if desired.target == Target::Running => {
                let is_broken = state.broken.contains(desired.space.as_str())
                    || state.broken.contains(&desired.release);
                if runs(&web.service) && !is_broken {
                    Readiness::Ready
                } else {
                    Readiness::NotReady
                }
            }
            _ => Readiness::Unknown,
        };
        Ok(observed)
    }

    async fn standing(
        &self,
        space: &SpaceId,
    ) -> Result<(Option<String>, Option<UpdateRecord>), Failure> {
        let stack = self.stack(space);
        Ok((stack.release, stack.update))
    }

    async fn observe_all(&self) -> Result<BTreeMap<SpaceId, ObservedStack>, Failure> {
        let mut state = self.state();
        state.calls.observe_all += 1;
        Ok(state.stacks.iter().filter(|(_, it)| !it.is_empty()).map(owned).collect())
    }

    async fn apply(&self, desired: &DesiredStack, step: &Step) -> Result<(), Failure> {
        let mut state = self.state();
        state.calls.apply += 1;
        let fate = state.fates.pop_front().unwrap_or(Fate::Works);
        let failure =
            Failure::Docker { doing: step.name(), said: "it was told to fail".to_owned() };
        if fate == Fate::FailsBefore {
            return Err(failure);
        }
        if let Step::PullImage(service) = step {
            let image = desired.services.iter().find(|it| it.name == *service);
            let image = image.map(|it| it.image.clone()).unwrap_or_default();
            return Err(Failure::ImageNotFound { image, said: "no registry".to_owned() });
        }
        state.removed_data |= matches!(step, Step::RemoveVolume(_));
        let State { stacks, data, lost_data, .. } = &mut *state;
        let data = data.entry(desired.space.clone()).or_default();
        let stack = stacks.entry(desired.space.clone()).or_default();
        *lost_data |= loses(data, stack, step);
        write(data, desired, step);
        change(stack, desired, step);
        if fate == Fate::FailsAfter { Err(failure) } else { Ok(()) }
    }

    async fn wait(
        &self,
        desired: &DesiredStack,
        _: &ObservedStack,
        waiting: &Waiting,
        _: Duration,
    ) {
        let mut state = self.state();
        let Some(stack) = state.stacks.get_mut(&desired.space) else { return };
        match waiting {
            Waiting::Ready | Waiting::Shared(_) => {}
            Waiting::Healthy(service) => {
                for it in stack.containers.iter_mut().filter(|it| it.service == *service) {
                    it.health = Health::Healthy;
                }
            }
            Waiting::Removed(service) => stack.containers.retain(|it| it.service != *service),
        }
    }

    async fn exit_of(&self, _: &DesiredStack, _: &str) -> Result<Exit, Failure> {
        Ok(Exit { code: 1, ..Exit::default() })
    }
}

fn owned((space, stack): (&SpaceId, &ObservedStack)) -> (SpaceId, ObservedStack) {
    (space.clone(), stack.clone())
}

fn change(stack: &mut ObservedStack, desired: &DesiredStack, step: &Step) {
    let generation = desired.generation;
    let mut set = |service: &str, state: RunState| {
        for it in stack.containers.iter_mut().filter(|it| it.service == service) {
            it.state = state;
        }
    };
    match step {
        Step::WriteSecrets => (stack.has_secrets, stack.has_files) = (true, true),
        Step::CreateNetwork => stack.has_network = true,
        Step::CreateVolume(volume) => _ = stack.volumes.insert(volume.clone()),
        Step::PullImage(_) => {}
        Step::CreateContainer(service) => {
            if stack.container(service).is_none() {
                let (service, state) = (service.clone(), RunState::Created);
                let (health, release) = (Health::Starting, Some(desired.release.clone()));
                let container = ObservedContainer { service, generation, release, state, health };
                stack.containers.push(container);
            }
        }
        Step::StartContainer(service) | Step::UnpauseContainer(service) => {
            set(service, RunState::Running);
        }
        Step::ConnectShared(name) => {
            let connected = SharedState { is_connected: true, is_ready: true };
            stack.shared.insert(name.clone(), connected);
        }
        Step::DisconnectShared(name) => _ = stack.shared.remove(name),
        Step::PrepareShared => (stack.is_prepared, stack.has_files) = (true, true),
        Step::RemoveShared => stack.is_prepared = false,
        Step::CreateFirstAdmin => (stack.has_first_admin, stack.has_files) = (true, true),
        Step::MarkReady => {
            (stack.was_ready, stack.has_files) = (true, true);
            stack.release.get_or_insert_with(|| desired.release.clone());
        }
        Step::SaveData | Step::CommitUpdate | Step::RejectUpdate(_) | Step::RestoreData => {
            change_release(stack, desired, step);
        }
        Step::BackUp => {
            assert!(
                stack.containers.iter().all(|it| !it.is_alive()),
                "what runs may write while it is backed up"
            );
            (stack.final_backup, stack.has_files) = (Some(generation), true);
        }
        Step::StopContainer(service) => set(service, RunState::Exited),
        Step::RemoveContainer(service) => stack.containers.retain(|it| it.service != *service),
        Step::RemoveNetwork => stack.has_network = false,
        Step::RemoveVolume(volume) => _ = stack.volumes.remove(volume),
        Step::RemoveFiles => {
            (stack.has_files, stack.has_secrets, stack.was_ready) = (false, false, false);
            (stack.has_first_admin, stack.is_prepared) = (false, false);
            (stack.release, stack.update, stack.final_backup) = (None, None, None);
        }
    }
}

const fn is_trying(update: &UpdateRecord) -> bool {
    matches!(update.state, UpdateState::Trying { .. })
}

fn change_release(stack: &mut ObservedStack, desired: &DesiredStack, step: &Step) {
    let old = stack.release.clone().unwrap_or_default();
    let record = |state| {
        let (to, generation) = (desired.release.clone(), desired.generation);
        UpdateRecord { from: old.clone(), to, generation, state }
    };
    match (step, stack.update.take()) {
        (Step::SaveData, _) => {
            let saved = stack.volumes.iter().cloned().collect();
            stack.update = Some(record(UpdateState::Trying { saved }));
        }
        // The answer to its commit was lost.
        (Step::RejectUpdate(_), _) if old == desired.release => {}
        (Step::RejectUpdate(reason), Some(it)) if is_trying(&it) => {
            let state = UpdateState::Undoing { reason: reason.clone() };
            stack.update = Some(UpdateRecord { state, ..it });
        }
        (Step::RejectUpdate(reason), _) => {
            stack.update = Some(record(UpdateState::Undone { reason: reason.clone() }));
        }
        (Step::RestoreData, Some(it)) => {
            let reason = match it.state {
                UpdateState::Undoing { reason } | UpdateState::Undone { reason } => reason,
                UpdateState::Trying { .. } => panic!("nobody said that it is no use"),
            };
            stack.update = Some(UpdateRecord { state: UpdateState::Undone { reason }, ..it });
        }
        (Step::CommitUpdate, _) => stack.release = Some(desired.release.clone()),
        (_, it) => stack.update = it,
    }
}

/// Where every ready space of the simulation is.
#[must_use]
pub const fn upstream() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)
}

/// The id of the `n`-th space.
#[must_use]
pub fn space(n: u8) -> SpaceId {
    SpaceId::new(Timestamp::from_unix_ms(i64::from(n)), [n; 10])
}

/// A wish for a stack of a web service and a database with a volume and a secret.
#[must_use]
pub fn stack(target: Target) -> DesiredStack {
    let service = |name: &str, depends_on| ServiceWish {
        name: name.to_owned(),
        image: "app:1".to_owned(),
        depends_on,
    };
    let on_db = Dependency { service: "db".to_owned(), healthy: true };
    DesiredStack {
        space: space(1),
        generation: Generation(2),
        target,
        has_data: false,
        app: "notes".to_owned(),
        release: "one".to_owned(),
        stage: None,
        values: BTreeMap::new(),
        has_secrets: true,
        has_first_admin: false,
        shared: Vec::new(),
        volumes: vec!["data".to_owned()],
        services: vec![service("db", Vec::new()), service("web", vec![on_db])],
        web: Some(Web { service: "web".to_owned(), port: 8080, path: "/ready".to_owned() }),
        patience: Duration::from_secs(20),
    }
}
