//! What happens to a space whose money runs out, and when.

use std::time::Duration;

use domain::{Money, Timestamp};

/// How many days before the balance is used up its owners are told.
const WARNINGS: [u8; 3] = [1, 3, 7];

/// How many days before a suspended space is deleted its owners are told.
const LAST_WARNINGS: [u8; 2] = [1, 7];

const DAY_MS: i64 = 86_400_000;

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DunningPolicy {
    /// From when something is owed until the space is suspended.
    pub grace: Duration,
    /// From then until it is deleted.
    pub retention: Duration,
}

/// Who suspended a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspendedBy {
    /// The rule for those who do not pay.
    Payment,
    /// The operator.
    Operator,
}

impl SuspendedBy {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Operator => "operator",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Payment, Self::Operator].into_iter().find(|it| it.as_str() == name)
    }
}

/// That a space is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// By whom.
    pub by: SuspendedBy,
    /// Since when.
    pub at: Timestamp,
}

/// How the money of a space stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoneyStanding {
    /// What it can spend.
    pub available: Money,
    /// What it has used and not paid.
    pub owed: Money,
    /// Until when the balance lasts; `None` if for ever.
    pub paid_until: Option<Timestamp>,
    /// The last warning that is still true, in days.
    pub warned_days: Option<u8>,
    /// Since when something is owed, as is on record.
    pub owed_since: Option<Timestamp>,
    /// Whether it is suspended.
    pub suspension: Option<Suspension>,
}

/// What is to be done with a space now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DunningStep {
    /// Its owners are to know that the balance lasts for so many days at most.
    Warn(u8),
    /// The last warning is no longer true; this one, if any, was given before.
    Unwarn(Option<u8>),
    /// Something is owed: grace begins.
    BeginGrace,
    /// It is paid.
    EndGrace,
    /// Grace is over.
    Suspend,
    /// It is paid, and runs again.
    Resume,
    /// Its owners are to know that it is deleted in so many days.
    WarnOfDeletion(u8),
    /// Nobody paid for it in time.
    Delete,
}

/// The next thing to be done, if there is any. Doing it changes the standing, so that it is not done
/// twice.
#[must_use]
pub fn next_step(
    standing: &MoneyStanding,
    policy: &DunningPolicy,
    now: Timestamp,
) -> Option<DunningStep> {
    match standing.suspension {
        Some(Suspension { by: SuspendedBy::Operator, .. }) => None,
        Some(Suspension { by: SuspendedBy::Payment, at }) => suspended(standing, at, policy, now),
        None => running(standing, policy, now),
    }
}

fn suspended(
    standing: &MoneyStanding,
    at: Timestamp,
    policy: &DunningPolicy,
    now: Timestamp,
) -> Option<DunningStep> {
    if standing.owed.is_zero() && !standing.available.is_zero() {
        return Some(DunningStep::Resume);
    }
    let end = at.plus(policy.retention);
    if end <= now {
        return Some(DunningStep::Delete);
    }
    let due = warning(&LAST_WARNINGS, end, now)?;
    let is_news = standing.warned_days.is_none_or(|it| due < it);
    is_news.then_some(DunningStep::WarnOfDeletion(due))
}

fn running(
    standing: &MoneyStanding,
    policy: &DunningPolicy,
    now: Timestamp,
) -> Option<DunningStep> {
    match (standing.owed.is_zero(), standing.owed_since) {
        (false, None) => return Some(DunningStep::BeginGrace),
        (false, Some(since)) if since.plus(policy.grace) <= now => {
            return Some(DunningStep::Suspend);
        }
        (false, Some(_)) => return None,
        (true, Some(_)) => return Some(DunningStep::EndGrace),
        (true, None) => {}
    }
    let due = standing.paid_until.and_then(|it| warning(&WARNINGS, it, now));
    match (due, standing.warned_days) {
        (Some(due), None) => Some(DunningStep::Warn(due)),
        (Some(due), Some(warned)) if due < warned => Some(DunningStep::Warn(due)),
        (due, warned) if due != warned => Some(DunningStep::Unwarn(due)),
        _ => None,
    }
}

/// The smallest number of days, of those that are warned of, within which `end` comes.
fn warning(days: &[u8], end: Timestamp, now: Timestamp) -> Option<u8> {
    let left_ms = end.unix_ms().saturating_sub(now.unix_ms());
    days.iter().copied().find(|it| left_ms <= i64::from(*it).saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_793_491_200_000;

    fn days(n: i64) -> Timestamp {
        Timestamp::from_unix_ms(NOW + n * DAY_MS)
    }

    fn policy() -> DunningPolicy {
        let days = |n: u64| Duration::from_hours(24 * n);
        DunningPolicy { grace: days(3), retention: days(30) }
    }

    fn standing(available: &str, owed: &str) -> MoneyStanding {
        MoneyStanding {
            available: available.parse().unwrap(),
            owed: owed.parse().unwrap(),
            paid_until: None,
            warned_days: None,
            owed_since: None,
            suspension: None,
        }
    }

    #[test]
    fn each_warning_comes_once_and_again_when_it_is_true_again() {
        use DunningStep::{Unwarn, Warn};
        #[rustfmt::skip]
        let rows = [
            // left, warned   want
            (None,     None,    None),
            (None,     Some(7), Some(Unwarn(None))),
            (Some(30), None,    None),
            (Some(8),  None,    None),
            (Some(7),  None,    Some(Warn(7))),
            (Some(7),  Some(7), None),
            (Some(4),  Some(7), None),
            (Some(3),  Some(7), Some(Warn(3))),
            (Some(2),  None,    Some(Warn(3))),
            (Some(1),  Some(3), Some(Warn(1))),
            (Some(0),  Some(1), None),
            (Some(-1), Some(1), None),
            (Some(5),  Some(1), Some(Unwarn(Some(7)))),
            (Some(9),  Some(3), Some(Unwarn(None))),
        ];
        for (left, warned_days, want) in rows {
            let paid_until = left.map(days);
            let standing = MoneyStanding { paid_until, warned_days, ..standing("1.00", "0") };
            assert_eq!(next_step(&standing, &policy(), days(0)), want, "{left:?} {warned_days:?}");
        }
    }

    #[test]
    fn who_owes_has_grace_and_is_suspended_after_it() {
        use DunningStep::{BeginGrace, EndGrace, Suspend};
        #[rustfmt::skip]
        let rows = [
            // owed        since     want
            ("0",          None,     None),
            ("0.000001",   None,     Some(BeginGrace)),
            ("0.000001",   Some(0),  None),
            ("0.000001",   Some(-2), None),
            ("0.000001",   Some(-3), Some(Suspend)),
            ("0.000001",   Some(1),  None), // a clock went back
            ("0",          Some(-9), Some(EndGrace)),
        ];
        for (owed, since, want) in rows {
            let owed_since = since.map(days);
            let standing = MoneyStanding { owed_since, ..standing("0", owed) };
            assert_eq!(next_step(&standing, &policy(), days(0)), want, "{owed} {since:?}");
        }
    }

    #[test]
    fn a_suspended_space_runs_again_when_it_is_paid_and_is_deleted_in_the_end() {
        use DunningStep::{Delete, Resume, WarnOfDeletion};
        #[rustfmt::skip]
        let rows = [
            // available  owed     at    warned   want
            ("0",         "1.00",  0,    None,    None),
            ("0",         "0",     0,    None,    None),
            ("0.000001",  "0",     -90,  None,    Some(Resume)),
            ("0.50",      "1.00",  -1,   None,    None),
            ("0",         "1.00",  -22,  None,    None),
            ("0",         "1.00",  -23,  None,    Some(WarnOfDeletion(7))),
            ("0",         "1.00",  -25,  Some(7), None),
            ("0",         "1.00",  -29,  Some(7), Some(WarnOfDeletion(1))),
            ("0",         "1.00",  -29,  Some(1), None),
            ("0",         "1.00",  -30,  Some(1), Some(Delete)),
        ];
        for (available, owed, at, warned_days, want) in rows {
            let suspension = Some(Suspension { by: SuspendedBy::Payment, at: days(at) });
            let standing = MoneyStanding { warned_days, suspension, ..standing(available, owed) };
            let found = next_step(&standing, &policy(), days(0));
            assert_eq!(found, want, "{available} {owed} {at} {warned_days:?}");
        }
    }

    #[test]
    fn what_the_operator_suspended_only_the_operator_resumes() {
        let suspension = Some(Suspension { by: SuspendedBy::Operator, at: days(-400) });
        let standing = MoneyStanding { suspension, ..standing("10.00", "0") };
        assert_eq!(next_step(&standing, &policy(), days(0)), None);
    }
}
