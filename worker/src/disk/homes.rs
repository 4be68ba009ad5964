//! Where the data of spaces is on this host.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use bollard::{
    Docker,
    errors::Error,
    models::{ContainerSummary, ContainerSummaryStateEnum as State},
    query_parameters::{
        InspectContainerOptionsBuilder, ListContainersOptionsBuilder, ListVolumesOptionsBuilder,
    },
};
use domain::SpaceId;

use crate::docker::space_of;

/// Where the data of one space is.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    /// Volumes, and what containers have written beside them.
    pub(super) folders: Vec<PathBuf>,
    /// What containers have written to no folder that could be walked, in bytes.
    pub(super) elsewhere: u64,
    /// The containers that run.
    pub(super) running: Vec<String>,
}

/// What a container writes beside its volumes.
#[derive(Clone, Debug)]
enum Layer {
    /// It can't.
    None,
    Folder(PathBuf),
    /// Only Docker knows.
    Hidden,
}

/// Docker, asked for homes.
pub(super) struct Homes {
    docker: Docker,
    /// By the id of the container, which never changes its layer.
    layers: HashMap<String, Layer>,
    /// Those of before, while all are listed anew.
    remembered: HashMap<String, Layer>,
}

impl Homes {
    pub(super) fn new(docker: Docker) -> Self {
        Self { docker, layers: HashMap::new(), remembered: HashMap::new() }
    }

    /// The homes of all spaces, whose objects have these `labels`.
    pub(super) async fn all(
        &mut self,
        labels: Vec<String>,
    ) -> Result<BTreeMap<SpaceId, Home>, Error> {
        let known = std::mem::take(&mut self.layers);
        self.remembered = known;
        let homes = self.labelled(labels).await;
        // What was not asked for is gone.
        self.remembered.clear();
        homes
    }

    /// The homes of the spaces whose objects have these `labels`.
    pub(super) async fn labelled(
        &mut self,
        labels: Vec<String>,
    ) -> Result<BTreeMap<SpaceId, Home>, Error> {
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let (volumes, containers) = tokio::try_join!(
            self.docker.list_volumes(Some(volumes)),
            self.docker.list_containers(Some(containers)),
        )?;
        let mut homes: BTreeMap<SpaceId, Home> = BTreeMap::new();
        for volume in volumes.volumes.unwrap_or_default() {
            if let Some(space) = space_of(&volume.labels) {
                homes.entry(space).or_default().folders.push(volume.mountpoint.into());
            }
        }
        for container in containers {
            let ContainerSummary { id: Some(id), labels, state, .. } = container else { continue };
            let Some(space) = labels.as_ref().and_then(space_of) else { continue };
            self.add(homes.entry(space).or_default(), id, state).await?;
        }
        Ok(homes)
    }

    async fn add(
        &mut self,
        home: &mut Home,
        id: String,
        state: Option<State>,
    ) -> Result<(), Error> {
        match self.layer(&id).await? {
            Layer::None => {}
            Layer::Folder(folder) => home.folders.push(folder),
            Layer::Hidden => home.elsewhere = home.elsewhere.saturating_add(self.size(&id).await?),
        }
        if matches!(state, Some(State::RUNNING | State::PAUSED | State::RESTARTING)) {
            home.running.push(id);
        }
        Ok(())
    }

    async fn layer(&mut self, id: &str) -> Result<Layer, Error> {
        if let Some(layer) = self.layers.get(id) {
            return Ok(layer.clone());
        }
        let layer = match self.remembered.remove(id) {
            Some(layer) => layer,
            None => self.find_layer(id).await?,
        };
        self.layers.insert(id.to_owned(), layer.clone());
        Ok(layer)
    }

    async fn find_layer(&self, id: &str) -> Result<Layer, Error> {
        let container = match self.docker.inspect_container(id, None).await {
            // It is gone, with all that it wrote.
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
                return Ok(Layer::None);
            }
            result => result?,
        };
        let is_read_only = container.host_config.and_then(|it| it.readonly_rootfs) == Some(true);
        let folder = container.graph_driver.and_then(|mut it| it.data.remove("UpperDir"));
        Ok(match folder {
            _ if is_read_only => Layer::None,
            Some(folder) => Layer::Folder(folder.into()),
            None => Layer::Hidden,
        })
    }

    /// What Docker says that a container has written.
    async fn size(&self, id: &str) -> Result<u64, Error> {
        let options = InspectContainerOptionsBuilder::new().size(true).build();
        match self.docker.inspect_container(id, Some(options)).await {
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(0),
            result => Ok(u64::try_from(result?.size_rw.unwrap_or(0)).unwrap_or(0)),
        }
    }
}
