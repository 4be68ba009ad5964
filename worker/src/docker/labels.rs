//! What tells our objects from everybody else's, and one space's from another's.

use std::collections::HashMap;

use domain::{Generation, SpaceId};
use reconcile::DesiredStack;

const STATE: &str = "spaceport.state";
const SPACE: &str = "spaceport.space";
const HOST: &str = "spaceport.host";
const GENERATION: &str = "spaceport.generation";
const SERVICE: &str = "spaceport.service";
const VOLUME: &str = "spaceport.volume";
const RELEASE: &str = "spaceport.release";
const NAME: &str = "spaceport.name";

/// The labels of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    state_id: String,
    host: String,
}

/// Labels as Docker has them.
pub(crate) type LabelMap = HashMap<String, String>;

impl Labels {
    /// The labels of the installation `state_id`, whose host is called `host`.
    pub(crate) const fn new(state_id: String, host: String) -> Self {
        Self { state_id, host }
    }

    /// What the installation is named by.
    pub(crate) fn state_id(&self) -> &str {
        &self.state_id
    }

    /// What every object of the installation `state_id` is found by.
    pub(crate) fn of_state(state_id: &str) -> Vec<String> {
        vec![format!("{STATE}={state_id}")]
    }

    /// What everything of this installation is found by.
    pub(crate) fn of_all(&self) -> Vec<String> {
        Self::of_state(&self.state_id)
    }

    /// What everything of `space` is found by.
    pub(crate) fn of_space(&self, space: &SpaceId) -> Vec<String> {
        let mut labels = self.of_all();
        labels.push(format!("{SPACE}={space}"));
        labels
    }

    /// The labels of a network of `space`.
    pub(crate) fn network(&self, space: &SpaceId, generation: Generation) -> LabelMap {
        HashMap::from([
            (STATE.to_owned(), self.state_id.clone()),
            (HOST.to_owned(), self.host.clone()),
            (SPACE.to_owned(), space.to_string()),
            (GENERATION.to_owned(), generation.to_string()),
        ])
    }

    /// The labels of the volume that the template calls `volume`.
    pub(crate) fn volume(&self, space: &SpaceId, generation: Generation, volume: &str) -> LabelMap {
        let mut labels = self.network(space, generation);
        labels.insert(VOLUME.to_owned(), volume.to_owned());
        labels
    }

    /// The labels of the container of `service`.
    pub(crate) fn container(&self, desired: &DesiredStack, service: &str) -> LabelMap {
        let mut labels = self.network(&desired.space, desired.generation);
        labels.insert(SERVICE.to_owned(), service.to_owned());
        labels.insert(RELEASE.to_owned(), desired.release.clone());
        // What spaces share has no name that anybody would look for.
        let name = desired.web.as_ref().and_then(|_| desired.values.get("SPACE_NAME"));
        labels.extend(name.map(|it| (NAME.to_owned(), it.clone())));
        labels
    }

    /// Whether an object with these labels is this installation's, and of `space`.
    pub(crate) fn are_of(&self, labels: &LabelMap, space: &SpaceId) -> bool {
        labels.get(STATE) == Some(&self.state_id)
            && labels.get(SPACE).is_some_and(|it| it == space.as_str())
    }
}

/// Which space an object with these labels is of.
pub(crate) fn space(labels: &LabelMap) -> Option<SpaceId> {
    labels.get(SPACE)?.parse().ok()
}

/// Which service a container with these labels was made for.
pub(crate) fn service(labels: &LabelMap) -> Option<&str> {
    labels.get(SERVICE).map(String::as_str)
}

/// What the template calls a volume with these labels.
pub(crate) fn volume(labels: &LabelMap) -> Option<&str> {
    labels.get(VOLUME).map(String::as_str)
}

/// The release of the app that a container with these labels was made of.
pub(crate) fn release(labels: &LabelMap) -> Option<&str> {
    labels.get(RELEASE).map(String::as_str)
}

/// What people call the space that a container with these labels is of.
pub(crate) fn name(labels: &LabelMap) -> Option<&str> {
    labels.get(NAME).map(String::as_str)
}

/// Which wish an object with these labels was made for.
pub(crate) fn generation(labels: &LabelMap) -> Option<Generation> {
    labels.get(GENERATION)?.parse().ok().map(Generation)
}

/// The name of the network of `space`.
pub(crate) fn network_name(space: &SpaceId) -> String {
    space.docker_name()
}

/// The name of a container or a volume of `space`.
pub(crate) fn object_name(space: &SpaceId, part: &str) -> String {
    format!("{}-{part}", space.docker_name())
}
