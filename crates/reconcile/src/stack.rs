//! What a space is made of on a host: as it is wanted, and as it is observed.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use domain::{Generation, SpaceId};

use crate::{Stage, UpdateRecord};

/// What is wanted of a space's stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredStack {
    /// Whose stack it is.
    pub space: SpaceId,
    /// Which version of the wish this is.
    pub generation: Generation,
    /// What should be the case.
    pub target: Target,
    /// Whether the space has been ready once, so that its volumes hold the tenant's data.
    pub has_data: bool,
    /// The id of the app template that the services are of.
    pub app: String,
    /// The release of the template. Empty if the template is not known, so that nothing is made.
    pub release: String,
    /// How far the update to this release, or away from it, is; `None` if there is none.
    pub stage: Option<Stage>,
    /// What is filled into the template, besides the secrets.
    pub values: BTreeMap<String, String>,
    /// Whether the app has secrets.
    pub has_secrets: bool,
    /// Whether the app has a first admin, who is made before visitors can come.
    pub has_first_admin: bool,
    /// The services of the host that it uses, by their names in the space's network.
    pub shared: Vec<String>,
    /// The names of its volumes.
    pub volumes: Vec<String>,
    /// Its services, each after those that it depends on. May be empty unless the target is
    /// [`Target::Running`]: to stop and to remove, what is observed says enough.
    pub services: Vec<ServiceWish>,
    /// Where visitors go. As with the services; and a stack that spaces share has none.
    pub web: Option<Web>,
    /// How long it may take to become ready.
    pub patience: Duration,
}

/// What should be the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The space answers.
    Running,
    /// Its containers are stopped and kept.
    Stopped,
    /// We gave up: nothing is left of the attempt, but the data if there ever was some.
    Cleared,
    /// Nothing is left, the data included, but a final backup of it.
    Absent,
}

/// What the planner has to know of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceWish {
    /// Its name.
    pub name: String,
    /// The image's reference.
    pub image: String,
    /// What has to run before it is started.
    pub depends_on: Vec<Dependency>,
}

/// A service that has to run first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its name.
    pub service: String,
    /// Whether it also has to be healthy.
    pub healthy: bool,
}

/// Where visitors go, and when there is something to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// The service that speaks HTTP.
    pub service: String,
    /// The port it listens on.
    pub port: u16,
    /// The path whose GET answers 200 to 299 when the space is ready.
    pub path: String,
}

/// What is there. Always a little out of date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct ObservedStack {
    /// Whether the space's network exists.
    pub has_network: bool,
    /// The space's volumes that exist, by their names in the template.
    pub volumes: BTreeSet<String>,
    /// The space's containers, one a service.
    pub containers: Vec<ObservedContainer>,
    /// The services that have no container of this release and whose image is not on the host.
    pub images_missing: BTreeSet<String>,
    /// The services of the host that it uses or has in its network, by their names there.
    pub shared: BTreeMap<String, SharedState>,
    /// Whether the services of the host are prepared for this release of it.
    pub is_prepared: bool,
    /// Whether there are secrets.
    pub has_secrets: bool,
    /// Whether it is on record that its first admin was made.
    pub has_first_admin: bool,
    /// The release that its data is of, as is on record.
    pub release: Option<String>,
    /// The update that is under way, or was undone.
    pub update: Option<UpdateRecord>,
    /// Whether it is on record that the space was ready once.
    pub was_ready: bool,
    /// The wish before whose fulfilment its final backup was made, if that is verified and there.
    pub final_backup: Option<Generation>,
    /// Whether the worker keeps anything of the space besides what Docker has.
    pub has_files: bool,
    /// Where the web service listens, or will, if its container runs.
    pub upstream: Option<SocketAddr>,
    /// Whether the space answers.
    pub readiness: Readiness,
    /// The service whose check keeps it from being ready, if its web service answers.
    pub check_failing: Option<String>,
}

/// Whether a space answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// It was asked and has not answered well.
    NotReady,
    /// It was asked and has answered well.
    Ready,
}

/// A container of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedContainer {
    /// The service it was made for.
    pub service: String,
    /// The version of the wish it was made for.
    pub generation: Generation,
    /// The release it was made of; `None` if it does not say.
    pub release: Option<String>,
    /// What it does.
    pub state: RunState,
    /// What Docker thinks of its health.
    pub health: Health,
}

/// A service of the host, as a space sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedState {
    /// Whether it runs, and is healthy if it has a health check.
    pub is_ready: bool,
    /// Whether it is in the space's network.
    pub is_connected: bool,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It was made and never started.
    Created,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It ran, and ended or was stopped.
    Exited,
    /// Docker is removing it, or tried to.
    Removing,
}

/// What Docker thinks of a container's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has no health check.
    Unchecked,
    /// It has time to become healthy.
    Starting,
    /// Its check passes.
    Healthy,
    /// Its check fails.
    Unhealthy,
}

impl ObservedStack {
    /// Whether nothing is there at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_network
            && self.volumes.is_empty()
            && self.containers.is_empty()
            && !self.has_files
    }

    /// The container of `service`.
    #[must_use]
    pub fn container(&self, service: &str) -> Option<&ObservedContainer> {
        self.containers.iter().find(|it| it.service == service)
    }
}

impl ObservedContainer {
    /// Whether it has processes.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        matches!(self.state, RunState::Running | RunState::Paused)
    }
}
