//! Takes down what an installation has made on this Docker Engine.

use std::collections::HashMap;

use bollard::{
    Docker,
    errors::Error,
    models::ContainerSummaryStateEnum as State,
    query_parameters::{
        ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
        RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    },
};
use futures::future::try_join_all;

use crate::{docker::Labels, firewall};

/// What was taken down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many containers were stopped or removed.
    pub containers: usize,
    /// How many networks were removed.
    pub networks: usize,
    /// How many volumes were removed.
    pub volumes: usize,
}

/// Why not everything was taken down.
#[derive(Debug, thiserror::Error)]
#[error("Docker could not {doing}")]
pub struct PurgeError {
    /// What was attempted: `remove volume spc-01j…-data`.
    pub doing: String,
    /// What Docker said.
    #[source]
    pub cause: Error,
}

/// Stops every container labelled `spaceport.state=<state_id>`, or with `remove` removes every
/// container, network and volume that has this label, with the data in it, and the firewall's chains
/// of this installation. Touches nothing else.
///
/// # Errors
/// [`PurgeError`] for the first thing that resists; what came before is down.
pub async fn purge(state_id: &str, remove: bool) -> Result<Purged, PurgeError> {
    let docker = Docker::connect_with_defaults().map_err(could_not("be reached"))?;
    let docker = docker.negotiate_version().await.map_err(could_not("be reached"))?;
    let filters = HashMap::from([("label".to_owned(), Labels::of_state(state_id))]);
    if !remove {
        let containers = stop_containers(&docker, &filters).await?;
        return Ok(Purged { containers, ..Purged::default() });
    }
    let containers = remove_containers(&docker, &filters).await?;
    let (networks, volumes) =
        tokio::try_join!(remove_networks(&docker, &filters), remove_volumes(&docker, &filters))?;
    // Who may not filter has not done so either.
    if let Err(error) = firewall::remove(state_id).await {
        let error: &dyn std::error::Error = &error;
        tracing::debug!(error, "could not look for chains of the firewall");
    }
    Ok(Purged { containers, networks, volumes })
}

type Filters = HashMap<String, Vec<String>>;

async fn stop_containers(docker: &Docker, filters: &Filters) -> Result<usize, PurgeError> {
    let options = ListContainersOptionsBuilder::new().filters(filters).build();
    let listed = docker.list_containers(Some(options)).await;
    let running = listed.map_err(could_not("list containers"))?;
    let stops = running.into_iter().map(async |it| {
        let (id, name) = (it.id.unwrap_or_default(), shown(it.names));
        if it.state == Some(State::PAUSED) {
            let thawed = docker.unpause_container(&id).await;
            thawed.map_err(could_not(&format!("unpause container {name}")))?;
        }
        // The container says itself how long it may take.
        let stopped = docker.stop_container(&id, None).await;
        unless_already(stopped).map_err(could_not(&format!("stop container {name}")))
    });
    try_join_all(stops).await.map(|it| it.len())
}

async fn remove_containers(docker: &Docker, filters: &Filters) -> Result<usize, PurgeError> {
    let options = ListContainersOptionsBuilder::new().all(true).filters(filters).build();
    let listed = docker.list_containers(Some(options)).await;
    let containers = listed.map_err(could_not("list containers"))?;
    let removals = containers.into_iter().map(async |it| {
        let (id, name) = (it.id.unwrap_or_default(), shown(it.names));
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = docker.remove_container(&id, Some(options)).await;
        unless_already(removed).map_err(could_not(&format!("remove container {name}")))
    });
    try_join_all(removals).await.map(|it| it.len())
}

async fn remove_networks(docker: &Docker, filters: &Filters) -> Result<usize, PurgeError> {
    let options = ListNetworksOptionsBuilder::new().filters(filters).build();
    let listed = docker.list_networks(Some(options)).await;
    let networks = listed.map_err(could_not("list networks"))?;
    let removals = networks.into_iter().map(async |it| {
        let (id, name) = (it.id.unwrap_or_default(), it.name.unwrap_or_default());
        let removed = docker.remove_network(&id).await;
        unless_already(removed).map_err(could_not(&format!("remove network {name}")))
    });
    try_join_all(removals).await.map(|it| it.len())
}

async fn remove_volumes(docker: &Docker, filters: &Filters) -> Result<usize, PurgeError> {
    let options = ListVolumesOptionsBuilder::new().filters(filters).build();
    let listed = docker.list_volumes(Some(options)).await;
    let volumes = listed.map_err(could_not("list volumes"))?.volumes.unwrap_or_default();
    let removals = volumes.into_iter().map(async |it| {
        let removed = docker.remove_volume(&it.name, None::<RemoveVolumeOptions>).await;
        unless_already(removed).map_err(could_not(&format!("remove volume {}", it.name)))
    });
    try_join_all(removals).await.map(|it| it.len())
}

/// Success also where it was so already: stopped (304), gone (404), on its way out (409 of a
/// removal in progress).
fn unless_already(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::DockerResponseServerError { status_code: 304 | 404, .. }) => Ok(()),
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("already in progress") =>
        {
            Ok(())
        }
        result => result,
    }
}

fn could_not(doing: &str) -> impl FnOnce(Error) -> PurgeError {
    let doing = doing.to_owned();
    move |cause| PurgeError { doing, cause }
}

/// The name of a container as people know it, without Docker's slash.
fn shown(names: Option<Vec<String>>) -> String {
    let name = names.unwrap_or_default().into_iter().next().unwrap_or_default();
    name.trim_start_matches('/').to_owned()
}
