//! Asking spaces for what only they know: how many posts they published, and how large the databases are
//! that they have in services of their host.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{SpaceId, Timestamp};
use futures::{StreamExt as _, stream};

use super::{
    MeteredSpace,
    journal::{Stand, Standing},
};
use crate::docker::{Meters, Period, QueryError, Running};

/// How long after its time a post is counted at the latest: until then the app may be about to publish
/// it. A third of the period, if that is less.
const LAG_MAX: Duration = Duration::from_mins(5);

/// How many spaces are asked at once.
const ASKED_AT_ONCE: usize = 4;

/// Asks spaces, and remembers who said nothing.
pub(super) struct Asking {
    meters: Meters,
    lag_ms: i64,
    /// The spaces of which it was said that something is wrong with them.
    ill: Ill,
}

/// What a space says when it is asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// How many posts, and until when.
    pub(super) posts: Option<(u64, Timestamp)>,
    /// The size of its databases in shared services.
    pub(super) shared_kib: Option<u64>,
}

/// What came of asking a space.
struct Answer {
    /// How many posts, and until when; none if there is nothing to be asked.
    posts: Option<(Result<u64, QueryError>, Timestamp)>,
    shared_kib: Result<u64, QueryError>,
}

/// Spaces that are ill, so that it is said once.
#[derive(Debug, Default)]
struct Ill(BTreeSet<SpaceId>);

impl Asking {
    pub(super) fn new(meters: Meters, period: Duration) -> Self {
        Self { meters, lag_ms: lag_ms(period), ill: Ill::default() }
    }

    /// Asks all spaces that run. Of one that is not in the answer nothing is known.
    pub(super) async fn ask(
        &mut self,
        stand: &Stand,
        metered: &BTreeMap<SpaceId, MeteredSpace>,
        now: Timestamp,
    ) -> BTreeMap<SpaceId, Asked> {
        let running = match self.meters.running().await {
            Ok(running) => running,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "posts are counted later: Docker does not say what runs");
                return BTreeMap::new();
            }
        };
        let (asking, running) = (&*self, &running);
        let one = async |(space, is): (&SpaceId, &MeteredSpace)| {
            let standing = stand.spaces.get(space)?;
            let answer = asking.ask_one(running, space, is, standing, now).await?;
            Some((space.clone(), answer))
        };
        let answers = stream::iter(metered).map(one).buffer_unordered(ASKED_AT_ONCE);
        let answers: Vec<_> = answers.filter_map(std::future::ready).collect().await;
        self.ill.0.retain(|it| metered.contains_key(it));
        let heard = answers.into_iter().map(|(space, answer)| {
            let asked = self.ill.heard(&space, answer);
            (space, asked)
        });
        heard.collect()
    }

    async fn ask_one(
        &self,
        running: &Running,
        space: &SpaceId,
        is: &MeteredSpace,
        standing: &Standing,
        now: Timestamp,
    ) -> Option<Answer> {
        let template = self.meters.template(&is.app, &is.release)?;
        let posts = match period(standing.posts_until, now, self.lag_ms) {
            Some(period) => {
                let said = self.meters.posts(running, space, template, period).await;
                said.map(|it| (it, period.to))
            }
            None => None,
        };
        let shared_kib = self.meters.shared_kib(running, space, template).await;
        Some(Answer { posts, shared_kib })
    }
}

impl Ill {
    /// What was said. A space that does not run says nothing, and is asked again.
    fn heard(&mut self, space: &SpaceId, answer: Answer) -> Asked {
        let Answer { posts, shared_kib } = answer;
        let is_away = |it: &&QueryError| matches!(it, QueryError::NotRunning(_));
        let of_posts = posts.as_ref().and_then(|it| it.0.as_ref().err());
        let all: Vec<_> = of_posts.into_iter().chain(shared_kib.as_ref().err()).collect();
        if all.is_empty() {
            self.0.remove(space);
        }
        if let Some(error) = all.into_iter().find(|it| !is_away(it))
            && self.0.insert(space.clone())
        {
            let error: &dyn std::error::Error = error;
            tracing::warn!(space.id = %space, error, "a meter says nothing; it is asked again");
        }
        let posts = posts.and_then(|(said, until)| Some((said.ok()?, until)));
        Asked { posts, shared_kib: shared_kib.ok() }
    }
}

fn lag_ms(period: Duration) -> i64 {
    i64::try_from(LAG_MAX.min(period / 3).as_millis()).unwrap_or(i64::MAX)
}

/// What is asked for, if that is anything: from where it was asked until, to what is over by now.
fn period(until: Option<Timestamp>, now: Timestamp, lag_ms: i64) -> Option<Period> {
    let to = Timestamp::from_unix_ms(now.unix_ms().saturating_sub(lag_ms));
    let from = until?;
    (from < to).then_some(Period { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    #[test]
    fn periods_meet_and_end_before_now() {
        #[rustfmt::skip]
        let rows = [
            // until        now    lag  period
            (Some(0),       1000,  300, Some((0, 700))),
            (Some(700),     2000,  300, Some((700, 1700))),
            (Some(700),     1000,  300, None),
            (Some(5000),    1000,  300, None), // the clock jumped back
            (Some(999),     1000,  0,   Some((999, 1000))),
            (None,          1000,  300, None),
        ];
        for (until, now, lag_ms, want) in rows {
            let found = period(until.map(at), at(now), lag_ms);
            let found = found.map(|it| (it.from.unix_ms(), it.to.unix_ms()));
            assert_eq!(found, want, "{until:?} {now}");
        }
    }

    #[test]
    fn posts_may_come_five_minutes_late_or_a_third_of_a_short_period() {
        for (period_s, want_ms) in [(1, 333), (60, 20_000), (900, 300_000), (86_400, 300_000)] {
            assert_eq!(lag_ms(Duration::from_secs(period_s)), want_ms, "{period_s}");
        }
    }

    #[test]
    fn it_is_said_once_that_a_space_is_ill_until_it_is_well() {
        let space = SpaceId::new(at(0), [1; 10]);
        let refused = || Err(QueryError::Refused("no".to_owned()));
        let away = || Err(QueryError::NotRunning("db".to_owned()));
        let mut ill = Ill::default();
        #[rustfmt::skip]
        let rows = [
            // posts             shared     posts heard  shared heard  ill
            (Some(Ok(3)),        Ok(5),     Some(3),     Some(5),      false),
            (Some(refused()),    Ok(5),     None,        Some(5),      true),
            (Some(away()),       away(),    None,        None,         true), // not well yet
            (None,               Ok(0),     None,        Some(0),      false),
            (Some(away()),       away(),    None,        None,         false),
            (Some(away()),       refused(), None,        None,         true),
            (Some(Ok(0)),        Ok(0),     Some(0),     Some(0),      false),
        ];
        for (index, (posts, shared_kib, want_posts, want_shared, is_ill)) in
            rows.into_iter().enumerate()
        {
            let answer = Answer { posts: posts.map(|it| (it, at(7))), shared_kib };
            let posts = want_posts.map(|it| (it, at(7)));
            let want = Asked { posts, shared_kib: want_shared };
            assert_eq!(ill.heard(&space, answer), want, "{index}");
            assert_eq!(ill.0.contains(&space), is_ill, "{index}");
        }
    }
}
