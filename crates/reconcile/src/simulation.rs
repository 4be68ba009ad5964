//! A container runtime in memory, for tests: it keeps what it is told, and fails when told to.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{Generation, SpaceId, Timestamp};

use crate::{
    ContainerRuntime, Dependency, DesiredStack, Exit, Failure, Health, ObservedContainer,
    ObservedStack, Readiness, RunState, ServiceWish, Step, Target, Waiting, Web,
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
    fates: VecDeque<Fate>,
    calls: Calls,
    removed_data: bool,
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ContainerRuntime for Simulation {
    async fn observe(&self, desired: &DesiredStack) -> Result<ObservedStack, Failure> {
        let mut state = self.state();
        state.calls.observe += 1;
        let mut observed = state.stacks.get(&desired.space).cloned().unwrap_or_default();
        let missing = desired.services.iter().filter(|it| {
            observed.container(&it.name).is_none() && !state.images.contains(&it.image)
        });
        observed.images_missing = missing.map(|it| it.name.clone()).collect();
        observed.upstream = Some(upstream());
        let runs = |service: &str| {
            observed.container(service).is_some_and(|it| it.state == RunState::Running)
        };
        observed.readiness = match &desired.web {
            Some(web) if desired.target == Target::Running => {
                let is_broken = state.broken.contains(desired.space.as_str());
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
        let stack = state.stacks.entry(desired.space.clone()).or_default();
        change(stack, desired.generation, step);
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
            Waiting::Ready => {}
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

fn change(stack: &mut ObservedStack, generation: Generation, step: &Step) {
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
                let health = Health::Starting;
                let container = ObservedContainer { service, generation, state, health };
                stack.containers.push(container);
            }
        }
        Step::StartContainer(service) | Step::UnpauseContainer(service) => {
            set(service, RunState::Running);
        }
        Step::MarkReady => (stack.was_ready, stack.has_files) = (true, true),
        Step::StopContainer(service) => set(service, RunState::Exited),
        Step::RemoveContainer(service) => stack.containers.retain(|it| it.service != *service),
        Step::RemoveNetwork => stack.has_network = false,
        Step::RemoveVolume(volume) => _ = stack.volumes.remove(volume),
        Step::RemoveFiles => {
            (stack.has_files, stack.has_secrets, stack.was_ready) = (false, false, false);
        }
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
        values: BTreeMap::new(),
        has_secrets: true,
        volumes: vec!["data".to_owned()],
        services: vec![service("db", Vec::new()), service("web", vec![on_db])],
        web: Some(Web {
            service: "web".to_owned(),
            port: 8080,
            path: "/ready".to_owned(),
            patience: Duration::from_secs(20),
        }),
    }
}
