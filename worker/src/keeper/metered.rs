//! Which spaces are metered.

use std::collections::BTreeMap;

use domain::{Desired, SpaceId};
use reconcile::ContainerRuntime;

use super::Keeper;
use crate::{
    meter::{Metered, MeteredSpace},
    shared::is_stack,
};

impl<R: ContainerRuntime + Send + Sync + 'static> Metered for Keeper<R> {
    /// All that the edge wants something of. What spaces share is the host's.
    fn metered(&self) -> BTreeMap<SpaceId, MeteredSpace> {
        let state = self.state();
        let spaces = state.spaces.iter().filter(|(_, it)| !is_stack(&it.wish));
        let metered = spaces.map(|(id, space)| {
            let is = MeteredSpace {
                app: space.wish.app.clone(),
                release: space.release.clone().unwrap_or_else(|| space.wish.release.clone()),
                is_hibernated: space.wish.desired == Desired::Hibernated,
            };
            (id.clone(), is)
        });
        metered.collect()
    }
}
