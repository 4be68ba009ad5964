//! Waiting for what happens by itself.

use std::{
    thread,
    time::{Duration, Instant},
};

const PERIOD: Duration = Duration::from_millis(25);

/// What `look` finds, if it finds something within `limit`.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if limit < start.elapsed() {
            return None;
        }
        thread::sleep(PERIOD);
    }
}

/// Waits until `check` agrees. Panics with its last objection after `limit`.
pub fn eventually(limit: Duration, mut check: impl FnMut() -> Result<(), String>) {
    let mut objection = String::new();
    let agreed = within(limit, || match check() {
        Ok(()) => Some(()),
        Err(text) => {
            objection = text;
            None
        }
    });
    assert!(agreed.is_some(), "after {limit:?}: {objection}");
}
