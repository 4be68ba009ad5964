//! What is added up between two looks, in whole units, so that nothing is lost to rounding.

use std::collections::BTreeMap;

use super::cgroup::{Counters, Sample};

/// What a space used that is in no reading yet. Parts of units are carried on to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) elapsed_ms: u64,
    pub(crate) running_ms: u64,
    pub(crate) hibernated_ms: u64,
    pub(crate) cpu_us: u64,
    pub(crate) memory_kib_ms: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) read_bytes: u64,
    pub(crate) write_bytes: u64,
}

/// The whole units of a tally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) seconds: u64,
    pub(crate) running_seconds: u64,
    pub(crate) hibernated_seconds: u64,
    pub(crate) cpu_ms: u64,
    pub(crate) memory_mib_seconds: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) read_bytes: u64,
    pub(crate) write_bytes: u64,
}

const KIB_MS_OF_MIB_SECOND: u64 = 1024 * 1000;

/// The containers of a space, by id, as they were seen last.
pub(crate) type Baselines = BTreeMap<String, Counters>;

impl Tally {
    /// Adds what was used in the `elapsed_ms` since `before`, which becomes what is seen now.
    ///
    /// A container that was not seen before has its counters from 0 on, and its time from now on. So has
    /// one whose counters are below those of before: it was started again.
    pub(crate) fn add(
        &mut self,
        before: &mut Baselines,
        now: BTreeMap<String, Sample>,
        elapsed_ms: u64,
        is_hibernated: bool,
    ) {
        self.elapsed_ms = self.elapsed_ms.saturating_add(elapsed_ms);
        let mut has_run = false;
        let mut seen = Baselines::new();
        for (id, sample) in now {
            let last = before.get(&id).copied();
            has_run |= last.is_some();
            if last.is_some() {
                let memory = sample.memory_kib.saturating_mul(elapsed_ms);
                self.memory_kib_ms = self.memory_kib_ms.saturating_add(memory);
            }
            self.count(last.unwrap_or_default(), sample.counters);
            seen.insert(id, sample.counters);
        }
        *before = seen;
        if has_run {
            self.running_ms = self.running_ms.saturating_add(elapsed_ms);
        } else if is_hibernated {
            self.hibernated_ms = self.hibernated_ms.saturating_add(elapsed_ms);
        }
    }

    fn count(&mut self, before: Counters, now: Counters) {
        let more = |before: u64, now: u64| now.checked_sub(before).unwrap_or(now);
        let parts = [
            (&mut self.cpu_us, before.cpu_us, now.cpu_us),
            (&mut self.rx_bytes, before.rx_bytes, now.rx_bytes),
            (&mut self.tx_bytes, before.tx_bytes, now.tx_bytes),
            (&mut self.read_bytes, before.read_bytes, now.read_bytes),
            (&mut self.write_bytes, before.write_bytes, now.write_bytes),
        ];
        for (sum, before, now) in parts {
            *sum = sum.saturating_add(more(before, now));
        }
    }

    /// Takes the whole units out; what is less than one stays.
    pub(crate) fn take_whole(&mut self) -> Whole {
        let seconds = take(&mut self.elapsed_ms, 1000, u64::MAX);
        Whole {
            seconds,
            // Each has a rest of its own, and no part is longer than the whole.
            running_seconds: take(&mut self.running_ms, 1000, seconds),
            hibernated_seconds: take(&mut self.hibernated_ms, 1000, seconds),
            cpu_ms: take(&mut self.cpu_us, 1000, u64::MAX),
            memory_mib_seconds: take(&mut self.memory_kib_ms, KIB_MS_OF_MIB_SECOND, u64::MAX),
            rx_bytes: std::mem::take(&mut self.rx_bytes),
            tx_bytes: std::mem::take(&mut self.tx_bytes),
            read_bytes: std::mem::take(&mut self.read_bytes),
            write_bytes: std::mem::take(&mut self.write_bytes),
        }
    }
}

/// So many whole units as there are, and no more than `max`.
fn take(amount: &mut u64, unit: u64, max: u64) -> u64 {
    let whole = (*amount / unit).min(max);
    *amount = amount.saturating_sub(whole.saturating_mul(unit));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu_us: u64, memory_kib: u64) -> Sample {
        Sample { counters: Counters { cpu_us, ..Counters::default() }, memory_kib }
    }

    fn containers(seen: &[(&str, u64)]) -> BTreeMap<String, Sample> {
        seen.iter().map(|(id, cpu_us)| ((*id).to_owned(), sample(*cpu_us, 1024))).collect()
    }

    #[test]
    fn a_counter_goes_on_where_it_was_and_from_0_where_it_began_again() {
        type Row = (&'static [(&'static str, u64)], u64, u64);
        #[rustfmt::skip]
        let rows: &[Row] = &[
            // seen                      CPU in all  running in all
            (&[("a", 5_000)],            5_000,      0), // since it was started
            (&[("a", 7_000)],            7_000,      1000),
            (&[("a", 1_000)],            8_000,      2000), // started again
            (&[("a", 1_000), ("b", 4)],  8_004,      3000),
            (&[("b", 6)],                8_006,      4000),
            (&[],                        8_006,      4000),
            (&[("b", 6)],                8_012,      4000), // it was away, and may have begun again
        ];
        let (mut tally, mut baselines) = (Tally::default(), Baselines::new());
        for (seen, cpu_us, running_ms) in rows {
            tally.add(&mut baselines, containers(seen), 1000, false);
            assert_eq!((tally.cpu_us, tally.running_ms), (*cpu_us, *running_ms), "{seen:?}");
        }
        assert_eq!(tally.elapsed_ms, 7000);
    }

    #[test]
    fn what_stands_still_is_hibernated_or_merely_stopped() {
        let (mut tally, mut baselines) = (Tally::default(), Baselines::new());
        tally.add(&mut baselines, BTreeMap::new(), 1500, true);
        tally.add(&mut baselines, BTreeMap::new(), 1000, false);
        let whole = tally.take_whole();
        assert_eq!((whole.seconds, whole.running_seconds, whole.hibernated_seconds), (2, 0, 1));
        assert_eq!((tally.elapsed_ms, tally.hibernated_ms), (500, 500));
    }

    #[test]
    fn no_part_is_longer_than_the_whole() {
        let mut tally = Tally { elapsed_ms: 900, running_ms: 1800, ..Tally::default() };
        assert_eq!(tally.take_whole().running_seconds, 0);
        tally.elapsed_ms += 1100;
        let whole = tally.take_whole();
        assert_eq!((whole.seconds, whole.running_seconds), (2, 1));
        assert_eq!(tally.running_ms, 800);
    }

    /// However often whole units are taken out, they add up to the same.
    #[test]
    fn nothing_is_lost_to_rounding() {
        for every in [1, 2, 7, 50] {
            let (mut tally, mut baselines) = (Tally::default(), Baselines::new());
            let mut sum = Whole::default();
            for step in 1..=100_u64 {
                let seen = BTreeMap::from([("a".to_owned(), sample(step * 777, 333))]);
                tally.add(&mut baselines, seen, 333, false);
                if step % every == 0 || step == 100 {
                    let whole = tally.take_whole();
                    sum.seconds += whole.seconds;
                    sum.cpu_ms += whole.cpu_ms;
                    sum.memory_mib_seconds += whole.memory_mib_seconds;
                }
            }
            let want = (33, 77, 99 * 333 * 333 / KIB_MS_OF_MIB_SECOND);
            assert_eq!((sum.seconds, sum.cpu_ms, sum.memory_mib_seconds), want, "{every}");
        }
    }
}
