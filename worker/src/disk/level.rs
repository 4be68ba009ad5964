//! How a space stands with the disk that it may use.

/// The part of its limit from which on its owner is warned, in hundredths.
const WARNED_FROM: u64 = 90;

/// The part of its limit below which the warning is taken back.
const EASED_BELOW: u64 = 80;

/// The part of its limit below which a space that was stopped runs again: a little room, or it would
/// be stopped again by what it does as it starts.
const BACK_BELOW: u64 = 95;

/// How often its limit a space may use before it is not asked to stop any more, but killed.
const KILLED_FROM: u64 = 2;

const MIB: u64 = 1024 * 1024;

/// What is used, and what may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Bytes that are used.
    pub(crate) bytes: u64,
    /// Mebibytes that may be.
    pub(crate) limit_mib: u32,
}

/// How a space stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Level {
    /// There is room.
    #[default]
    Fine,
    /// There is little room; its owner should know.
    Low {
        /// How much of the limit is used, in hundredths.
        percent: u64,
        /// The limit in mebibytes.
        limit_mib: u32,
    },
    /// There is none. It must not run.
    Full(Usage),
}

impl Usage {
    const fn limit(self) -> u64 {
        self.limit_mib as u64 * MIB
    }

    const fn percent(self) -> u64 {
        match self.bytes.saturating_mul(100).checked_div(self.limit()) {
            Some(percent) => percent,
            None => u64::MAX,
        }
    }

    /// How much more may be used until somebody has to know, in bytes.
    pub(crate) const fn room(self) -> u64 {
        let warned = self.limit() / 100 * WARNED_FROM;
        let next = if self.bytes < warned { warned } else { self.limit() };
        next.saturating_sub(self.bytes)
    }

    /// Whether that is so much that there is no time to ask.
    pub(crate) const fn is_far_over(self) -> bool {
        self.limit().saturating_mul(KILLED_FROM) <= self.bytes
    }

    /// From how many bytes on nothing new is learned by counting more.
    pub(crate) const fn countable_max(limit_mib: u32) -> u64 {
        limit_mib as u64 * MIB * KILLED_FROM + MIB
    }
}

impl Level {
    /// The level of a space that was at this one and now uses so much.
    pub(crate) const fn next(self, usage: Usage) -> Self {
        let percent = usage.percent();
        let (low, full) = match self {
            Self::Fine => (WARNED_FROM, 100),
            Self::Low { .. } => (EASED_BELOW, 100),
            Self::Full(_) => (EASED_BELOW, BACK_BELOW),
        };
        if full <= percent {
            Self::Full(usage)
        } else if low <= percent {
            Self::Low { percent, limit_mib: usage.limit_mib }
        } else {
            Self::Fine
        }
    }

    /// Whether the space must not run.
    pub(crate) const fn is_full(self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// What its owner reads.
    pub(crate) fn reason(self) -> Option<String> {
        match self {
            Self::Fine => None,
            Self::Low { percent, limit_mib } => Some(format!(
                "disk nearly full: {percent} % of {limit_mib} MiB used; at 100 % the space is stopped"
            )),
            Self::Full(usage @ Usage { bytes, limit_mib }) => {
                // By then nobody counts on.
                let (words, used) = if usage.is_far_over() {
                    ("more than ", u64::from(limit_mib) * KILLED_FROM)
                } else {
                    ("", bytes.div_ceil(MIB))
                };
                Some(format!(
                    "disk full: {words}{used} MiB of {limit_mib} MiB used; an operator must make room"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn used(mib: u64) -> Usage {
        Usage { bytes: mib * MIB, limit_mib: 100 }
    }

    #[test]
    fn a_space_is_warned_then_stopped_and_comes_back_with_room_to_spare() {
        let fine = Level::Fine;
        let low = |percent| Level::Low { percent, limit_mib: 100 };
        let full = |mib| Level::Full(used(mib));
        #[rustfmt::skip]
        let rows = [
            (fine,     0,   fine),
            (fine,     89,  fine),
            (fine,     90,  low(90)),
            (fine,     100, full(100)),
            (low(90),  99,  low(99)),
            (low(90),  80,  low(80)),
            (low(90),  79,  fine),
            (low(90),  100, full(100)),
            (full(100), 104, full(104)),
            (full(104), 95,  full(95)),
            (full(104), 94,  low(94)),
            (full(104), 80,  low(80)),
            (full(104), 79,  fine),
        ];
        for (before, mib, want) in rows {
            assert_eq!(before.next(used(mib)), want, "{before:?} at {mib} MiB");
        }
        let nothing_allowed = Usage { bytes: 0, limit_mib: 0 };
        assert!(fine.next(nothing_allowed).is_full());
    }

    #[test]
    fn who_is_far_over_is_not_asked() {
        let rows = [(100, false), (199, false), (200, true), (5000, true)];
        for (mib, want) in rows {
            assert_eq!(used(mib).is_far_over(), want, "{mib} MiB");
        }
        assert!(Usage { bytes: Usage::countable_max(100), limit_mib: 100 }.is_far_over());
        let rooms = [30, 89, 90, 99, 130].map(|mib| used(mib).room() / MIB);
        assert_eq!(rooms, [60, 1, 10, 1, 0]);
    }

    #[test]
    fn its_owner_reads_what_is_the_matter() {
        assert_eq!(Level::Fine.reason(), None);
        let low = Level::Fine.next(used(92)).reason().unwrap();
        assert_eq!(low, "disk nearly full: 92 % of 100 MiB used; at 100 % the space is stopped");
        let rows = [(100 * MIB + 1, "101 MiB"), (777 * MIB, "more than 200 MiB")];
        for (bytes, used) in rows {
            let full = Level::Fine.next(Usage { bytes, limit_mib: 100 }).reason().unwrap();
            let want = format!("disk full: {used} of 100 MiB used; an operator must make room");
            assert_eq!(full, want);
        }
    }
}
