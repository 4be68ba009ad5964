//! What is there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    net::{IpAddr, SocketAddr},
};

use bollard::{
    models::{ContainerSummary, ContainerSummaryStateEnum as State, Network, Volume},
    query_parameters::{
        ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
        LogsOptionsBuilder,
    },
};
use domain::{Generation, SpaceId};
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all};
use reconcile::{
    DesiredStack, Exit, Failure, Health, ObservedContainer, ObservedStack, RunState, UpdateRecord,
};

use super::{
    Engine,
    error::{failed, files, has_status, shown},
    filters, labels,
    labels::object_name,
    shared::Guest,
};

const DOING: &str = "say what is there";
const LOOKING: &str = "look at the files of the space";

/// A stack, and the addresses of its services.
#[derive(Debug, Default)]
struct Seen {
    stack: ObservedStack,
    addresses: HashMap<String, IpAddr>,
    /// Its containers as other stacks see them.
    guests: Vec<Guest>,
}

impl Engine {
    /// What is there of one space.
    pub(super) async fn observe_stack(
        &self,
        desired: &DesiredStack,
    ) -> Result<ObservedStack, Failure> {
        let mut all = self.list(self.labels.of_space(&desired.space)).await?;
        let Seen { mut stack, addresses, .. } = all.remove(&desired.space).unwrap_or_default();
        let prepared = self.see_files(&desired.space, &mut stack)?;
        self.see_shared(desired, prepared.as_deref(), &mut stack).await?;
        stack.upstream = desired
            .web
            .as_ref()
            .and_then(|web| Some(SocketAddr::new(*addresses.get(&web.service)?, web.port)));
        stack.images_missing = self.images_missing(desired, &stack).await?;
        Ok(stack)
    }

    /// What is there of all spaces.
    pub(super) async fn observe_stacks(&self) -> Result<BTreeMap<SpaceId, ObservedStack>, Failure> {
        let mut all = self.list(self.labels.of_all()).await?;
        let with_files = self.files.spaces().map_err(|it| files(LOOKING, it))?;
        for space in with_files {
            all.entry(space).or_default();
        }
        let guests = all.iter_mut().map(|(space, it)| (space.clone(), mem::take(&mut it.guests)));
        let guests: BTreeMap<_, _> = guests.collect();
        let seen = all.into_iter().map(|(space, mut seen)| {
            let prepared = self.see_files(&space, &mut seen.stack)?;
            self.see_shared_among(&guests, &space, prepared.as_deref(), &mut seen.stack);
            Ok((space, seen.stack))
        });
        seen.collect()
    }

    /// Says for which release services of the host are prepared.
    fn see_files(
        &self,
        space: &SpaceId,
        stack: &mut ObservedStack,
    ) -> Result<Option<String>, Failure> {
        let seen = self.files.look(space).map_err(|it| files(LOOKING, it))?;
        (stack.has_files, stack.has_secrets) = (seen.has_any, seen.has_secrets);
        (stack.was_ready, stack.has_first_admin) = (seen.was_ready, seen.has_first_admin);
        (stack.release, stack.update) = (seen.release, seen.update.map(|it| it.record()));
        if let Some(backup) = seen.final_backup {
            let is_there = self.backups.shelf.has(space, &backup.file);
            let is_there = is_there.map_err(|it| files(LOOKING, it.into()))?;
            stack.final_backup = is_there.then_some(backup.generation);
        }
        Ok(seen.prepared)
    }

    /// Of which release the data of `space` is, and how far an update is.
    pub(super) fn standing_of(
        &self,
        space: &SpaceId,
    ) -> Result<(Option<String>, Option<UpdateRecord>), Failure> {
        let seen = self.files.look(space).map_err(|it| files(LOOKING, it))?;
        Ok((seen.release, seen.update.map(|it| it.record())))
    }

    /// Three questions at once, however many spaces there are.
    async fn list(&self, labels: Vec<String>) -> Result<BTreeMap<SpaceId, Seen>, Failure> {
        let filters = filters(labels);
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let (containers, networks, volumes) = tokio::try_join!(
            self.docker.list_containers(Some(containers)),
            self.docker.list_networks(Some(networks)),
            self.docker.list_volumes(Some(volumes)),
        )
        .map_err(|it| failed(DOING, it))?;

        let mut all: BTreeMap<SpaceId, Seen> = BTreeMap::new();
        for network in networks {
            if let Some(space) = of_space(&network) {
                all.entry(space).or_default().stack.has_network = true;
            }
        }
        for Volume { labels, .. } in volumes.volumes.unwrap_or_default() {
            if let (Some(space), Some(name)) = (labels::space(&labels), labels::volume(&labels)) {
                all.entry(space).or_default().stack.volumes.insert(name.to_owned());
            }
        }
        for container in containers {
            let guest = Guest::of(&container);
            let Some((space, address, container)) = observed_container(container) else {
                continue;
            };
            let seen = all.entry(space).or_default();
            seen.guests.extend(guest);
            if let Some(address) = address {
                seen.addresses.insert(container.service.clone(), address);
            }
            seen.stack.containers.push(container);
        }
        Ok(all)
    }

    /// The services that need a container of this release and whose image is not here.
    async fn images_missing(
        &self,
        desired: &DesiredStack,
        stack: &ObservedStack,
    ) -> Result<BTreeSet<String>, Failure> {
        let is_made = |service: &str| {
            let release = stack.container(service).map(|it| &it.release);
            release.is_some_and(|it| it.as_ref().is_none_or(|it| *it == desired.release))
        };
        let needed = desired.services.iter().filter(|it| !is_made(&it.name));
        let missing =
            needed.map(async |service| match self.docker.inspect_image(&service.image).await {
                Ok(_) => Ok(None),
                Err(error) if has_status(&error, 404) => Ok(Some(service.name.clone())),
                Err(error) => Err(failed(DOING, error)),
            });
        Ok(try_join_all(missing).await?.into_iter().flatten().collect())
    }

    /// How the container of `service` ended.
    pub(super) async fn exit(
        &self,
        desired: &DesiredStack,
        service: &str,
    ) -> Result<Exit, Failure> {
        let name = object_name(&desired.space, service);
        let container =
            self.docker.inspect_container(&name, None).await.map_err(|it| failed(DOING, it))?;
        let state = container.state.unwrap_or_default();
        let memory = container.host_config.and_then(|it| it.memory).unwrap_or(0);
        Ok(Exit {
            code: state.exit_code.unwrap_or(0),
            out_of_memory: state.oom_killed.unwrap_or(false),
            memory_mib: u32::try_from(memory / (1024 * 1024)).unwrap_or(0),
            last_line: self.last_line(desired, &name).await,
        })
    }

    /// The last line that a container wrote, if that is to be had, without the space's secrets: it
    /// goes to the edge, which must not have them.
    async fn last_line(&self, desired: &DesiredStack, name: &str) -> Option<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail("5").build();
        let chunks = self.docker.logs(name, Some(options)).take(50);
        let chunks: Vec<_> = chunks.try_collect().await.ok()?;
        let text: Vec<u8> =
            chunks.into_iter().flat_map(bollard::container::LogOutput::into_bytes).collect();
        let text = self.without_secrets(desired, &String::from_utf8_lossy(&text)).await?;
        text.lines().map(shown).rfind(|it| !it.is_empty())
    }
}

fn of_space(network: &Network) -> Option<SpaceId> {
    labels::space(network.labels.as_ref()?)
}

/// A container in a list, as the planner sees it, and its address if it has one.
fn observed_container(
    container: ContainerSummary,
) -> Option<(SpaceId, Option<IpAddr>, ObservedContainer)> {
    let labels = container.labels?;
    let space = labels::space(&labels)?;
    let state = match container.state? {
        State::CREATED | State::EMPTY => RunState::Created,
        State::RUNNING | State::RESTARTING | State::STOPPING => RunState::Running,
        State::PAUSED => RunState::Paused,
        State::EXITED | State::DEAD => RunState::Exited,
        State::REMOVING => RunState::Removing,
    };
    let networks = container.network_settings.and_then(|it| it.networks).unwrap_or_default();
    let address = networks.get(&labels::network_name(&space)).and_then(|it| it.ip_address.as_ref());
    let observed = ObservedContainer {
        service: labels::service(&labels)?.to_owned(),
        generation: labels::generation(&labels).unwrap_or(Generation(0)),
        release: labels::release(&labels).map(str::to_owned),
        state,
        health: health(container.status.as_deref().unwrap_or_default()),
    };
    let address = address.and_then(|it| it.parse().ok());
    Some((space, address.filter(|_| state == RunState::Running), observed))
}

/// The health at the end of a status: `Up 3 seconds (health: starting)`. The list has it nowhere
/// else before API 1.52.
pub(super) fn health(status: &str) -> Health {
    if status.ends_with("(healthy)") {
        Health::Healthy
    } else if status.ends_with("(unhealthy)") {
        Health::Unhealthy
    } else if status.ends_with("(health: starting)") {
        Health::Starting
    } else {
        Health::Unchecked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_at_the_end_of_a_status() {
        #[rustfmt::skip]
        let rows = [
            ("Up 3 seconds (health: starting)", Health::Starting),
            ("Up 3 minutes (healthy)",          Health::Healthy),
            ("Up About an hour (unhealthy)",    Health::Unhealthy),
            ("Up 3 seconds",                    Health::Unchecked),
            ("Up 3 minutes (Paused)",           Health::Unchecked),
            ("Exited (3) 5 minutes ago",        Health::Unchecked),
            ("",                                Health::Unchecked),
        ];
        for (status, want) in rows {
            assert_eq!(health(status), want, "{status:?}");
        }
    }
}
