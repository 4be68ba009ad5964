//! Carries out steps.

use std::{collections::BTreeMap, time::Duration};

use apps::{Kind, Service};
use bollard::{
    errors::Error,
    models::VolumeCreateRequest,
    query_parameters::{
        CreateContainerOptionsBuilder, CreateImageOptionsBuilder, RemoveContainerOptionsBuilder,
    },
};
use futures::TryStreamExt as _;
use reconcile::{Blocked, DesiredStack, Failure, Step};
use tokio::time::{sleep, timeout};

use super::{
    Engine, WAIT_PAUSE, container,
    error::{failed, files, has_status, is_being_removed, not_pulled, of_space, shown},
    labels::{network_name, object_name},
};
use crate::files::FilesError;

/// How long Docker may take to answer that a container has stopped: longer than any template lets
/// its services take.
const STOP_TIME_MAX: Duration = Duration::from_mins(15);

/// How long to wait for a removal that is under way already, before it counts as a failed attempt.
const REMOVAL_TIME_MAX: Duration = Duration::from_secs(10);

/// The failpoints around a step.
macro_rules! points {
    ($name:literal) => {
        [concat!("worker:", $name, ":before"), concat!("worker:", $name, ":after")]
    };
}

const WRITE_SECRETS: [&str; 2] = points!("write-secrets");
const CREATE_NETWORK: [&str; 2] = points!("create-network");
const CREATE_VOLUME: [&str; 2] = points!("create-volume");
const CREATE_CONTAINER: [&str; 2] = points!("create-container");
const START_CONTAINER: [&str; 2] = points!("start-container");
const PREPARE_SHARED: [&str; 2] = points!("prepare-shared");
const CREATE_FIRST_ADMIN: [&str; 2] = points!("create-first-admin");
const WRITE_READY_MARKER: [&str; 2] = points!("write-ready-marker");
const STOP_CONTAINER: [&str; 2] = points!("stop-container");
const BACK_UP: [&str; 2] = points!("back-up");
const REMOVE_CONTAINER: [&str; 2] = points!("remove-container");
const REMOVE_NETWORK: [&str; 2] = points!("remove-network");
const REMOVE_VOLUME: [&str; 2] = points!("remove-volume");
const REMOVE_SECRETS: [&str; 2] = points!("remove-secrets");
const REMOVE_SHARED: [&str; 2] = points!("remove-shared");
const SAVE_DATA: [&str; 2] = points!("save-data");
const COMMIT_UPDATE: [&str; 2] = points!("commit-update");
const REJECT_UPDATE: [&str; 2] = points!("reject-update");
const RESTORE_DATA: [&str; 2] = points!("restore-data");

/// The failpoints of `step`; none where a crash changes nothing that could be observed.
const fn failpoints_of(step: &Step) -> Option<[&'static str; 2]> {
    match step {
        Step::WriteSecrets => Some(WRITE_SECRETS),
        Step::CreateNetwork => Some(CREATE_NETWORK),
        Step::CreateVolume(_) => Some(CREATE_VOLUME),
        Step::CreateContainer(_) => Some(CREATE_CONTAINER),
        Step::StartContainer(_) => Some(START_CONTAINER),
        Step::PrepareShared => Some(PREPARE_SHARED),
        Step::CreateFirstAdmin => Some(CREATE_FIRST_ADMIN),
        Step::MarkReady => Some(WRITE_READY_MARKER),
        Step::StopContainer(_) => Some(STOP_CONTAINER),
        Step::BackUp => Some(BACK_UP),
        Step::RemoveContainer(_) => Some(REMOVE_CONTAINER),
        Step::RemoveNetwork => Some(REMOVE_NETWORK),
        Step::RemoveVolume(_) => Some(REMOVE_VOLUME),
        Step::RemoveFiles => Some(REMOVE_SECRETS),
        Step::RemoveShared => Some(REMOVE_SHARED),
        Step::SaveData => Some(SAVE_DATA),
        Step::CommitUpdate => Some(COMMIT_UPDATE),
        Step::RejectUpdate(_) => Some(REJECT_UPDATE),
        Step::RestoreData => Some(RESTORE_DATA),
        Step::PullImage(_)
        | Step::UnpauseContainer(_)
        | Step::ConnectShared(_)
        | Step::DisconnectShared(_) => None,
    }
}

impl Engine {
    /// Carries out `step`.
    pub(super) async fn take_step(
        &self,
        desired: &DesiredStack,
        step: &Step,
    ) -> Result<(), Failure> {
        let failpoints = failpoints_of(step);
        if let Some([before, _]) = failpoints {
            failpoints::hit(before);
        }
        let space = &desired.space;
        match step {
            Step::WriteSecrets => self.write_secrets(desired).await,
            Step::CreateNetwork => self.create_network(desired).await,
            Step::CreateVolume(volume) => self.create_volume(desired, volume).await,
            Step::PullImage(service) => self.pull_image(desired, service).await,
            Step::CreateContainer(service) => self.create_container(desired, service).await,
            Step::StartContainer(service) => {
                let name = object_name(space, service);
                let result = self.start_container(desired, &name).await;
                done(result, 304, || format!("start {service}")).map_err(of_space)
            }
            Step::UnpauseContainer(service) => {
                let name = object_name(space, service);
                let result = self.docker.unpause_container(&name).await;
                done(result, 304, || format!("unpause {service}"))
            }
            Step::ConnectShared(name) => self.connect_shared(desired, name).await,
            Step::PrepareShared => self.prepare_shared(desired).await,
            Step::CreateFirstAdmin => self.create_first_admin(desired).await,
            Step::MarkReady => {
                let marked = self.files.mark_ready(space, &desired.release).await;
                marked.map_err(|it| files("note that it is ready", it))
            }
            Step::StopContainer(service) => {
                let patient = self.docker.clone().with_timeout(STOP_TIME_MAX);
                let result = patient.stop_container(&object_name(space, service), None).await;
                done(result, 304, || format!("stop {service}"))
            }
            Step::BackUp => self.back_up(desired).await,
            Step::RemoveContainer(service) => {
                // With the volumes that its image may have asked for and that have no name.
                let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
                let name = object_name(space, service);
                match self.docker.remove_container(&name, Some(options)).await {
                    Err(error) if is_being_removed(&error) => self.removed(service, &name).await,
                    result => done(result, 404, || format!("remove {service}")),
                }
            }
            Step::RemoveShared => self.remove_shared(desired).await,
            Step::DisconnectShared(name) => self.disconnect_shared(desired, name).await,
            Step::RemoveNetwork => {
                let result = self.docker.remove_network(&network_name(space)).await;
                done(result, 404, || "remove the network".to_owned())
            }
            Step::RemoveVolume(volume) => self.remove_volume(desired, volume).await,
            Step::RemoveFiles => {
                self.files.remove(space).await.map_err(|it| files("remove the secrets", it))
            }
            Step::SaveData => self.save_data(desired).await,
            Step::CommitUpdate => self.commit_update(desired).await,
            Step::RejectUpdate(reason) => self.reject_update(desired, reason).await,
            Step::RestoreData => self.restore_data(desired).await,
        }?;
        if let Some([_, after]) = failpoints {
            failpoints::hit(after);
        }
        Ok(())
    }

    pub(super) async fn write_secrets(&self, desired: &DesiredStack) -> Result<(), Failure> {
        let template = self.template(desired)?;
        let wanted = template.secrets.iter().map(|(name, it)| (name.clone(), it.bytes));
        let written = self.files.write_secrets(&desired.space, wanted.collect()).await;
        written.map_err(|it| files("write the secrets", it))
    }

    pub(super) async fn create_volume(
        &self,
        desired: &DesiredStack,
        volume: &str,
    ) -> Result<(), Failure> {
        let name = object_name(&desired.space, volume);
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            labels: Some(self.labels.volume(&desired.space, desired.generation, volume)),
            ..VolumeCreateRequest::default()
        };
        // Docker answers with what was there before, if something was: whose it is, labels say.
        let made = self.docker.create_volume(request).await;
        let made = made.map_err(|it| failed(format!("create the volume {volume}"), it))?;
        let is_ours = self.labels.are_of(&made.labels, &desired.space);
        if is_ours { Ok(()) } else { Err(Failure::Foreign { kind: "volume", name }) }
    }

    async fn pull_image(&self, desired: &DesiredStack, service: &str) -> Result<(), Failure> {
        let Some(wish) = desired.services.iter().find(|it| it.name == service) else {
            return Ok(());
        };
        let options = CreateImageOptionsBuilder::new().from_image(&wish.image).build();
        let pulled: Result<Vec<_>, Error> =
            self.docker.create_image(Some(options), None, None).try_collect().await;
        pulled.map(|_| ()).map_err(|error| not_pulled(wish.image.clone(), error))
    }

    /// Waits until a container is gone that somebody else removes. Docker's lists may say for some
    /// time yet that it runs.
    async fn removed(&self, service: &str, name: &str) -> Result<(), Failure> {
        let gone = async {
            loop {
                match self.docker.inspect_container(name, None).await {
                    Ok(_) => sleep(WAIT_PAUSE).await,
                    Err(error) if has_status(&error, 404) => return Ok(()),
                    Err(error) => return Err(failed(format!("look at {name}"), error)),
                }
            }
        };
        let (service, patience) = (service.to_owned(), REMOVAL_TIME_MAX);
        timeout(patience, gone).await.unwrap_or(Err(Failure::NotRemoved { service, patience }))
    }

    async fn create_container(&self, desired: &DesiredStack, service: &str) -> Result<(), Failure> {
        let rendered = self.render(desired, service).await?;
        let labels = self.labels.container(desired, service);
        let template = self.template(desired)?;
        let oom_score = container::oom_score(template, service);
        let mut body = container::body(&desired.space, &rendered, labels, oom_score);
        if template.kind == Kind::Shared {
            // Docker makes it a name in each network that the container is in, where only those that
            // the space has chosen should be names.
            body.hostname = Some(desired.space.docker_name());
        }
        let name = object_name(&desired.space, service);
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        match self.docker.create_container(Some(options), body).await {
            Ok(_) => Ok(()),
            Err(error) if has_status(&error, 409) => self.check_owner(desired, name).await,
            Err(error) => Err(failed(format!("create {service}"), error)),
        }
    }

    /// Whether the container that has the name we need is ours.
    async fn check_owner(&self, desired: &DesiredStack, name: String) -> Result<(), Failure> {
        let found = self.docker.inspect_container(&name, None).await;
        let found = found.map_err(|it| failed(format!("look at {name}"), it))?;
        let labels = found.config.and_then(|it| it.labels).unwrap_or_default();
        let is_ours = self.labels.are_of(&labels, &desired.space);
        if is_ours { Ok(()) } else { Err(Failure::Foreign { kind: "container", name }) }
    }

    /// A service with this space's values filled in.
    async fn render(&self, desired: &DesiredStack, service: &str) -> Result<Service, Failure> {
        let template = self.template(desired)?;
        let values = self.values(desired).await?;
        let services = template
            .render(&values)
            .map_err(|it| Failure::Settings { detail: shown(&it.to_string()) })?;
        let found = services.into_iter().find(|it| it.name == service);
        found.ok_or_else(|| Failure::AppUnknown { app: desired.app.clone() })
    }

    /// All that is filled into the template: what is not secret, and what is.
    pub(super) async fn values(
        &self,
        desired: &DesiredStack,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut values = desired.values.clone();
        if desired.has_secrets {
            values.extend(self.secrets(desired).await?);
        }
        Ok(values)
    }

    async fn secrets(&self, desired: &DesiredStack) -> Result<BTreeMap<String, String>, Failure> {
        self.files.secrets(&desired.space).await.map_err(|error| match error {
            // Another key, or other bytes: for the space it is the same as no secrets at all.
            FilesError::Sealed => Failure::Lost(Blocked::SecretsLost),
            error @ FilesError::Io(_) => files("read the secrets", error),
        })
    }

    /// The release of the template that `desired` is of.
    pub(super) fn template(&self, desired: &DesiredStack) -> Result<&apps::Template, Failure> {
        let template = self.releases.get(&desired.app, &desired.release);
        template.ok_or_else(|| Failure::AppUnknown { app: desired.app.clone() })
    }
}

/// The result of a step for which Docker answers `already` when it is so already.
fn done(
    result: Result<(), Error>,
    already: u16,
    doing: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match result {
        Err(error) if !has_status(&error, already) => Err(failed(doing(), error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{APP_FAILPOINTS, FAILPOINTS, UPDATE_FAILPOINTS};

    #[test]
    fn the_list_of_failpoints_has_those_of_all_steps() {
        let any = String::new;
        let steps = [
            Step::WriteSecrets,
            Step::CreateNetwork,
            Step::CreateVolume(any()),
            Step::PullImage(any()),
            Step::CreateContainer(any()),
            Step::StartContainer(any()),
            Step::UnpauseContainer(any()),
            Step::PrepareShared,
            Step::CreateFirstAdmin,
            Step::MarkReady,
            Step::StopContainer(any()),
            Step::BackUp,
            Step::RemoveContainer(any()),
            Step::RemoveNetwork,
            Step::RemoveVolume(any()),
            Step::RemoveFiles,
            Step::RemoveShared,
            Step::SaveData,
            Step::CommitUpdate,
            Step::RejectUpdate(any()),
            Step::RestoreData,
        ];
        let mut of_steps: Vec<_> = steps.iter().filter_map(failpoints_of).flatten().collect();
        let lists = [&FAILPOINTS[3..], APP_FAILPOINTS, UPDATE_FAILPOINTS];
        let mut listed: Vec<_> = lists.concat();
        of_steps.sort_unstable();
        listed.sort_unstable();
        assert_eq!(of_steps, listed);
        let of_link = ["worker:hello:after", "worker:report:before", "worker:report:after"];
        assert_eq!(FAILPOINTS[..3], of_link);
    }
}
