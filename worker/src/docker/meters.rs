//! What the meters of spaces say while their worker runs.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use apps::Template;
use bollard::{Docker, models::ContainerSummary, query_parameters::ListContainersOptionsBuilder};
use domain::SpaceId;

use super::{
    Labels,
    exec::Commands,
    filters,
    queries::{Asker, Period, QueryError},
    query_space::{address_of, containers, service_of, space_of},
};
use crate::releases::Releases;

/// What one of the meters that are paid for counts.
const POST: &str = "post";

/// How large the database is that is asked.
const DATABASE_SIZE: &str = "SELECT pg_database_size(current_database())";

/// Asks the meters of the spaces of one installation.
pub(crate) struct Meters {
    docker: Docker,
    labels: Labels,
    releases: Arc<Releases>,
    commands: Commands,
}

/// What runs.
pub(crate) struct Running(Vec<ContainerSummary>);

impl Meters {
    pub(crate) fn new(docker: Docker, labels: Labels, releases: Arc<Releases>) -> Self {
        Self { docker, labels, releases, commands: Commands::new() }
    }

    /// What runs now.
    ///
    /// # Errors
    /// What Docker says.
    pub(crate) async fn running(&self) -> Result<Running, bollard::errors::Error> {
        let filters = filters(self.labels.of_all());
        let options = ListContainersOptionsBuilder::new().filters(&filters).build();
        Ok(Running(self.docker.list_containers(Some(options)).await?))
    }

    /// How many posts the space published in this time: the sum of all meters of posts. `None` if its
    /// app has none.
    ///
    /// # Errors
    /// [`QueryError`] of the first one that says nothing.
    pub(crate) async fn posts(
        &self,
        running: &Running,
        space: &SpaceId,
        template: &Template,
        period: Period,
    ) -> Option<Result<u64, QueryError>> {
        let names: Vec<&String> =
            template.meters.iter().filter(|it| it.1.unit == POST).map(|it| it.0).collect();
        if names.is_empty() {
            return None;
        }
        let is_wanted = |name: &str| names.iter().any(|it| *it == name);
        let asked = self
            .with_asker(running, space, template, async |asker| asker.ask(period, is_wanted).await);
        let mut sum = 0_u64;
        for (_, (_, said)) in asked.await.meters {
            match said {
                Ok(count) => sum = sum.saturating_add(count),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(sum))
    }

    /// How large the databases are that the space has in services that spaces share, in KiB.
    ///
    /// # Errors
    /// [`QueryError`] of the first one that says nothing.
    pub(crate) async fn shared_kib(
        &self,
        running: &Running,
        space: &SpaceId,
        template: &Template,
    ) -> Result<u64, QueryError> {
        let Some(shared) = &template.shared else { return Ok(0) };
        let is_shared = |it: &&String| {
            let database = template.databases.get(*it);
            database.is_some_and(|it| shared.services.contains_key(&it.service))
        };
        let mut bytes = 0_u64;
        for name in template.databases.keys().filter(is_shared) {
            let said = self.with_asker(running, space, template, async |asker| {
                asker.count(name, DATABASE_SIZE).await
            });
            bytes = bytes.saturating_add(said.await?);
        }
        Ok(bytes.div_ceil(1024))
    }

    /// The template that a space is of.
    pub(crate) fn template(&self, app: &str, release: &str) -> Option<&Template> {
        self.releases.get(app, release)
    }

    async fn with_asker<T>(
        &self,
        Running(running): &Running,
        space: &SpaceId,
        template: &Template,
        ask: impl AsyncFnOnce(Asker<'_>) -> T,
    ) -> T {
        let own: Vec<_> =
            running.iter().filter(|it| space_of(it).as_ref() == Some(space)).collect();
        let values = BTreeMap::from([("SPACE_ID".to_owned(), space.docker_name())]);
        let web = template.web.as_ref().and_then(|web| {
            let container = own.iter().find(|it| service_of(it) == Some(&web.service))?;
            Some(SocketAddr::new(address_of(container, space)?, web.port))
        });
        let containers = containers(self.labels.state_id(), &own, running, template);
        ask(Asker {
            docker: &self.docker,
            commands: &self.commands,
            template,
            values: &values,
            containers: &containers,
            web,
        })
        .await
    }
}
