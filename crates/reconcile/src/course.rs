//! Patience with one wish: how long to wait, when to try again, when to give up.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{DesiredStack, Failure, Plan, Step, Target, Waiting};

/// Failed attempts after which a space is given up that was never ready.
const FAILURES_MAX: u32 = 3;

/// The same when waiting for it took too long: it is started once more, and that is all.
const TIMEOUTS_MAX: u32 = 2;

/// Failures of the host after which a release on trial is given up: about a minute of them.
const HICCUPS_MAX: u32 = 9;

/// A space that was ready for so long has its failures forgiven.
const FORGIVEN_AFTER: Duration = Duration::from_mins(1);

/// How long Docker may take to get rid of a container.
const REMOVAL_PATIENCE: Duration = Duration::from_mins(1);

const BACKOFF_MIN: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_mins(1);

/// How long to wait after so many failed attempts: a quarter of a second, doubled each time, at
/// most a minute.
#[must_use]
pub fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    BACKOFF_MIN.saturating_mul(1 << doublings).min(BACKOFF_MAX)
}

/// What becomes of a space after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this time.
    RetryAfter(Duration),
    /// It is no use. A person has to want something else.
    GiveUp,
}

/// How the work on one wish has gone since this process began with it.
///
/// The rule: only a space that should run is given up; to stop and to remove is tried for ever. It
/// is given up at once for a failure that would repeat itself, otherwise after 3 failed attempts,
/// or 2 if it was waited for in vain (all containers are stopped and started between the two). One
/// that was ever ready is in use: it is given up only when a person must look at what was lost.
/// Failures of the host do not count. A minute of being ready forgives all.
///
/// A release on trial is given up like a space that was never ready, and after waiting in vain at
/// once, since visitors wait too: there is one to go back to. That is also why the host's failures
/// count there, if they last for a minute: it may be the release that the host can't take.
///
/// All of it may be lost in a crash: then there is more patience than there had to be.
#[derive(Clone, Debug, Default)]
pub struct Course {
    failures: u32,
    /// Failures of the host since the last of the space's own.
    hiccups: u32,
    not_before: Option<Instant>,
    waiting: Option<(Waiting, Instant)>,
    /// Services that we started and that therefore should run.
    started: BTreeSet<String>,
    /// All containers are to be stopped before the space is started again.
    is_restarting: bool,
    ready_since: Option<Instant>,
}

impl Course {
    /// How long to leave the space alone; `None` if there is no reason to.
    #[must_use]
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        let left = self.not_before?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// What to work towards now, to reach `wanted` in the end.
    #[must_use]
    pub const fn target(&self, wanted: Target) -> Target {
        match wanted {
            Target::Running if self.is_restarting => Target::Stopped,
            Target::Running | Target::Stopped | Target::Cleared | Target::Absent => wanted,
        }
    }

    /// The service that ended although we had started it, if that is why `plan` is what it is.
    #[must_use]
    pub fn ended<'a>(&self, plan: &'a Plan) -> Option<&'a str> {
        match plan {
            Plan::Act(Step::StartContainer(it)) if self.started.contains(it) => Some(it),
            _ => None,
        }
    }

    /// The failure that waiting for `waiting` has become, if it takes too long by now.
    #[must_use]
    pub fn wait(
        &mut self,
        waiting: &Waiting,
        desired: &DesiredStack,
        now: Instant,
    ) -> Option<Failure> {
        let since = match &self.waiting {
            Some((before, since)) if before == waiting => *since,
            _ => now,
        };
        self.waiting = Some((waiting.clone(), since));
        let patience = match waiting {
            Waiting::Ready | Waiting::Healthy(_) | Waiting::Shared(_) => desired.patience,
            Waiting::Removed(_) => REMOVAL_PATIENCE,
        };
        let is_too_long = patience <= now.saturating_duration_since(since);
        is_too_long.then(|| Failure::timed_out(waiting, desired, patience))
    }

    /// For how long it has been waited by now.
    #[must_use]
    pub fn waited(&self, now: Instant) -> Duration {
        let since = self.waiting.as_ref().map(|it| it.1);
        since.map_or(Duration::ZERO, |it| now.saturating_duration_since(it))
    }

    /// `step` was taken.
    pub fn stepped(&mut self, step: &Step) {
        (self.waiting, self.hiccups) = (None, 0);
        if let Step::StartContainer(service) = step {
            self.started.insert(service.clone());
        }
    }

    /// What is there is what was worked towards. Says whether that is what is wanted in the end.
    pub fn converged(&mut self, wanted: Target, now: Instant) -> bool {
        self.waiting = None;
        if self.target(wanted) != wanted {
            self.is_restarting = false;
            self.started.clear();
            return false;
        }
        if wanted == Target::Running {
            self.ready_since.get_or_insert(now);
        } else {
            self.failures = 0;
        }
        true
    }

    /// An attempt failed.
    pub fn failed(
        &mut self,
        failure: &Failure,
        desired: &DesiredStack,
        was_ready: bool,
        now: Instant,
    ) -> Verdict {
        let ready_since = self.ready_since.take();
        if ready_since.is_some_and(|it| FORGIVEN_AFTER <= now.saturating_duration_since(it)) {
            self.failures = 0;
        }
        self.waiting = None;
        if failure.is_of_host() {
            self.hiccups = self.hiccups.saturating_add(1);
            if desired.is_on_trial() && HICCUPS_MAX <= self.hiccups {
                return Verdict::GiveUp;
            }
            return self.pause_for(backoff(self.hiccups), now);
        }
        (self.failures, self.hiccups) = (self.failures.saturating_add(1), 0);
        if let Failure::Exited { service, .. } = failure {
            self.started.remove(service);
        }
        let failures_max = match failure.is_timeout() {
            true if desired.is_on_trial() => 1,
            true => TIMEOUTS_MAX,
            false => FAILURES_MAX,
        };
        let is_over = match failure {
            Failure::Lost(_) => true,
            _ if was_ready && !desired.is_on_trial() => false,
            _ => failure.is_final() || failures_max <= self.failures,
        };
        if is_over && desired.target == Target::Running {
            return Verdict::GiveUp;
        }
        self.is_restarting |= failure.is_timeout() && desired.target == Target::Running;
        self.pause_for(backoff(self.failures), now)
    }

    fn pause_for(&mut self, delay: Duration, now: Instant) -> Verdict {
        self.not_before = now.checked_add(delay);
        Verdict::RetryAfter(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, Stage, simulation::stack};

    fn exited() -> Failure {
        Failure::Exited { service: "web".to_owned(), exit: Exit::default() }
    }

    fn not_ready() -> Failure {
        Failure::timed_out(&Waiting::Ready, &stack(Target::Running), Duration::from_secs(1))
    }

    fn no_image() -> Failure {
        Failure::ImageNotFound { image: String::new(), said: String::new() }
    }

    fn no_docker() -> Failure {
        Failure::DockerDown("refused".into())
    }

    fn disk_full() -> Failure {
        Failure::Host { doing: "create web".to_owned(), said: "no space left".to_owned() }
    }

    fn no_network() -> Failure {
        Failure::NoFreeNetwork { pool: String::new() }
    }

    fn no_registry() -> Failure {
        Failure::ImageNotPulled { image: String::new(), said: String::new() }
    }

    fn lost() -> Failure {
        Failure::Lost(crate::Blocked::SecretsLost)
    }

    type Row = (&'static str, fn() -> Failure, Target, bool, Option<u32>);

    #[test]
    fn how_many_attempts_there_are() {
        #[rustfmt::skip]
        let rows: [Row; 15] = [
            // what      failure    target            was ready  given up after
            ("crash",    exited,    Target::Running,  false,     Some(3)),
            ("crash",    exited,    Target::Running,  true,      None),
            ("time-out", not_ready, Target::Running,  false,     Some(2)),
            ("time-out", not_ready, Target::Running,  true,      None),
            ("no image", no_image,  Target::Running,  false,     Some(1)),
            ("no image", no_image,  Target::Running,  true,      None),
            ("registry", no_registry, Target::Running, false,    Some(3)),
            ("registry", no_registry, Target::Running, true,     None),
            ("lost",     lost,      Target::Running,  true,      Some(1)),
            ("lost",     lost,      Target::Running,  false,     Some(1)),
            ("host",     disk_full, Target::Running,  false,     None),
            ("host",     no_network, Target::Running, false,     None),
            ("no image", no_image,  Target::Absent,   false,     None),
            ("crash",    exited,    Target::Stopped,  false,     None),
            ("host",     no_docker, Target::Running,  false,     None),
        ];
        for (what, failure, target, was_ready, want) in rows {
            let mut course = Course::default();
            let now = Instant::now();
            let attempt = (1..=100).find(|_| {
                course.failed(&failure(), &stack(target), was_ready, now) == Verdict::GiveUp
            });
            assert_eq!(attempt, want, "{what} {target:?} {was_ready}");
        }
    }

    #[test]
    fn what_the_host_did_uses_up_no_attempt() {
        let (mut course, now, desired) =
            (Course::default(), Instant::now(), stack(Target::Running));
        for _ in 0..20 {
            let _ = course.failed(&no_docker(), &desired, false, now);
        }
        assert_eq!(course.pause(now), Some(BACKOFF_MAX));
        let verdict = course.failed(&exited(), &desired, false, now);
        assert_eq!(verdict, Verdict::RetryAfter(BACKOFF_MIN));
    }

    #[test]
    fn what_the_host_does_for_a_minute_ends_a_trial_and_nothing_else() {
        let stages = [
            (Some(Stage::Preparing), Some(9)),
            (Some(Stage::Trying { saved: Vec::new() }), Some(9)),
            (Some(Stage::Undoing), None),
            (None, None),
        ];
        for (stage, want) in stages {
            let mut course = Course::default();
            let (now, desired) = (Instant::now(), DesiredStack { stage, ..stack(Target::Running) });
            let attempt = (1..=100)
                .find(|_| course.failed(&disk_full(), &desired, true, now) == Verdict::GiveUp);
            assert_eq!(attempt, want, "{:?}", desired.stage);
        }
    }

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let got: Vec<_> = (0..=10).map(|it| backoff(it).as_millis()).collect();
        let want = [250, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
        assert_eq!(got, want);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }

    #[test]
    fn a_failed_attempt_is_followed_by_a_pause() {
        let (mut course, now) = (Course::default(), Instant::now());
        assert_eq!(course.pause(now), None);
        let verdict = course.failed(&exited(), &stack(Target::Running), false, now);
        assert_eq!(verdict, Verdict::RetryAfter(BACKOFF_MIN));
        assert_eq!(course.pause(now), Some(BACKOFF_MIN));
        assert_eq!(course.pause(now + BACKOFF_MIN), None);
    }

    #[test]
    fn a_minute_of_being_ready_forgives() {
        let (mut course, now) = (Course::default(), Instant::now());
        let desired = stack(Target::Running);
        for _ in 0..50 {
            assert_ne!(course.failed(&exited(), &desired, false, now), Verdict::GiveUp);
            course.converged(Target::Running, now);
            let later = now + FORGIVEN_AFTER;
            assert_ne!(course.failed(&exited(), &desired, false, later), Verdict::GiveUp);
            course.converged(Target::Running, now);
        }
    }

    #[test]
    fn a_wait_is_over_when_the_template_says_so() {
        let (mut course, begin) = (Course::default(), Instant::now());
        let desired = stack(Target::Running);
        let patience = desired.patience;
        let almost = begin + patience.saturating_sub(Duration::from_millis(1));
        assert!(course.wait(&Waiting::Ready, &desired, begin).is_none());
        assert!(course.wait(&Waiting::Ready, &desired, almost).is_none());
        let failure = course.wait(&Waiting::Ready, &desired, begin + patience);
        assert!(matches!(failure, Some(Failure::NotReady { .. })));
        assert_eq!(course.waited(begin + patience), patience);
        // Another wait begins anew.
        let healthy = Waiting::Healthy("db".to_owned());
        assert!(course.wait(&healthy, &desired, begin + patience).is_none());
    }

    #[test]
    fn after_waiting_in_vain_everything_is_stopped_and_started_once() {
        let (mut course, now) = (Course::default(), Instant::now());
        course.stepped(&Step::StartContainer("web".to_owned()));
        let _ = course.failed(&not_ready(), &stack(Target::Running), false, now);
        assert_eq!(course.target(Target::Running), Target::Stopped);
        assert!(!course.converged(Target::Running, now));
        assert_eq!(course.target(Target::Running), Target::Running);
        let start = Plan::Act(Step::StartContainer("web".to_owned()));
        assert_eq!(course.ended(&start), None, "it was stopped, it did not end");
    }

    #[test]
    fn a_service_that_we_started_and_that_needs_a_start_has_ended() {
        let mut course = Course::default();
        let start = Step::StartContainer("web".to_owned());
        assert_eq!(course.ended(&Plan::Act(start.clone())), None);
        course.stepped(&start);
        assert_eq!(course.ended(&Plan::Act(start.clone())), Some("web"));
        let _ = course.failed(&exited(), &stack(Target::Running), false, Instant::now());
        assert_eq!(course.ended(&Plan::Act(start)), None, "the next attempt is a new one");
    }
}
