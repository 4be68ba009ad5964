//! What to do next, as a pure function.

use crate::{
    DesiredStack, Health, ObservedContainer, ObservedStack, Readiness, RunState, ServiceWish,
    Stage, Step, Target, Waiting, update,
};

/// Why nothing may be done until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// This volume held the tenant's data and is gone. An empty one would hide that.
    VolumeLost(String),
    /// Services were made with secrets that are gone. New ones would not open the data.
    SecretsLost,
    /// The copy of this volume from before an update is not what it was when it was made.
    CopyDamaged(String),
    /// Data is in services of the host, of which an update keeps no copy to go back to.
    NoWayBack,
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
        Target::Running => match &desired.stage {
            None => run(desired, observed),
            Some(Stage::Preparing) => update::prepare(desired, observed),
            Some(Stage::Trying { .. }) => update::try_out(desired, observed),
            Some(Stage::Undoing) => update::undo(desired, observed),
        },
        Target::Stopped => stop(desired, observed),
        Target::Cleared if may_have_data(desired, observed) => clear(desired, observed),
        Target::Absent if may_have_data(desired, observed) => retire(desired, observed),
        Target::Cleared | Target::Absent => remove(desired, observed),
    }
}

/// To a space that answers.
pub(crate) fn run(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if let Some(blocked) = lost(desired, observed) {
        return Plan::Blocked(blocked);
    }
    let is_outdated = |it: &&ObservedContainer| {
        it.generation < desired.generation
            || it.release.as_ref().is_some_and(|it| *it != desired.release)
            || desired.services.iter().all(|service| service.name != it.service)
            // It was in a network that is gone, and can't be started in another.
            || !observed.has_network
    };
    if let Some(outdated) = last_first(desired, observed).into_iter().find(is_outdated) {
        return stop_then_remove(outdated);
    }
    let step = surroundings(desired, observed);
    if let Some(plan) = step.map(Plan::Act).or_else(|| wait_for_shared(desired, observed)) {
        return plan;
    }
    if !desired.shared.is_empty() && !observed.is_prepared {
        return Plan::Act(Step::PrepareShared);
    }
    let next = desired.services.iter().find_map(|it| bring_up(it, observed));
    next.unwrap_or_else(|| open(desired, observed))
}

/// The next step to have what the containers need.
fn surroundings(desired: &DesiredStack, observed: &ObservedStack) -> Option<Step> {
    if desired.has_secrets && !observed.has_secrets {
        return Some(Step::WriteSecrets);
    }
    if !observed.has_network {
        return Some(Step::CreateNetwork);
    }
    if let Some(volume) = desired.volumes.iter().find(|it| !observed.volumes.contains(*it)) {
        return Some(Step::CreateVolume(volume.clone()));
    }
    let is_out = |it: &&String| observed.shared.get(*it).is_some_and(|it| !it.is_connected);
    desired.shared.iter().find(is_out).map(|it| Step::ConnectShared(it.clone()))
}

/// The service of the host that has to be there before the containers are made and started. What
/// runs already runs on without it.
fn wait_for_shared(desired: &DesiredStack, observed: &ObservedStack) -> Option<Plan> {
    let runs = |it: &ServiceWish| {
        observed.container(&it.name).is_some_and(|it| it.state == RunState::Running)
    };
    if observed.is_prepared && desired.services.iter().all(runs) {
        return None;
    }
    let is_ready = |it: &String| observed.shared.get(it).is_some_and(|it| it.is_ready);
    let missing = desired.shared.iter().find(|it| !is_ready(it));
    missing.map(|it| Plan::Wait(Waiting::Shared(it.clone())))
}

/// The last steps of a stack whose containers all run.
fn open(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if desired.web.is_none() {
        let is_sick =
            |it: &&ObservedContainer| matches!(it.health, Health::Starting | Health::Unhealthy);
        if let Some(sick) = observed.containers.iter().find(is_sick) {
            return Plan::Wait(Waiting::Healthy(sick.service.clone()));
        }
    } else if observed.readiness != Readiness::Ready {
        return Plan::Wait(Waiting::Ready);
    }
    let is_new = !desired.has_data && !observed.was_ready;
    if is_new && desired.has_first_admin && !observed.has_first_admin {
        Plan::Act(Step::CreateFirstAdmin)
    } else if !observed.was_ready || observed.release.is_none() {
        Plan::Act(Step::MarkReady)
    } else {
        Plan::Converged
    }
}

/// What is lost that must not be made anew.
fn lost(desired: &DesiredStack, observed: &ObservedStack) -> Option<Blocked> {
    if desired.has_data || observed.was_ready {
        // A release that is tried may have volumes that the one before did not have.
        let with_data = match &desired.stage {
            Some(Stage::Trying { saved }) => saved,
            _ => &desired.volumes,
        };
        let volume = with_data.iter().find(|it| !observed.volumes.contains(*it));
        if let Some(volume) = volume {
            return Some(Blocked::VolumeLost(volume.clone()));
        }
    }
    // Secrets come first, so where something was made with them and they are not, they were lost.
    let is_used = !observed.volumes.is_empty() || !observed.containers.is_empty();
    (desired.has_secrets && !observed.has_secrets && is_used).then_some(Blocked::SecretsLost)
}

/// Whether what is there may be a tenant's. Where something is lost, nobody can say any more.
fn may_have_data(desired: &DesiredStack, observed: &ObservedStack) -> bool {
    desired.has_data || observed.was_ready || lost(desired, observed).is_some()
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

pub(crate) fn stop(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    let alive = last_first(desired, observed).into_iter().find(|it| it.is_alive());
    alive.map_or(Plan::Converged, stop_then_remove)
}

/// To the volumes with the tenant's data, and what opens it.
fn clear(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    if let Some(container) = last_first(desired, observed).first() {
        return stop_then_remove(container);
    }
    remove_network(observed).map_or(Plan::Converged, Plan::Act)
}

/// The next step to be rid of the network; one that somebody is in cannot be removed.
fn remove_network(observed: &ObservedStack) -> Option<Step> {
    let connected = observed.shared.iter().find(|(_, it)| it.is_connected);
    match connected {
        Some((name, _)) => Some(Step::DisconnectShared(name.clone())),
        None => observed.has_network.then_some(Step::RemoveNetwork),
    }
}

/// To nothing but a final backup, which is made of what has come to rest.
fn retire(desired: &DesiredStack, observed: &ObservedStack) -> Plan {
    let is_kept = observed.final_backup == Some(desired.generation);
    if is_kept || !holds_anything(desired, observed) {
        return remove(desired, observed);
    }
    // What is being removed may write until it is gone.
    let is_restless = |it: &&ObservedContainer| it.is_alive() || it.state == RunState::Removing;
    let restless = last_first(desired, observed).into_iter().find(is_restless);
    restless.map_or(Plan::Act(Step::BackUp), stop_then_remove)
}

/// Whether there is something to back up, or something gone to be put on record.
fn holds_anything(desired: &DesiredStack, observed: &ObservedStack) -> bool {
    !observed.volumes.is_empty()
        || observed.is_prepared
        || (observed.was_ready && !desired.volumes.is_empty())
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
    if observed.is_prepared {
        return Plan::Act(Step::RemoveShared);
    }
    if let Some(step) = remove_network(observed) {
        return Plan::Act(step);
    }
    if let Some(volume) = observed.volumes.first() {
        return Plan::Act(Step::RemoveVolume(volume.clone()));
    }
    // The secrets go last: as long as there is data, there is what opens it.
    if observed.has_files { Plan::Act(Step::RemoveFiles) } else { Plan::Converged }
}

/// The containers in the order in which they are stopped: each before those that it depends on.
pub(crate) fn last_first<'a>(
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
pub(crate) fn stop_then_remove(container: &ObservedContainer) -> Plan {
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
