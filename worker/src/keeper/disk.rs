//! What the keeper has to do with disks: who may use how much, and who must not run.

use std::collections::BTreeMap;

use domain::SpaceId;
use reconcile::{ContainerRuntime, DesiredStack, Stage};

use super::Keeper;
use crate::{
    disk::{Level, Spaces},
    shared::is_stack,
};

impl<R: ContainerRuntime + Send + Sync + 'static> Keeper<R> {
    /// Why the release that `stack` is on trial of is no use, if it needs more disk than it may.
    pub(super) fn too_full_for(&self, space: &SpaceId, stack: &DesiredStack) -> Option<String> {
        let disk = self.state().spaces.get(space)?.disk;
        let is_tried = matches!(stack.stage, Some(Stage::Trying { .. }));
        if disk.is_full() && is_tried { disk.reason() } else { None }
    }
}

impl<R: ContainerRuntime + Send + Sync + 'static> Spaces for Keeper<R> {
    /// What the space's own release says, or the current one if it is more: so an operator can make
    /// room for a space that can't be updated because it is full.
    fn disk_limits(&self) -> BTreeMap<SpaceId, u32> {
        let state = self.state();
        let limit = |app: &str, release: &str| {
            self.templates.releases.get(app, release).map(|it| it.disk_mib)
        };
        // What spaces share is not stopped for what one of them does.
        let spaces = state.spaces.iter().filter(|(_, it)| !is_stack(&it.wish));
        let limits = spaces.filter_map(|(id, space)| {
            let release = space.release.as_ref().unwrap_or(&space.wish.release);
            let limit = limit(&space.wish.app, release).max(limit(&space.wish.app, ""));
            Some((id.clone(), limit?))
        });
        limits.collect()
    }

    fn note_disk(&self, space: &SpaceId, level: Level) {
        let mut state = self.state();
        let is_new = match state.spaces.get_mut(space) {
            Some(known) => std::mem::replace(&mut known.disk, level) != level,
            None => false,
        };
        drop(state);
        if is_new {
            self.look_again(space);
        }
    }
}
