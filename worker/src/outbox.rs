//! What the edge is yet to be told, the latest of each space.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::SpaceId;
use fleet::Observation;
use tokio::sync::Notify;

/// Most bytes of observations in one message: well below the 64 KiB that the edge reads.
const BATCH_BYTES_MAX: usize = 48 * 1024;

/// Observations that the edge has not taken. Holds one for each space at most, since a later one
/// says all that an earlier one said.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pending: Mutex<Pending>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    /// In the order in which they were made.
    items: BTreeMap<u64, Observation>,
    of_space: HashMap<SpaceId, u64>,
    count: u64,
}

impl Outbox {
    /// Has the edge told, in the place of what it was to be told of the space before.
    pub(crate) fn push(&self, observation: Observation) {
        let mut pending = self.pending();
        pending.count += 1;
        let number = pending.count;
        if let Some(before) = pending.of_space.insert(observation.space.clone(), number) {
            pending.items.remove(&before);
        }
        pending.items.insert(number, observation);
        drop(pending);
        self.added.notify_one();
    }

    /// Waits until there is something to tell, and says what, oldest first.
    pub(crate) async fn next(&self) -> Vec<(u64, Observation)> {
        loop {
            let batch = self.batch();
            if !batch.is_empty() {
                return batch;
            }
            self.added.notified().await;
        }
    }

    /// The edge has taken these, or never will.
    pub(crate) fn settle(&self, batch: &[(u64, Observation)]) {
        let mut pending = self.pending();
        for (number, observation) in batch {
            if pending.items.remove(number).is_some() {
                pending.of_space.remove(&observation.space);
            }
        }
    }

    /// Whether there is nothing to tell.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.pending().items.is_empty()
    }

    fn batch(&self) -> Vec<(u64, Observation)> {
        let pending = self.pending();
        let mut bytes = 0_usize;
        let fits = |(at, it): &(usize, (&u64, &Observation))| {
            let json = serde_json::to_vec(it.1).expect("an observation is plain data");
            bytes = bytes.saturating_add(json.len()).saturating_add(1);
            // One alone has to be told, whatever its size.
            *at == 0 || bytes <= BATCH_BYTES_MAX
        };
        let batch = pending.items.iter().enumerate().take_while(fits);
        batch.map(|(_, (number, it))| (*number, it.clone())).collect()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Generation, ObservedState, Timestamp};

    use super::*;

    fn observation(n: u8, state: ObservedState) -> Observation {
        let space = SpaceId::new(Timestamp::from_unix_ms(0), [n; 10]);
        let generation = Generation::FIRST;
        Observation { space, generation, state, release: None, reason: None, steps: Vec::new() }
    }

    #[tokio::test]
    async fn the_latest_of_each_space_is_told_in_order() {
        let outbox = Outbox::default();
        outbox.push(observation(1, ObservedState::Converging));
        outbox.push(observation(2, ObservedState::Stopped));
        outbox.push(observation(1, ObservedState::Ready));
        let batch = outbox.next().await;
        let told: Vec<_> = batch.iter().map(|(_, it)| it.clone()).collect();
        let want = [observation(2, ObservedState::Stopped), observation(1, ObservedState::Ready)];
        assert_eq!(told, want);
        assert_eq!(outbox.next().await, batch, "until it is taken");
    }

    #[tokio::test]
    async fn a_message_is_no_larger_than_the_edge_reads() {
        let outbox = Outbox::default();
        let long = |n, chars| {
            let reason = Some("x".repeat(chars));
            Observation { reason, ..observation(n, ObservedState::Converging) }
        };
        let large: u8 = 200;
        for n in 0..large {
            outbox.push(long(n, 1000));
        }
        outbox.push(long(large, BATCH_BYTES_MAX));
        let mut told = Vec::new();
        loop {
            let batch = outbox.batch();
            if batch.is_empty() {
                break;
            }
            let bytes: usize =
                batch.iter().map(|(_, it)| serde_json::to_vec(it).unwrap().len()).sum();
            assert!(bytes <= BATCH_BYTES_MAX || batch.len() == 1, "{bytes} in {}", batch.len());
            outbox.settle(&batch);
            told.push(batch.len());
        }
        assert_eq!(told.iter().sum::<usize>(), usize::from(large) + 1);
        assert!(told.len() < 10, "as many at once as fit: {told:?}");
    }

    #[tokio::test]
    async fn what_is_said_while_another_is_under_way_is_told_after_it() {
        let outbox = Outbox::default();
        outbox.push(observation(1, ObservedState::Converging));
        let batch = outbox.next().await;
        outbox.push(observation(1, ObservedState::Ready));
        outbox.settle(&batch);
        let told: Vec<_> = outbox.next().await.into_iter().map(|(_, it)| it.state).collect();
        assert_eq!(told, [ObservedState::Ready]);
    }
}
