//! Stacks that spaces share: kept like spaces, and nobody is told of them.

use std::{collections::BTreeSet, time::Instant};

use apps::Kind;
use domain::SpaceId;
use fleet::DesiredSpace;
use reconcile::ContainerRuntime;

use super::{Keeper, State, space::Space};
use crate::shared::{stack, stack_of};

impl<R: ContainerRuntime + Send + Sync + 'static> Keeper<R> {
    /// Has the stack made that a space with this wish needs. Once wanted it is kept: it has data of
    /// tenants.
    pub(super) fn want_shared(&self, state: &mut State, wish: &DesiredSpace) {
        if let Some(stack) = stack_of(wish, &self.templates) {
            add(state, stack);
        }
    }

    /// Has those stacks kept that are among what is `there`, although nobody may use them now.
    pub(super) fn keep_shared<'a>(
        &self,
        state: &mut State,
        there: impl Iterator<Item = &'a SpaceId>,
    ) {
        let there: BTreeSet<_> = there.collect();
        let templates = self.templates.releases.current().filter(|it| it.kind == Kind::Shared);
        let stacks = templates.map(|it| stack(&it.id, &self.templates));
        stacks.filter(|it| there.contains(&it.id)).for_each(|it| add(state, it));
    }

    /// The stack with this wish is there, perhaps in new containers: whoever uses it has to look.
    pub(super) fn look_again_at_users(&self, stack: &DesiredSpace) {
        let users: Vec<_> = {
            let state = self.state();
            let uses = |space: &&Space| {
                stack_of(&space.wish, &self.templates).is_some_and(|it| it.id == stack.id)
            };
            state.spaces.values().filter(uses).map(|it| it.wish.id.clone()).collect()
        };
        for user in &users {
            self.look_again(user);
        }
    }
}

fn add(state: &mut State, stack: DesiredSpace) {
    if !state.spaces.contains_key(&stack.id) {
        let id = stack.id.clone();
        state.spaces.insert(id.clone(), Space::new(stack));
        state.queue.add(id, Instant::now());
    }
}
