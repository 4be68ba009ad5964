//! What the keeper remembers of a space.

use std::sync::Arc;

use domain::Timestamp;
use fleet::{DesiredSpace, Observation};
use reconcile::{Course, Failure, Step, Target};

use crate::{disk::Level, progress::Progress, routes::Route, wish};

/// What is remembered of one space. All of it may be lost.
pub(super) struct Space {
    pub(super) wish: Arc<DesiredSpace>,
    pub(super) course: Course,
    pub(super) progress: Progress,
    pub(super) end: End,
    /// The release that its data was seen to be of.
    pub(super) release: Option<String>,
    pub(super) told: Option<Observation>,
    /// Whether the edge would not take what it was told last.
    pub(super) was_told_in_vain: bool,
    /// Whether there was a turn since this process knows of it.
    pub(super) was_seen: bool,
    /// How it stands with its disk.
    pub(super) disk: Level,
}

/// Whether the worker has given up on the wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It has not.
    Open,
    /// It has, and the edge is yet to know. Until then what is there is left for somebody to see.
    GaveUp,
    /// It has, and what is left of the attempt is removed.
    Cleared,
}

impl Space {
    /// Of a space that is wanted so, and that nobody has looked at.
    pub(super) fn new(wish: DesiredSpace) -> Self {
        Self {
            wish: Arc::new(wish),
            course: Course::default(),
            progress: Progress::default(),
            end: End::Open,
            release: None,
            told: None,
            was_told_in_vain: false,
            was_seen: false,
            disk: Level::default(),
        }
    }

    /// What to work towards.
    pub(super) fn target(&self) -> Target {
        match wish::target(&self.wish, self.end == End::Cleared) {
            Target::Running if self.disk.is_full() => Target::Stopped,
            target => target,
        }
    }

    /// Remembers that its volumes hold data: files may be lost, and the edge may be away.
    pub(super) fn note_data(&mut self) {
        if !self.wish.has_data {
            Arc::make_mut(&mut self.wish).has_data = true;
        }
    }

    /// What visitors see until the first turn.
    pub(super) fn first_route(&self) -> Route {
        match self.target() {
            Target::Running => {
                Route::Starting { title: self.wish.title.clone(), steps: Vec::new() }
            }
            Target::Stopped => wish::stopped_route(&self.wish),
            Target::Cleared => Route::Failed { reason: String::new() },
            Target::Absent => Route::Removing,
        }
    }
}

/// Which step a failure is of: the one that was being done, or the start of what has ended since.
pub(super) fn note_failure(progress: &mut Progress, failure: &Failure, now: Timestamp) {
    progress.fail(now);
    if let Failure::Exited { service, .. } = failure {
        progress.undo(&Step::StartContainer(service.clone()).name(), now);
    }
}
