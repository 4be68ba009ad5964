//! Which space is where, as the gateway reads it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{SpaceId, StepRecord};

/// What becomes of a request for a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The space answers.
    Ready {
        /// Where its web service listens.
        upstream: SocketAddr,
    },
    /// The space is on its way.
    Starting {
        /// What people call it.
        title: String,
        /// How far it is.
        steps: Vec<StepRecord>,
    },
    /// The space is stopped; its data is kept.
    Stopped,
    /// The worker gave up on it.
    Failed {
        /// Why, for its owner.
        reason: String,
    },
    /// The space is on its way out.
    Removing,
}

/// The route to one space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteEntry {
    /// Which space.
    pub space: SpaceId,
    /// What becomes of a request for it.
    pub route: Route,
}

/// All routes of this host, by the host name that requests are for: lower case, no port.
#[derive(Clone, Debug, Default)]
pub struct Routes(Arc<RwLock<HashMap<String, Arc<RouteEntry>>>>);

impl Routes {
    /// The route of `host`.
    #[must_use]
    pub fn get(&self, host: &str) -> Option<Arc<RouteEntry>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    /// From now on requests for `host` go this way, unless a newer space than `entry.space` has the
    /// host: a name is free again while the space that had it is still being removed.
    pub fn set(&self, host: &str, entry: RouteEntry) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if routes.get(host).is_none_or(|it| it.space <= entry.space) {
            routes.insert(host.to_owned(), Arc::new(entry));
        }
    }

    /// From now on nobody has `host`, unless another space than `space` has it by now.
    pub fn remove(&self, host: &str, space: &SpaceId) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if routes.get(host).is_some_and(|it| it.space == *space) {
            routes.remove(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn entry(made_at: i64, route: Route) -> RouteEntry {
        RouteEntry { space: SpaceId::new(Timestamp::from_unix_ms(made_at), [0; 10]), route }
    }

    #[test]
    fn a_space_that_goes_does_not_take_the_name_of_a_newer_one() {
        let routes = Routes::default();
        let (old, new) = (entry(1, Route::Removing), entry(2, Route::Stopped));
        routes.set("garden.localhost", old.clone());
        routes.set("garden.localhost", new.clone());
        routes.set("garden.localhost", old.clone());
        routes.remove("garden.localhost", &old.space);
        assert_eq!(routes.get("garden.localhost").as_deref(), Some(&new));
        routes.remove("garden.localhost", &new.space);
        assert_eq!(routes.get("garden.localhost"), None);
    }
}
