//! Services of the host that spaces use: seen, and put into the spaces' networks.

mod prepare;

use std::collections::{BTreeMap, BTreeSet};

use apps::Shared;
use bollard::{
    errors::Error,
    models::{
        ContainerSummary, ContainerSummaryStateEnum as State, EndpointSettings,
        NetworkConnectRequest, NetworkDisconnectRequest,
    },
    query_parameters::ListContainersOptionsBuilder,
};
use domain::SpaceId;
use reconcile::{DesiredStack, Failure, Health, ObservedStack, SharedState, Target};

use super::{
    Engine,
    error::{failed, has_status},
    filters,
    labels::{self, network_name},
    observe::health,
};
use crate::shared::stack_id;

const LOOKING: &str = "look at the services of the host";

/// A container as those see it in whose networks it may be.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    /// The stack that it is of.
    stack: SpaceId,
    /// Its service there.
    service: String,
    /// What Docker calls it.
    name: String,
    is_ready: bool,
    networks: BTreeSet<String>,
}

impl Engine {
    /// Sees which services of the host are in the space's network, or should be, where `prepared` is
    /// the release that they are prepared for. One that has no container is not seen.
    pub(super) async fn see_shared(
        &self,
        desired: &DesiredStack,
        prepared: Option<&str>,
        stack: &mut ObservedStack,
    ) -> Result<(), Failure> {
        let is_going = matches!(desired.target, Target::Cleared | Target::Absent);
        // Whatever was prepared has to be removed, for which release it may have been.
        stack.is_prepared = prepared.is_some_and(|it| is_going || it == desired.release);
        let shared = self.template(desired).ok().and_then(|it| it.shared.as_ref());
        let is_user = shared.is_some() || prepared.is_some() || desired.release.is_empty();
        let network = network_name(&desired.space);
        if is_going && is_user && stack.has_network {
            // Also those that another release let in.
            let guests = self.guests(self.labels.of_all(), Some(&network)).await?;
            for guest in guests.iter().filter(|it| it.stack != desired.space) {
                let names = shared.map(|it| self.names_of(guest, it)).unwrap_or_default();
                let name = names.into_iter().next().unwrap_or_else(|| guest.name.clone());
                stack.shared.insert(name, guest.state_in(&network));
            }
        }
        if let (Target::Running, Some(shared)) = (desired.target, shared) {
            let of_stack = self.labels.of_space(&self.stack_of(shared));
            let guests = self.guests(of_stack, None).await?;
            self.see_guests(&network, shared, &guests, stack);
        }
        Ok(())
    }

    /// The same of any space that may run, by what is known of all containers, which are `guests` by
    /// their stacks.
    pub(super) fn see_shared_among(
        &self,
        guests: &BTreeMap<SpaceId, Vec<Guest>>,
        space: &SpaceId,
        prepared: Option<&str>,
        stack: &mut ObservedStack,
    ) {
        stack.is_prepared = prepared.is_some();
        let template = prepared.and_then(|it| self.releases.find(it));
        if let Some(shared) = template.and_then(|it| it.shared.as_ref())
            && let Some(guests) = guests.get(&self.stack_of(shared))
        {
            self.see_guests(&network_name(space), shared, guests, stack);
        }
    }

    fn see_guests(
        &self,
        network: &str,
        shared: &Shared,
        guests: &[Guest],
        stack: &mut ObservedStack,
    ) {
        for guest in guests {
            for name in self.names_of(guest, shared) {
                stack.shared.insert(name, guest.state_in(network));
            }
        }
    }

    /// Puts the service of the host that the space calls `name` into its network.
    pub(super) async fn connect_shared(
        &self,
        desired: &DesiredStack,
        name: &str,
    ) -> Result<(), Failure> {
        let Some(shared) = &self.template(desired)?.shared else { return Ok(()) };
        let Some(service) = shared.services.get(name) else { return Ok(()) };
        // All at once: what is in the network already gets no further name.
        let aliases = shared.services.iter().filter(|it| it.1 == service).map(|it| it.0.clone());
        let request = NetworkConnectRequest {
            container: self.container_of(desired, name),
            endpoint_config: Some(EndpointSettings {
                aliases: Some(aliases.collect()),
                ..EndpointSettings::default()
            }),
        };
        match self.docker.connect_network(&network_name(&desired.space), request).await {
            Err(error) if !says(&error, "already exists in network") => {
                Err(of_host(failed(format!("connect {name}"), error)))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Takes the service of the host that the space calls `name`, or the container of this name, out
    /// of the space's network.
    pub(super) async fn disconnect_shared(
        &self,
        desired: &DesiredStack,
        name: &str,
    ) -> Result<(), Failure> {
        let shared = self.template(desired).ok().and_then(|it| it.shared.as_ref());
        let is_known = shared.is_some_and(|it| it.services.contains_key(name));
        let container = if is_known { self.container_of(desired, name) } else { name.to_owned() };
        let request = NetworkDisconnectRequest { container, force: Some(true) };
        match self.docker.disconnect_network(&network_name(&desired.space), request).await {
            Err(error) if !has_status(&error, 404) && !says(&error, "is not connected") => {
                Err(of_host(failed(format!("disconnect {name}"), error)))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Starts the container `name` of `desired`, which somebody may have left in networks of spaces
    /// that are gone: with those it does not start.
    pub(super) async fn start_container(
        &self,
        desired: &DesiredStack,
        name: &str,
    ) -> Result<(), Error> {
        match self.docker.start_container(name, None).await {
            Err(error) if says(&error, "network ") && says(&error, "not found") => {
                self.leave_lost_networks(desired, name).await?;
                self.docker.start_container(name, None).await
            }
            result => result,
        }
    }

    async fn leave_lost_networks(&self, desired: &DesiredStack, name: &str) -> Result<(), Error> {
        let container = self.docker.inspect_container(name, None).await?;
        let joined = container.network_settings.and_then(|it| it.networks).unwrap_or_default();
        let there = self.docker.list_networks(None).await?;
        let there: BTreeSet<_> = there.into_iter().filter_map(|it| it.id).collect();
        let own = network_name(&desired.space);
        for (network, endpoint) in joined {
            // There may be another network of the same name by now.
            if network == own || endpoint.network_id.is_some_and(|it| there.contains(&it)) {
                continue;
            }
            let container = name.to_owned();
            let request = NetworkDisconnectRequest { container, force: Some(true) };
            self.docker.disconnect_network(&network, request).await?;
        }
        Ok(())
    }

    async fn guests(
        &self,
        labels: Vec<String>,
        network: Option<&str>,
    ) -> Result<Vec<Guest>, Failure> {
        let mut filters = filters(labels);
        filters.extend(network.map(|it| ("network".to_owned(), vec![it.to_owned()])));
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(|it| failed(LOOKING, it))?;
        Ok(listed.iter().filter_map(Guest::of).collect())
    }

    /// The stack whose services these are.
    fn stack_of(&self, shared: &Shared) -> SpaceId {
        stack_id(self.labels.state_id(), &shared.stack)
    }

    /// What those that use `shared` call it.
    fn names_of(&self, guest: &Guest, shared: &Shared) -> Vec<String> {
        if guest.stack != self.stack_of(shared) {
            return Vec::new();
        }
        let names = shared.services.iter().filter(|it| *it.1 == guest.service);
        names.map(|it| it.0.clone()).collect()
    }
}

impl Guest {
    /// A container of ours in a list.
    pub(super) fn of(container: &ContainerSummary) -> Option<Self> {
        let labels = container.labels.as_ref()?;
        let networks = container.network_settings.as_ref().and_then(|it| it.networks.as_ref());
        let health = health(container.status.as_deref().unwrap_or_default());
        Some(Self {
            stack: labels::space(labels)?,
            service: labels::service(labels)?.to_owned(),
            name: container.names.as_ref()?.first()?.trim_start_matches('/').to_owned(),
            is_ready: container.state == Some(State::RUNNING)
                && matches!(health, Health::Healthy | Health::Unchecked),
            networks: networks.into_iter().flatten().map(|it| it.0.clone()).collect(),
        })
    }

    fn state_in(&self, network: &str) -> SharedState {
        SharedState { is_ready: self.is_ready, is_connected: self.networks.contains(network) }
    }
}

/// What goes wrong with services that spaces share is not the space's fault.
fn of_host(failure: Failure) -> Failure {
    match failure {
        Failure::Docker { doing, said } => Failure::Host { doing, said },
        other => other,
    }
}

fn says(error: &Error, part: &str) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains(part))
}
