//! The part that a space has in the services of its host: made before the space, and removed with it.

use std::{collections::BTreeMap, time::Duration};

use apps::{Check, Shared};
use bollard::query_parameters::ListVolumesOptionsBuilder;
use reconcile::{DesiredStack, Failure};

use super::{LOOKING, of_host};
use crate::docker::{
    Engine,
    error::{failed, files, shown},
    filters,
};

/// How long a command may take that prepares a service for a space, or removes the space from it.
const COMMAND_TIME_MAX: Duration = Duration::from_mins(2);

/// What is on record while services are prepared for the first time: there may be something of the
/// space in them from now on.
const BEGUN: &str = "";

impl Engine {
    /// Has the services of the host prepared for the space.
    pub(in crate::docker) async fn prepare_shared(
        &self,
        desired: &DesiredStack,
    ) -> Result<(), Failure> {
        let Some(shared) = &self.template(desired)?.shared else { return Ok(()) };
        if self.prepared(desired)?.is_none() {
            self.mark(desired, Some(BEGUN)).await?;
        }
        let values = self.command_env(desired).await?;
        self.run_all(desired, &shared.prepare, &values).await?;
        self.mark(desired, Some(&desired.release)).await
    }

    /// Has removed what the services of the host keep of the space, for which release it may have been
    /// made. Where the whole stack is gone, nothing is kept.
    pub(in crate::docker) async fn remove_shared(
        &self,
        desired: &DesiredStack,
    ) -> Result<(), Failure> {
        let prepared = self.prepared(desired)?.filter(|it| it != BEGUN);
        let mut releases: Vec<_> = prepared.into_iter().chain([desired.release.clone()]).collect();
        releases.dedup();
        let templates = releases.iter().filter_map(|it| self.releases.get(&desired.app, it));
        let templates: Vec<_> = templates.collect();
        if templates.is_empty() {
            return Err(Failure::AppUnknown { app: desired.app.clone() });
        }
        // Nobody needs a password to remove what it is for, nor more than the id.
        let mut values = self.command_env(desired).await.unwrap_or_default();
        values.entry("SPACE_ID".to_owned()).or_insert_with(|| desired.space.docker_name());
        for template in templates {
            let Some(shared) = &template.shared else { continue };
            let desired = DesiredStack { release: template.release.clone(), ..desired.clone() };
            if self.is_there(shared).await? {
                self.run_all(&desired, &shared.remove, &values).await?;
            }
        }
        self.mark(desired, None).await
    }

    async fn run_all(
        &self,
        desired: &DesiredStack,
        commands: &[Check],
        values: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        for Check { service, command } in commands {
            let ran = self.exec(desired, service, command, values, COMMAND_TIME_MAX).await;
            let ran = ran.map_err(of_host)?;
            if ran.code != 0 {
                let said = if ran.stderr.is_empty() { &ran.stdout } else { &ran.stderr };
                let said = self.without_secrets(desired, said).await.unwrap_or_default();
                return Err(Failure::SharedRefused { name: service.clone(), said: shown(&said) });
            }
        }
        Ok(())
    }

    /// Whether anything of the stack is on this host.
    pub(in crate::docker) async fn is_there(&self, shared: &Shared) -> Result<bool, Failure> {
        let labels = self.labels.of_space(&self.stack_of(shared));
        if !self.guests(labels.clone(), None).await?.is_empty() {
            return Ok(true);
        }
        let options = ListVolumesOptionsBuilder::new().filters(&filters(labels)).build();
        let volumes = self.docker.list_volumes(Some(options)).await;
        let volumes = volumes.map_err(|it| failed(LOOKING, it))?.volumes;
        Ok(volumes.is_some_and(|it| !it.is_empty()))
    }

    fn prepared(&self, desired: &DesiredStack) -> Result<Option<String>, Failure> {
        let seen = self.files.look(&desired.space);
        seen.map(|it| it.prepared).map_err(|it| files("look at the files of the space", it))
    }

    async fn mark(&self, desired: &DesiredStack, release: Option<&str>) -> Result<(), Failure> {
        let marked = self.files.mark_prepared(&desired.space, release).await;
        marked.map_err(|it| files("note what is prepared", it))
    }
}
