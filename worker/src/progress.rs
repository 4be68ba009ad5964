//! The steps of the work on one wish, as people see them.

use domain::{StepRecord, StepState, Timestamp};

/// The steps, each once, in the order in which they were first begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    steps: Vec<StepRecord>,
}

impl Progress {
    /// The steps so far.
    pub(crate) fn steps(&self) -> &[StepRecord] {
        &self.steps
    }

    /// `name` is being done from now on, and what was being done is done. A step that is done anew
    /// keeps its place, and the time at which it was first tried.
    pub(crate) fn begin(&mut self, name: &str, now: Timestamp) {
        for step in self.steps.iter_mut().filter(|it| it.name != name) {
            end(step, StepState::Done, now);
        }
        match self.steps.iter_mut().find(|it| it.name == name) {
            Some(step) => (step.state, step.ended_at) = (StepState::Running, None),
            None => self.steps.push(StepRecord {
                name: name.to_owned(),
                state: StepState::Running,
                started_at: now,
                ended_at: None,
            }),
        }
    }

    /// What was being done is done.
    pub(crate) fn finish(&mut self, now: Timestamp) {
        self.steps.iter_mut().for_each(|it| end(it, StepState::Done, now));
    }

    /// What was being done was not.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        self.steps.iter_mut().for_each(|it| end(it, StepState::Failed, now));
    }

    /// `name` turns out not to have been done, although it was thought to be.
    pub(crate) fn undo(&mut self, name: &str, now: Timestamp) {
        for step in self.steps.iter_mut().filter(|it| it.name == name) {
            (step.state, step.ended_at) = (StepState::Failed, Some(now));
        }
    }
}

fn end(step: &mut StepRecord, state: StepState, now: Timestamp) {
    if step.state == StepState::Running {
        (step.state, step.ended_at) = (state, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(progress: &Progress) -> String {
        let step = |it: &StepRecord| {
            let end = it.ended_at.map_or(-1, Timestamp::unix_ms);
            format!("{} {:?} {}-{end}", it.name, it.state, it.started_at.unix_ms())
        };
        progress.steps().iter().map(step).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_step_ends_when_the_next_one_begins() {
        let mut progress = Progress::default();
        let at = Timestamp::from_unix_ms;
        progress.begin("create-web", at(1));
        progress.begin("create-web", at(2));
        assert_eq!(shown(&progress), "create-web Running 1--1");
        progress.begin("start-web", at(3));
        assert_eq!(shown(&progress), "create-web Done 1-3, start-web Running 3--1");
        progress.fail(at(4));
        assert_eq!(shown(&progress), "create-web Done 1-3, start-web Failed 3-4");
        progress.begin("start-web", at(5));
        progress.finish(at(6));
        assert_eq!(shown(&progress), "create-web Done 1-3, start-web Done 3-6");
        progress.undo("start-web", at(7));
        assert_eq!(shown(&progress), "create-web Done 1-3, start-web Failed 3-7");
    }
}
