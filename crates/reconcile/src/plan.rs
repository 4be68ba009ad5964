//! What to do next, as a pure function.

use crate::{
    DesiredStack, Health, ObservedContainer, ObservedStack, Readiness, RunState, ServiceWish,
    Target,
};

/// One idempotent step. Taking it twice is the same as taking it once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Make and keep the space's secrets.
    WriteSecrets,
    /// Make the network.
    CreateNetwork,
    /// Make this volume.
    CreateVolume(String),
    /// Get the image of this service.
    PullImage(String),
    /// Make a container for this service.
    CreateContainer(String),
    /// Start the container of this service.
    StartContainer(String),
    /// Let the frozen container of this service go on.
    UnpauseContainer(String),
    /// Put on record that the space is ready, so that its volumes hold data from now on.
    MarkReady,
    /// Stop the container of this service, in its own time.
    StopContainer(String),
    /// Remove the container of this service, whatever it does.
    RemoveContainer(String),
    /// Remove the network.
    RemoveNetwork,
    /// Remove this volume. Cannot be undone.
    RemoveVolume(String),
    /// Remove what the worker keeps of the space: its secrets, and that it was ready.
    RemoveFiles,
}

/// What there is nothing to do about but wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// Docker's health check of this service.
    Healthy(String),
    /// The web service's first good answer.
    Ready,
    /// Docker, which is removing the container of this service.
    Removed(String),
}

/// Why nothing may be done until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// This volume held the tenant's data and is gone. An empty one would hide that.
    VolumeLost(String),
    /// Services were made with secrets that are gone. New ones would not open the data.
    SecretsLost,
}

/// What the planner decided, and why when it decided to do nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Do this, then observe and plan again.
    Act(Step),
    /// Wait for this, then observe and plan again.
    Wait(Waiting),
    /// What is there is what is wanted.
    Converged,
    /// A container is newer than our wish: our view of the wish is stale.
    Superseded,
    /// A person must look.
    Blocked(Blocked),
}

/// The next step from `observed` toward `desired`.
///
/// Returns one step, not a path: the world may change while the step runs, and a crash between
/// two steps must leave nothing to remember.
#[must_use]
pub fn plan(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if observed.containers.iter().any(|it| desired.generation < it.generation) {
        return Plan::Superseded;
    }
    match desired.target {
        Target::Running => run(desired, observed),
        Target::Stopped => stop(desired, observed),
        // Where something is lost, what is left may be a tenant's: nobody can say any more.
        Target::Cleared
            if desired.has_data || observed.was_ready || lost(desired, observed).is_some() =>
        {
            clear(desired, observed)
        }
        Target::Cleared | Target::Absent => remove(desired, observed),
    }
}

impl Step {
    /// The step as people see it: `create-network`, `start-db`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::WriteSecrets => "write-secrets".to_owned(),
            Self::CreateNetwork => "create-network".to_owned(),
            Self::CreateVolume(volume) => format!("create-volume-{volume}"),
            Self::PullImage(service) => format!("pull-image-{service}"),
            Self::CreateContainer(service) => format!("create-{service}"),
            Self::StartContainer(service) => format!("start-{service}"),
            Self::UnpauseContainer(service) => format!("unpause-{service}"),
            Self::MarkReady => "ready".to_owned(),
            Self::StopContainer(service) => format!("stop-{service}"),
            Self::RemoveContainer(service) => format!("remove-{service}"),
            Self::RemoveNetwork => "remove-network".to_owned(),
            Self::RemoveVolume(volume) => format!("remove-volume-{volume}"),
            Self::RemoveFiles => "remove-files".to_owned(),
        }
    }
}

impl Waiting {
    /// The wait as people see it: `healthy-db`, `ready`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Healthy(service) => format!("healthy-{service}"),
            Self::Ready => "ready".to_owned(),
            Self::Removed(service) => format!("remove-{service}"),
        }
    }
}

fn run(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if let Some(blocked) = lost(desired, observed) {
        return Plan::Blocked(blocked);
    }
    let is_outdated = |it: &&ObservedContainer| {
        it.generation < desired.generation
            || desired.services.iter().all(|service| service.name != it.service)
            // It was in a network that is gone, and can't be started in another.
            || !observed.has_network
    };
    if let Some(outdated) = last_first(desired, observed).into_iter().find(is_outdated) {
        return stop_then_remove(outdated);
    }
    if desired.has_secrets && !observed.has_secrets {
        return Plan::Act(Step::WriteSecrets);
    }
    if !observed.has_network {
        return Plan::Act(Step::CreateNetwork);
    }
    if let Some(volume) = desired.volumes.iter().find(|it| !observed.volumes.contains(*it)) {
        return Plan::Act(Step::CreateVolume(volume.clone()));
    }
    let next = desired.services.iter().find_map(|it| bring_up(it, observed));
    next.unwrap_or(match observed.readiness {
        Readiness::Unknown | Readiness::NotReady => Plan::Wait(Waiting::Ready),
        Readiness::Ready if !observed.was_ready => Plan::Act(Step::MarkReady),
        Readiness::Ready => Plan::Converged,
    })
}

/// What is lost that must not be made anew.
fn lost(desired: &DesiredStack, observed: &ObservedStack) -> Option<Blocked> {
    if desired.has_data || observed.was_ready {
        let volume = desired.volumes.iter().find(|it| !observed.volumes.contains(*it));
        if let Some(volume) = volume {
            return Some(Blocked::VolumeLost(volume.clone()));
        }
    }
    // Secrets come first, so where something was made with them and they are not, they were lost.
    let is_used = !observed.volumes.is_empty() || !observed.containers.is_empty();
    (desired.has_secrets && !observed.has_secrets && is_used).then_some(Blocked::SecretsLost)
}

/// The next step to have `service` run; `None` if it does.
fn bring_up(service: &ServiceWish, observed: &ObservedStack) -> Option<Plan> {
    let name = service.name.clone();
    let Some(container) = observed.container(&service.name) else {
        let is_missing = observed.images_missing.contains(&service.name);
        let step = if is_missing { Step::PullImage(name) } else { Step::CreateContainer(name) };
        return Some(Plan::Act(step));
    };
    match container.state {
        RunState::Running => None,
        RunState::Paused => Some(Plan::Act(Step::UnpauseContainer(name))),
        RunState::Removing => Some(Plan::Wait(Waiting::Removed(name))),
        RunState::Created | RunState::Exited => {
            let dependency = service.depends_on.iter().find(|it| {
                let health = observed.container(&it.service).map(|it| it.health);
                it.healthy && matches!(health, Some(Health::Starting | Health::Unhealthy))
            });
            Some(match dependency {
                Some(it) => Plan::Wait(Waiting::Healthy(it.service.clone())),
                None => Plan::Act(Step::StartContainer(name)),
            })
        }
    }
}

fn stop(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    let alive = last_first(desired, observed).into_iter().find(|it| it.is_alive());
    alive.map_or(Plan::Converged, stop_then_remove)
}

/// To the volumes with the tenant's data, and what opens it.
fn clear(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if let Some(container) = last_first(desired, observed).first() {
        return stop_then_remove(container);
    }
    if observed.has_network { Plan::Act(Step::RemoveNetwork) } else { Plan::Converged }
}

/// To nothing. What holds no data worth keeping need not stop in its own time.
fn remove(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if let Some(container) = last_first(desired, observed).first() {
        let service = container.service.clone();
        return match container.state {
            RunState::Removing => Plan::Wait(Waiting::Removed(service)),
            _ => Plan::Act(Step::RemoveContainer(service)),
        };
    }
    if observed.has_network {
        return Plan::Act(Step::RemoveNetwork);
    }
    if let Some(volume) = observed.volumes.first() {
        return Plan::Act(Step::RemoveVolume(volume.clone()));
    }
    // The secrets go last: as long as there is data, there is what opens it.
    if observed.has_files { Plan::Act(Step::RemoveFiles) } else { Plan::Converged }
}

/// The containers in the order in which they are stopped: each before those that it depends on.
fn last_first<'a>(
    desired: &DesiredStack,
    observed: &'a ObservedStack,
) -> Vec<&'a ObservedContainer> {
    let place = |it: &&ObservedContainer| {
        // What is not in the wish any more depends on nothing in it that we know of: it goes first.
        desired.services.iter().position(|service| service.name == it.service).unwrap_or(usize::MAX)
    };
    let mut containers: Vec<_> = observed.containers.iter().collect();
    containers.sort_by_key(|it| std::cmp::Reverse(place(it)));
    containers
}

/// The next step to be rid of a container that should end in its own time.
fn stop_then_remove(container: &ObservedContainer) -> Plan {
    let service = container.service.clone();
    match container.state {
        RunState::Running => Plan::Act(Step::StopContainer(service)),
        // What is frozen does not hear that it should stop.
        RunState::Paused => Plan::Act(Step::UnpauseContainer(service)),
        RunState::Created | RunState::Exited => Plan::Act(Step::RemoveContainer(service)),
        RunState::Removing => Plan::Wait(Waiting::Removed(service)),
    }
}

#[cfg(test)]
mod tests;
