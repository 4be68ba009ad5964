//! Taking tokens from a store that can only count is as good as a token bucket.
//!
//! Method: a store in memory that waits before each call, so that a test decides which of several
//! requests at once goes on. Times are in milliseconds after a start that is on no boundary.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use std::{
    collections::HashSet,
    convert::Infallible,
    future::{Future, poll_fn},
    net::IpAddr,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use domain::Timestamp;
use futures::{executor::block_on, task::noop_waker_ref};
use limits::{Allowance, Counters, Level, Subject, Taken, dies_at, take};
use proptest::prelude::*;

const START_MS: i64 = 1_795_000_001_234;
const MINUTE_MS: i64 = 60_000;

/// What was claimed, and how often the store was called.
#[derive(Default)]
struct Store {
    claimed: Mutex<HashSet<String>>,
    n_calls: Mutex<u32>,
}

impl Store {
    fn n_calls(&self) -> u32 {
        std::mem::take(&mut self.n_calls.lock().unwrap())
    }

    /// Forgets what means nothing any more at `now_ms`.
    fn sweep(&self, now_ms: i64) {
        self.claimed.lock().unwrap().retain(|key| at(now_ms) < dies_at(key).unwrap());
    }
}

/// Lets others go on once.
async fn wait() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Counters for Store {
    type Error = Infallible;

    async fn claim(&self, key: &str) -> Result<bool, Infallible> {
        wait().await;
        *self.n_calls.lock().unwrap() += 1;
        Ok(self.claimed.lock().unwrap().insert(key.to_owned()))
    }

    async fn exists(&self, key: &str) -> Result<bool, Infallible> {
        wait().await;
        *self.n_calls.lock().unwrap() += 1;
        Ok(self.claimed.lock().unwrap().contains(key))
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + ms)
}

fn per_minute(requests: u32) -> Allowance {
    Allowance::per_minute(requests).unwrap()
}

fn subject(number: u8) -> Subject {
    IpAddr::from([192, 0, 2, number]).into()
}

fn take_now(store: &impl Counters<Error = Infallible>, requests: u32, now_ms: i64) -> Taken {
    block_on(take(store, "general", per_minute(requests), &subject(1), at(now_ms))).unwrap()
}

/// A request under way: when it came, and what it does.
type UnderWay<'a> = (i64, Pin<Box<dyn Future<Output = Result<Taken, Infallible>> + 'a>>);

/// Requests that come at `arrivals_ms`; between two calls of the store, `choices` say which of those
/// under way goes on, or that the next one comes. Returns when those that were granted had come.
fn interleave(store: &Store, requests: u32, arrivals_ms: &[i64], choices: &[u8]) -> Vec<i64> {
    let subject = subject(1);
    let mut arrivals_ms = arrivals_ms.iter();
    let mut under_way: Vec<UnderWay<'_>> = Vec::new();
    let mut granted_ms = Vec::new();
    let mut context = Context::from_waker(noop_waker_ref());
    for choice in choices.iter().copied().cycle() {
        let choice = usize::from(choice) % (under_way.len() + 1);
        if choice < under_way.len() {
            let (now_ms, request) = &mut under_way[choice];
            if let Poll::Ready(taken) = request.as_mut().poll(&mut context) {
                if matches!(taken, Ok(Taken::Granted(_))) {
                    granted_ms.push(*now_ms);
                }
                drop(under_way.swap_remove(choice));
            }
        } else if let Some(now_ms) = arrivals_ms.next() {
            let request = take(store, "general", per_minute(requests), &subject, at(*now_ms));
            under_way.push((*now_ms, Box::pin(request)));
        } else if under_way.is_empty() {
            break;
        }
    }
    granted_ms.sort_unstable();
    granted_ms
}

/// Asserts that in no time `d` there are more than `requests + d / T + 1`, `T` being the time for
/// one, nor more than `requests` at once.
fn assert_bound(requests: u32, granted_ms: &[i64]) -> Result<(), TestCaseError> {
    for (first, from_ms) in granted_ms.iter().enumerate() {
        for (last, until_ms) in granted_ms.iter().enumerate().skip(first) {
            let n_more = i64::try_from(last - first).unwrap() - i64::from(requests);
            let came_back = (until_ms - from_ms) * i64::from(requests);
            prop_assert!(n_more < 0 || n_more * MINUTE_MS < came_back, "{granted_ms:?}");
        }
    }
    Ok(())
}

/// Times in order, with bursts and pauses.
fn arrivals(n_max: usize) -> impl Strategy<Value = Vec<i64>> {
    let gap = prop_oneof![4 => Just(0), 3 => 0..3_000_i64, 1 => 0..70_000_i64];
    prop::collection::vec(gap, 1..n_max).prop_map(|gaps| {
        gaps.iter()
            .scan(0, |now, gap| {
                *now += gap;
                Some(*now)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_interleaving_grants_more_than_a_token_bucket(
        requests in 1..12_u32,
        arrivals_ms in arrivals(60),
        choices in prop::collection::vec(any::<u8>(), 50..300),
    ) {
        // Each list of choices must let requests come and go on.
        let choices = [&choices[..], &[0, 1, 2, 3, 4, 5, 6, 7, 255]].concat();
        let store = Store::default();
        let granted_ms = interleave(&store, requests, &arrivals_ms, &choices);
        assert_bound(requests, &granted_ms)?;
        // One token, one request: nothing is lost, either.
        prop_assert_eq!(store.claimed.lock().unwrap().len(), granted_ms.len());
        // Whatever happened, after the time for one token there is one.
        let last_ms = *arrivals_ms.last().unwrap();
        let next_ms = last_ms + MINUTE_MS / i64::from(requests) + 1;
        prop_assert!(matches!(take_now(&store, requests, next_ms), Taken::Granted(_)));
    }

    #[test]
    fn who_comes_at_once_gets_what_there_is_and_no_more(
        requests in 1..40_u32,
        n_requests in 1..60_usize,
        choices in prop::collection::vec(any::<u8>(), 50..300),
    ) {
        let choices = [&choices[..], &[0, 1, 2, 3, 4, 5, 6, 7, 255]].concat();
        let granted_ms = interleave(&Store::default(), requests, &vec![0; n_requests], &choices);
        prop_assert_eq!(granted_ms.len(), n_requests.min(usize::try_from(requests).unwrap()));
    }

    /// The oracle is a bucket in parts of a token, of which a minute has `MINUTE_MS`. Ours gets its
    /// tokens back on the beat of a clock and not when they were taken, so it is less than a token
    /// ahead or behind.
    #[test]
    fn one_after_the_other_the_level_is_that_of_an_exact_bucket(
        requests in 1..12_u32,
        arrivals_ms in arrivals(80),
    ) {
        let store = Store::default();
        let full = i64::from(requests) * MINUTE_MS;
        let (mut parts, mut before_ms) = (full, 0);
        for now_ms in arrivals_ms {
            parts = full.min(parts + (now_ms - before_ms) * i64::from(requests));
            before_ms = now_ms;
            let level = match take_now(&store, requests, now_ms) {
                Taken::Granted(level) => {
                    parts -= MINUTE_MS;
                    level
                }
                Taken::Limited(level) => {
                    prop_assert_eq!(level.remaining, 0);
                    level
                }
            };
            let ahead = i64::from(level.remaining) * MINUTE_MS - parts;
            prop_assert!(-MINUTE_MS < ahead && ahead < MINUTE_MS, "{ahead} at {now_ms}");
            let halvings = requests.next_power_of_two().trailing_zeros();
            prop_assert!(store.n_calls() <= 3 + halvings);
        }
    }

    #[test]
    fn who_is_limited_is_told_when_there_is_one(
        requests in 1..12_u32,
        arrivals_ms in arrivals(60),
    ) {
        let store = Store::default();
        for now_ms in arrivals_ms {
            if let Taken::Limited(level) = take_now(&store, requests, now_ms) {
                let wait_ms = i64::try_from(level.next_in.as_nanos().div_ceil(1_000_000)).unwrap();
                prop_assert!(0 < wait_ms && wait_ms <= MINUTE_MS / i64::from(requests) + 1);
                let too_early = take_now(&store, requests, now_ms + wait_ms - 1);
                prop_assert!(matches!(too_early, Taken::Limited(_)), "{too_early:?}");
                let in_time = take_now(&store, requests, now_ms + wait_ms);
                prop_assert!(matches!(in_time, Taken::Granted(_)), "{in_time:?}");
                break;
            }
        }
    }

    #[test]
    fn callers_and_limits_have_nothing_to_do_with_each_other(
        requests in 1..6_u32,
        arrivals_ms in arrivals(40),
        whose in prop::collection::vec(0..3_u8, 40),
    ) {
        let shared = Store::default();
        let alone = [Store::default(), Store::default(), Store::default()];
        for (now_ms, whose) in arrivals_ms.iter().zip(whose) {
            let (name, subject) = match whose {
                0 => ("general", subject(1)),
                1 => ("general", subject(2)),
                _ => ("special", subject(1)),
            };
            let now = at(*now_ms);
            let [among_others, by_itself] = [&shared, &alone[usize::from(whose)]]
                .map(|it| block_on(take(it, name, per_minute(requests), &subject, now)).unwrap());
            prop_assert_eq!(among_others, by_itself);
        }
    }

    #[test]
    fn what_is_forgotten_meant_nothing(requests in 1..6_u32, arrivals_ms in arrivals(60)) {
        let (kept, swept) = (Store::default(), Store::default());
        for now_ms in arrivals_ms {
            swept.sweep(now_ms);
            prop_assert_eq!(
                take_now(&kept, requests, now_ms),
                take_now(&swept, requests, now_ms)
            );
            let n_kept = swept.claimed.lock().unwrap().len();
            // A token that dies within a second is kept for that second.
            prop_assert!(n_kept <= usize::try_from(requests).unwrap() + 1);
        }
    }
}

/// Ten a minute: after a burst, one each six seconds.
#[test]
fn a_burst_and_then_one_by_one() {
    let store = Store::default();
    // The beat is 766 ms after the start, and each 6,000 ms from there.
    #[rustfmt::skip]
    let rows = [
        // at      is granted  remaining  next in, ms   calls
        (0,        true,       9,         766,          1),
        (1,        true,       8,         765,          6),
        (1,        true,       7,         765,          6),
        (766,      true,       7,         6_000,        6),
        (766,      true,       6,         6_000,        6),
        (766,      true,       5,         6_000,        6),
        (766,      true,       4,         6_000,        6),
        (766,      true,       3,         6_000,        6),
        (766,      true,       2,         6_000,        6),
        (766,      true,       1,         6_000,        7),
        (766,      true,       0,         6_000,        7),
        (766,      false,      0,         6_000,        2),
        (6_765,    false,      0,         1,            2),
        (6_766,    true,       0,         6_000,        7),
        (6_766,    false,      0,         6_000,        2),
        (64_766,   true,       8,         2_000,        6),
        (66_766,   true,       8,         6_000,        6),
        (200_000,  true,       9,         4_766,        1),
    ];
    for (now_ms, is_granted, remaining, next_in_ms, n_calls) in rows {
        let (got, level) = match take_now(&store, 10, now_ms) {
            Taken::Granted(level) => (true, level),
            Taken::Limited(level) => (false, level),
        };
        let got = (got, level.remaining, level.next_in.as_millis(), store.n_calls());
        assert_eq!(got, (is_granted, remaining, next_in_ms, n_calls), "at {now_ms}");
    }
}

/// The first `n_taken` of the living tokens are claimed, and none of them is written down.
struct Huge {
    first: u64,
    n_taken: u64,
    n_calls: Mutex<u32>,
}

impl Huge {
    fn is_taken(&self, key: &str) -> bool {
        *self.n_calls.lock().unwrap() += 1;
        let token: u64 = key.rsplit('.').next().unwrap().parse().unwrap();
        token < self.first + self.n_taken
    }
}

impl Counters for Huge {
    type Error = Infallible;

    async fn claim(&self, key: &str) -> Result<bool, Infallible> {
        Ok(!self.is_taken(key))
    }

    async fn exists(&self, key: &str) -> Result<bool, Infallible> {
        Ok(self.is_taken(key))
    }
}

#[test]
fn ten_million_a_minute_take_few_calls() {
    let requests = 10_000_000;
    // In each millisecond 166 2/3 tokens are born.
    let first = u64::try_from(i128::from(START_MS) * 500 / 3 + 1).unwrap();
    for n_taken in [0, 1, 2, 3, 4_999_999, 5_000_000, 9_999_998, 9_999_999, 10_000_000] {
        let store = Huge { first, n_taken, n_calls: Mutex::new(0) };
        let taken = take_now(&store, requests, 0);
        let remaining = match taken {
            Taken::Granted(Level { remaining, .. }) => u64::from(remaining) + 1,
            Taken::Limited(_) => 0,
        };
        assert_eq!(remaining, 10_000_000 - n_taken);
        let n_calls = *store.n_calls.lock().unwrap();
        assert!(n_calls <= 27, "{n_calls} calls with {n_taken} taken");
    }
}
