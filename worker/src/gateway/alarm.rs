//! Says that a space should be looked at, but not as often as visitors may ask for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::SpaceId;

/// How long after a space was looked at it need not be looked at again.
const PAUSE: Duration = Duration::from_secs(1);

/// Calls for a look at spaces that do not answer.
pub(super) struct Alarm {
    look_again: Arc<dyn Fn(&SpaceId) + Send + Sync>,
    /// The spaces of the last second only.
    last: Mutex<HashMap<SpaceId, Instant>>,
}

impl Alarm {
    /// An alarm that calls `look_again`.
    pub(super) fn new(look_again: Arc<dyn Fn(&SpaceId) + Send + Sync>) -> Self {
        Self { look_again, last: Mutex::default() }
    }

    /// `space` did not answer. Returns whether that is news.
    pub(super) fn raise(&self, space: &SpaceId, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.saturating_duration_since(*at) < PAUSE);
        if last.contains_key(space) {
            return false;
        }
        last.insert(space.clone(), now);
        drop(last);
        (self.look_again)(space);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use domain::Timestamp;

    use super::*;

    #[test]
    fn a_space_is_looked_at_once_a_second() {
        let looks = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&looks);
        let alarm = Alarm::new(Arc::new(move |_| _ = counted.fetch_add(1, Ordering::Relaxed)));
        let space = |n| SpaceId::new(Timestamp::from_unix_ms(0), [n; 10]);
        let begin = Instant::now();
        #[rustfmt::skip]
        let rows = [
            (1, 0,    true), (1, 0,    false), (2, 0,    true),
            (1, 999,  false), (1, 1000, true), (1, 1999, false), (2, 1999, true),
        ];
        for (n, at_ms, want) in rows {
            let at = begin + Duration::from_millis(at_ms);
            assert_eq!(alarm.raise(&space(n), at), want, "{n} at {at_ms} ms");
        }
        assert_eq!(looks.load(Ordering::Relaxed), 4);
    }
}
