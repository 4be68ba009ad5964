//! The meter over made-up containers: killed anywhere, it tells what was used, once.

use std::collections::BTreeMap;

use domain::{SpaceId, Timestamp};
use proptest::prelude::*;

use super::{
    MeteredSpace, add,
    cgroup::{Counters, Sample},
    clock::Moment,
    close::reading,
    journal::{Journal, Stand},
};

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The container uses so much CPU.
    Use(u64),
    /// It is started again, after its counters were looked at.
    StartAgain,
    Look,
    /// A reading is made, and what was there is written down.
    Close,
    /// The worker is killed and started again.
    Kill,
    /// The wall's clock jumps by so many seconds.
    Jump(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0_u64..5_000_000).prop_map(Event::Use),
        1 => Just(Event::StartAgain),
        3 => Just(Event::Look),
        2 => Just(Event::Close),
        2 => Just(Event::Kill),
        1 => (-100_000_i64..100_000).prop_map(Event::Jump),
    ];
    prop::collection::vec(event, 0..60)
}

struct Bench {
    folder: tempfile::TempDir,
    journal: Journal,
    stand: Stand,
    last: Moment,
    now: Moment,
    counter_us: u64,
    space: SpaceId,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("meter.sqlite")).unwrap();
        let wall = Timestamp::from_unix_ms(1_795_000_000_000);
        let now = Moment { boot: "b".to_owned(), uptime_ms: 0, wall };
        let stand = journal.stand().unwrap();
        let space = SpaceId::new(wall, [1; 10]);
        let last = now.clone();
        Self { folder, journal, stand, last, now, counter_us: 0, space }
    }

    fn metered(&self) -> BTreeMap<SpaceId, MeteredSpace> {
        let is = MeteredSpace { app: "a".into(), release: String::new(), is_hibernated: false };
        BTreeMap::from([(self.space.clone(), is)])
    }

    fn look(&mut self) {
        let counters = Counters { cpu_us: self.counter_us, ..Counters::default() };
        let seen = BTreeMap::from([("c".to_owned(), Sample { counters, memory_kib: 1024 })]);
        let samples = BTreeMap::from([(self.space.clone(), seen)]);
        let metered = self.metered();
        add(&mut self.stand, &metered, samples, (&self.last, &self.now));
        self.last = self.now.clone();
    }

    fn close(&mut self) {
        self.look();
        let mut readings = Vec::new();
        for (space, standing) in &mut self.stand.spaces {
            readings.extend(reading(space, standing, 0, self.now.wall));
        }
        self.journal.write(&self.last, &self.stand.spaces, &readings).unwrap();
    }

    fn pass(&mut self, ms: u64) {
        self.now.uptime_ms += ms;
        let wall_ms = self.now.wall.unix_ms() + i64::try_from(ms).unwrap();
        self.now.wall = Timestamp::from_unix_ms(wall_ms);
    }
}

proptest! {
    // Each writes to a disk, and waits for it.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_told_is_what_was_used(events in events()) {
        let mut bench = Bench::new();
        bench.close();
        let mut used_us = 0;
        for event in events {
            bench.pass(700);
            match event {
                Event::Use(us) => {
                    used_us += us;
                    bench.counter_us += us;
                }
                // What was used since the last look is lost with its cgroup, so look and write first.
                Event::StartAgain => {
                    bench.close();
                    bench.counter_us = 0;
                    bench.close();
                }
                Event::Look => bench.look(),
                Event::Close => bench.close(),
                Event::Kill => {
                    let path = bench.folder.path().join("meter.sqlite");
                    bench.journal = Journal::open(&path).unwrap();
                    bench.stand = bench.journal.stand().unwrap();
                    bench.last = bench.stand.moment.take().unwrap();
                }
                Event::Jump(seconds) => {
                    let wall_ms = bench.now.wall.unix_ms() + seconds * 1000;
                    bench.now.wall = Timestamp::from_unix_ms(wall_ms);
                }
            }
        }
        bench.close();
        let readings = bench.journal.unsent(0, 1000, usize::MAX).unwrap();
        let told_ms: u64 = readings.iter().map(|it| it.1.cpu_ms).sum();
        prop_assert_eq!(told_ms, used_us / 1000);
        let told_s: u64 = readings.iter().map(|it| it.1.seconds).sum();
        prop_assert_eq!(told_s, bench.now.uptime_ms / 1000);
        let running_s: u64 = readings.iter().map(|it| it.1.running_seconds).sum();
        prop_assert!(running_s <= told_s && told_s <= running_s + 1);
        for (_, reading) in &readings {
            prop_assert!(reading.running_seconds <= reading.seconds);
            prop_assert!(reading.from <= reading.to);
        }
    }
}
