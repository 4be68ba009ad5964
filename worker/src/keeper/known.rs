//! What the edge's records are compared with.

use std::collections::BTreeMap;

use domain::{Desired, SpaceId};
use reconcile::ContainerRuntime;

use super::Keeper;
use crate::{
    inventory::Known,
    shared::{is_stack, is_stack_id},
};

impl<R: ContainerRuntime + Send + Sync + 'static> Known for Keeper<R> {
    /// Of spaces that have data and are to keep it.
    fn volumes_wanted(&self) -> BTreeMap<SpaceId, Option<u32>> {
        let state = self.state();
        let spaces = state.spaces.iter().filter(|(_, it)| !is_stack(&it.wish));
        let wanted = spaces.map(|(id, space)| {
            let release = space.release.as_ref().unwrap_or(&space.wish.release);
            let template = self.templates.releases.get(&space.wish.app, release);
            let is_kept = space.wish.has_data && space.wish.desired != Desired::Deleted;
            let n_volumes = template.filter(|_| is_kept).map(|it| it.volumes.len());
            (id.clone(), n_volumes.and_then(|it| u32::try_from(it).ok()))
        });
        wanted.collect()
    }

    /// Known or not: those of them that no space needs any more are not.
    fn is_shared(&self, space: &SpaceId) -> bool {
        is_stack_id(space)
    }
}
