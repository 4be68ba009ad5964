//! Whose turn it is.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Keys that are due at some time, each at most once, and never two turns of one key at once.
///
/// A plain data structure: `T` is whatever the caller's clock gives. Adding says "look again" and
/// nothing else, so adding what is there already only makes it due earlier. What is added while it
/// has its turn is due again when the turn has ended, since the turn may have looked before the
/// change.
#[derive(Debug)]
pub struct Queue<K, T> {
    /// In the order of being due, and of being added among those that are due at once.
    due: BTreeMap<(T, u64), K>,
    waiting: HashMap<K, (T, u64)>,
    /// Whose turn it is, and when they were added again.
    turns: HashMap<K, Option<T>>,
    added: u64,
}

impl<K, T> Default for Queue<K, T> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), waiting: HashMap::new(), turns: HashMap::new(), added: 0 }
    }
}

impl<K: Clone + Eq + Hash, T: Copy + Ord> Queue<K, T> {
    /// Makes `key` due at `at`, or earlier if it is already.
    pub fn add(&mut self, key: K, at: T) {
        if let Some(again) = self.turns.get_mut(&key) {
            *again = Some(again.map_or(at, |it| it.min(at)));
            return;
        }
        if let Some(place) = self.waiting.get(&key) {
            if place.0 <= at {
                return;
            }
            self.due.remove(place);
        }
        self.added = self.added.saturating_add(1);
        let place = (at, self.added);
        self.waiting.insert(key.clone(), place);
        self.due.insert(place, key);
    }

    /// Begins the turn of the key that is due longest at `now`.
    pub fn take(&mut self, now: T) -> Option<K> {
        let place = *self.due.first_key_value()?.0;
        if now < place.0 {
            return None;
        }
        let key = self.due.remove(&place)?;
        self.waiting.remove(&key);
        self.turns.insert(key.clone(), None);
        Some(key)
    }

    /// Ends the turn of `key`, which is due again at `next` if that is some time.
    pub fn end(&mut self, key: K, next: Option<T>) {
        let again = self.turns.remove(&key).flatten();
        if let Some(at) = again.into_iter().chain(next).min() {
            self.add(key, at);
        }
    }

    /// Whether no key is due at any time or has a turn.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.due.is_empty() && self.turns.is_empty()
    }

    /// When the next key is due that has no turn now.
    #[must_use]
    pub fn next_due(&self) -> Option<T> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_twice_has_one_turn_at_the_earlier_time() {
        let mut queue = Queue::default();
        queue.add("garden", 5);
        queue.add("garden", 3);
        queue.add("garden", 9);
        assert_eq!(queue.next_due(), Some(3));
        assert_eq!(queue.take(2), None);
        assert_eq!(queue.take(3), Some("garden"));
        assert_eq!(queue.take(100), None);
    }

    #[test]
    fn no_key_has_two_turns_at_once() {
        let mut queue = Queue::default();
        queue.add("garden", 0);
        assert_eq!(queue.take(0), Some("garden"));
        queue.add("garden", 7);
        queue.add("garden", 1);
        assert_eq!((queue.take(100), queue.next_due()), (None, None));
        queue.end("garden", Some(4));
        assert_eq!(queue.take(1), Some("garden"), "due since it was added in its turn");
        queue.end("garden", None);
        assert_eq!((queue.take(100), queue.next_due()), (None, None), "and once only");
    }

    #[test]
    fn a_turn_may_ask_for_the_next_one() {
        let mut queue = Queue::default();
        queue.add("garden", 0);
        queue.take(0);
        queue.end("garden", Some(8));
        assert_eq!((queue.take(7), queue.take(8)), (None, Some("garden")));
    }

    #[test]
    fn who_is_due_first_comes_first_and_nobody_starves() {
        let mut queue = Queue::default();
        queue.add("late", 2);
        queue.add("first", 1);
        queue.add("second", 1);
        let mut order = Vec::new();
        for _ in 0..6 {
            let key = queue.take(2).unwrap();
            order.push(key);
            queue.end(key, Some(2));
        }
        assert_eq!(order, ["first", "second", "late", "first", "second", "late"]);
    }
}
