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
    /// The edge has it stopped; its data is kept.
    Suspended {
        /// Where anybody can pay for it, if that is why.
        pay_url: Option<String>,
    },
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

    /// From now on requests for `hosts`, and no others, go this way, unless a newer space than
    /// `entry.space` has the first of them, its name: that is free again while the space that had it
    /// is still being removed. A domain is whose it was said to be last.
    pub fn set(&self, hosts: &[String], entry: RouteEntry) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|host, it| it.space != entry.space || hosts.contains(host));
        let entry = Arc::new(entry);
        for (at, host) in hosts.iter().enumerate() {
            if at != 0 || routes.get(host).is_none_or(|it| it.space <= entry.space) {
                routes.insert(host.clone(), Arc::clone(&entry));
            }
        }
    }

    /// From now on no request goes to `space`.
    pub fn remove(&self, space: &SpaceId) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|_, it| it.space != *space);
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
        let hosts = ["garden.localhost".to_owned()];
        routes.set(&hosts, old.clone());
        routes.set(&hosts, new.clone());
        routes.set(&hosts, old.clone());
        routes.remove(&old.space);
        assert_eq!(routes.get("garden.localhost").as_deref(), Some(&new));
        routes.remove(&new.space);
        assert_eq!(routes.get("garden.localhost"), None);
    }

    #[test]
    fn a_domain_that_is_not_the_space_s_any_more_has_no_route() {
        let routes = Routes::default();
        let entry = entry(1, Route::Stopped);
        let hosts = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        routes.set(&hosts(&["garden.localhost", "garden.test"]), entry.clone());
        assert_eq!(routes.get("garden.test").as_deref(), Some(&entry));
        routes.set(&hosts(&["garden.localhost"]), entry.clone());
        assert_eq!(routes.get("garden.test"), None);
        assert_eq!(routes.get("garden.localhost").as_deref(), Some(&entry));
    }
}
