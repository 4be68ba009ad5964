//! The level from a list of times is that of a token bucket.
//!
//! Method: the oracle is a bucket that is written down naively, millisecond by millisecond of what
//! comes back, in parts of a token.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use domain::Timestamp;
use limits::{Allowance, Level};
use proptest::prelude::*;

const START_MS: i64 = 1_795_000_000_000;

/// A token has as many parts as the period has milliseconds, and in each millisecond as many come
/// back as there are requests in a period.
struct Bucket {
    requests: i64,
    period_ms: i64,
    parts: i64,
    at_ms: i64,
}

impl Bucket {
    fn full(allowance: Allowance) -> Self {
        let period_ms = i64::try_from(allowance.period().as_millis()).unwrap();
        let requests = i64::from(allowance.requests());
        Self { requests, period_ms, parts: requests * period_ms, at_ms: 0 }
    }

    fn wait_until(&mut self, at_ms: i64) {
        self.parts += (at_ms - self.at_ms) * self.requests;
        self.parts = self.parts.min(self.requests * self.period_ms);
        self.at_ms = at_ms;
    }

    /// How many tokens, and in how many milliseconds it is one more.
    fn level(&self) -> (i64, i64) {
        let remaining = self.parts / self.period_ms;
        if remaining == self.requests {
            return (remaining, 0);
        }
        let missing = self.period_ms - self.parts % self.period_ms;
        (remaining, missing.div_euclid(self.requests) + i64::from(missing % self.requests != 0))
    }
}

fn allowances() -> impl Strategy<Value = Allowance> {
    let requests = prop_oneof![1..6_u32, 1..1000_u32];
    (requests, any::<bool>()).prop_map(|(requests, is_hourly)| {
        let allowance =
            if is_hourly { Allowance::per_hour(requests) } else { Allowance::per_minute(requests) };
        allowance.unwrap()
    })
}

/// Times of requests, in thousandths of the period, in order.
fn arrivals() -> impl Strategy<Value = Vec<i64>> {
    let gap = prop_oneof![2 => Just(0), 3 => 0..50_i64, 2 => 0..1200_i64];
    prop::collection::vec(gap, 0..60).prop_map(|gaps| {
        gaps.iter()
            .scan(0, |at, gap| {
                *at += gap;
                Some(*at)
            })
            .collect()
    })
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + ms)
}

proptest! {
    #[test]
    fn the_level_is_that_of_a_naive_bucket(
        allowance in allowances(),
        arrivals in arrivals(),
        pause in 0..1500_i64,
    ) {
        let mut bucket = Bucket::full(allowance);
        let in_ms = |thousandths: i64| thousandths * bucket.period_ms / 1000;
        let end_ms = in_ms(arrivals.last().unwrap_or(&0) + pause);
        let arrivals_ms: Vec<i64> = arrivals.iter().map(|it| in_ms(*it)).collect();
        let mut taken = Vec::new();
        let compare = |taken: &[Timestamp], bucket: &Bucket| {
            let level = Level::from_times(allowance, taken.iter().copied(), at(bucket.at_ms));
            let next_in_ms = level.next_in.as_nanos().div_ceil(1_000_000);
            let got = (i64::from(level.remaining), i64::try_from(next_in_ms).unwrap());
            prop_assert_eq!(got, bucket.level(), "{:?} after {:?}", allowance, taken);
            Ok(())
        };
        for now_ms in arrivals_ms {
            bucket.wait_until(now_ms);
            compare(&taken, &bucket)?;
            if bucket.period_ms <= bucket.parts {
                bucket.parts -= bucket.period_ms;
                taken.push(at(now_ms));
            }
        }
        bucket.wait_until(end_ms);
        compare(&taken, &bucket)?;
    }

    /// What is older than the history is forgotten; that costs at most one bucket for each history.
    #[test]
    fn a_caller_who_never_rests_gets_hardly_more(
        requests in 1..4_u32,
        gaps_min in prop::collection::vec(0..40_i64, 100..400),
    ) {
        let allowance = Allowance::per_hour(requests).unwrap();
        let history_ms = i64::try_from(allowance.history().as_millis()).unwrap();
        let (n, period_ms) = (i64::from(requests), 3_600_000);
        let mut taken_ms: Vec<i64> = Vec::new();
        let mut now_ms = 0;
        for gap_min in gaps_min {
            now_ms += gap_min * 60_000;
            let known = taken_ms.iter().filter(|it| now_ms - history_ms < **it);
            let level = Level::from_times(allowance, known.map(|it| at(*it)), at(now_ms));
            if 0 < level.remaining {
                taken_ms.push(now_ms);
            }
        }
        for (first, from_ms) in taken_ms.iter().enumerate() {
            for (last, until_ms) in taken_ms.iter().enumerate().skip(first) {
                let n_taken = i64::try_from(last - first).unwrap() + 1;
                let d_ms = until_ms - from_ms;
                let buckets = 1 + d_ms / (24 * period_ms);
                prop_assert!(
                    n_taken * period_ms <= buckets * n * period_ms + d_ms * n,
                    "{n_taken} in {d_ms} ms"
                );
            }
        }
    }
}
