//! Asks a space of this host's Docker Engine, whether or not its worker runs.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use apps::Template;
use bollard::{
    Docker, errors::Error, models::ContainerSummary, query_parameters::ListContainersOptionsBuilder,
};
use domain::SpaceId;

use super::{
    exec::Commands,
    filters, labels,
    labels::{LabelMap, Labels, network_name},
    queries::{Asker, Period, Queries},
};
use crate::{releases::Releases, shared::stack_id};

/// Which space is asked for what.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// Where the state is.
    pub state_dir: PathBuf,
    /// The state's id, which all its containers are labelled with.
    pub state_id: String,
    /// The folder of templates whose meters and signals are asked for; if none, those of the release
    /// that the space is of.
    pub apps_dir: Option<PathBuf>,
    /// Id or name of the space.
    pub space: String,
    /// The one meter or signal that is wanted, if not all are.
    pub only: Option<String>,
    /// What is counted.
    pub period: Period,
}

/// Why a space was not asked.
#[derive(Debug, thiserror::Error)]
pub enum QuerySpaceError {
    /// The Docker Engine does not say what is there.
    #[error("Docker does not say which containers there are")]
    Docker(#[source] Error),
    /// None of its containers runs.
    #[error("no container of a space {0:?} of this state runs here")]
    NotHere(String),
    /// The releases that the worker keeps can't be read.
    #[error("could not read the releases in {}", folder.display())]
    Releases {
        /// Where they should be.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The space is of an app that is not here any more.
    #[error("this host does not have the release of the app that the space is of")]
    NoRelease,
    /// The templates can't be read.
    #[error(transparent)]
    Apps(#[from] apps::ReadError),
    /// The templates have none of the app.
    #[error("there is no template of {0} in the folder")]
    NoApp(String),
    /// The app has neither a meter nor a signal of this name.
    #[error("{app} has no meter or signal {name:?}")]
    NoSuchQuery {
        /// The app's id.
        app: String,
        /// What was asked for.
        name: String,
    },
}

/// Asks the meters and signals of a space.
///
/// # Errors
/// [`QuerySpaceError`]. That a meter or a signal fails is part of the answer.
pub async fn query_space(options: &QueryOptions) -> Result<Queries, QuerySpaceError> {
    let docker = Docker::connect_with_defaults().map_err(QuerySpaceError::Docker)?;
    let docker = docker.negotiate_version().await.map_err(QuerySpaceError::Docker)?;
    let filters = filters(Labels::of_state(&options.state_id));
    let running = ListContainersOptionsBuilder::new().filters(&filters).build();
    let running = docker.list_containers(Some(running)).await.map_err(QuerySpaceError::Docker)?;

    let not_here = || QuerySpaceError::NotHere(options.space.clone());
    let space = running.iter().find_map(|it| is_of(it, &options.space)).ok_or_else(not_here)?;
    let own: Vec<_> = running.iter().filter(|it| space_of(it).as_ref() == Some(&space)).collect();
    let releases = releases(&options.state_dir)?;
    let release = own.iter().find_map(|it| labels::release(it.labels.as_ref()?));
    let kept = release.and_then(|it| releases.find(it));
    let kept = kept.ok_or(QuerySpaceError::NoRelease)?;
    let current;
    let template = match &options.apps_dir {
        Some(folder) => {
            current = template_in(folder, &kept.id)?;
            &current
        }
        None => kept,
    };
    if let Some(name) = &options.only
        && !template.meters.contains_key(name)
        && !template.signals.contains_key(name)
    {
        let app = template.id.clone();
        return Err(QuerySpaceError::NoSuchQuery { app, name: name.clone() });
    }

    let values = BTreeMap::from([("SPACE_ID".to_owned(), space.docker_name())]);
    let web = template.web.as_ref().and_then(|web| {
        let container = own.iter().find(|it| service_of(it) == Some(&web.service))?;
        Some(SocketAddr::new(address_of(container, &space)?, web.port))
    });
    let containers = containers(&options.state_id, &own, &running, template);
    let (docker, values, containers) = (&docker, &values, &containers);
    let commands = &Commands::new();
    let asker = Asker { docker, commands, template, values, containers, web };
    let is_wanted = |name: &str| options.only.as_deref().is_none_or(|it| it == name);
    Ok(asker.ask(options.period, is_wanted).await)
}

fn releases(state: &Path) -> Result<Releases, QuerySpaceError> {
    let folder = state.join("worker/releases");
    let releases = Releases::open(&folder, Vec::new());
    releases.map_err(|(folder, cause)| QuerySpaceError::Releases { folder, cause })
}

fn template_in(folder: &Path, app: &str) -> Result<Template, QuerySpaceError> {
    let found = apps::read_dir(folder)?.into_iter().find(|it| it.id == app);
    found.ok_or_else(|| QuerySpaceError::NoApp(app.to_owned()))
}

/// The containers that run, by the names that the space has for their services.
pub(super) fn containers(
    state_id: &str,
    own: &[&ContainerSummary],
    all: &[ContainerSummary],
    template: &Template,
) -> BTreeMap<String, String> {
    let entry = |it: &ContainerSummary| Some((service_of(it)?.to_owned(), it.id.clone()?));
    let mut containers: BTreeMap<_, _> = own.iter().filter_map(|it| entry(it)).collect();
    if let Some(shared) = &template.shared {
        let stack = stack_id(state_id, &shared.stack);
        let of_stack = all.iter().filter(|it| space_of(it).as_ref() == Some(&stack));
        let of_stack: BTreeMap<_, _> = of_stack.filter_map(entry).collect();
        let shared = shared.services.iter();
        let shared =
            shared.filter_map(|(name, it)| Some((name.clone(), of_stack.get(it)?.clone())));
        containers.extend(shared);
    }
    containers
}

/// The space of a container, if it is called `text`.
fn is_of(container: &ContainerSummary, text: &str) -> Option<SpaceId> {
    let labels: &LabelMap = container.labels.as_ref()?;
    let space = labels::space(labels)?;
    let is_it = space.as_str() == text || labels::name(labels) == Some(text);
    is_it.then_some(space)
}

pub(super) fn space_of(container: &ContainerSummary) -> Option<SpaceId> {
    labels::space(container.labels.as_ref()?)
}

pub(super) fn service_of(container: &ContainerSummary) -> Option<&str> {
    labels::service(container.labels.as_ref()?)
}

pub(super) fn address_of(container: &ContainerSummary, space: &SpaceId) -> Option<IpAddr> {
    let networks = container.network_settings.as_ref()?.networks.as_ref()?;
    networks.get(&network_name(space))?.ip_address.as_ref()?.parse().ok()
}
