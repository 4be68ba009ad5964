//! What spaces use: looked at often, and told in readings.
//!
//! See `docs/decisions/0016-metering-and-billing.md`.

mod cgroup;
mod clock;
mod close;
mod journal;
mod posts;
mod sampler;
mod tally;
mod window;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use bollard::Docker;
use domain::{SpaceId, Timestamp};
use tokio::{sync::Notify, task::JoinSet};

pub(crate) use self::journal::{Journal, JournalError};
use self::{
    cgroup::Roots,
    clock::Moment,
    close::Closer,
    journal::{Stand, Standing},
    sampler::{Sampler, Samples},
    window::Window,
};
use crate::{docker::Labels, metrics::metrics, releases::Releases};

/// How often containers are looked at.
const SAMPLE_PERIOD: Duration = Duration::from_mins(1);

/// The spaces that are metered.
pub(crate) trait Metered: Send + Sync {
    /// Those that there are, and what of them matters here.
    fn metered(&self) -> BTreeMap<SpaceId, MeteredSpace>;
}

/// A space that is metered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MeteredSpace {
    /// Its app.
    pub(crate) app: String,
    /// The release that its data is of; empty for the current one.
    pub(crate) release: String,
    /// Whether it is to be hibernated.
    pub(crate) is_hibernated: bool,
}

/// What a meter is made of.
pub(crate) struct MeterParts<S> {
    pub(crate) docker: Docker,
    pub(crate) labels: Labels,
    pub(crate) releases: Arc<Releases>,
    pub(crate) spaces: Arc<S>,
    pub(crate) journal: Arc<Journal>,
    /// Told when there are readings to be sent.
    pub(crate) written: Arc<Notify>,
    /// How often a reading is made.
    pub(crate) period: Duration,
    pub(crate) now: fn() -> Timestamp,
}

/// Opens the file of the meter in the worker's folder.
///
/// # Errors
/// [`JournalError`].
pub(crate) fn open(worker: &Path) -> Result<Arc<Journal>, JournalError> {
    Journal::open(&worker.join("meter.sqlite")).map(Arc::new)
}

/// Meters. Never ends.
pub(crate) async fn run<S: Metered>(parts: MeterParts<S>) {
    let MeterParts { docker, labels, releases, spaces, journal, written, period, now } = parts;
    let mut sampler = Sampler::new(docker.clone(), labels.clone(), Roots::default());
    // It ends with us.
    let mut listening = JoinSet::new();
    listening.spawn(sampler.listen());
    let mut closer = Closer::new(docker, labels, releases, Arc::clone(&journal), period);
    let mut stand = match journal.stand() {
        Ok(stand) => stand,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the meter begins anew");
            Stand { moment: None, spaces: BTreeMap::new() }
        }
    };
    let mut last = stand.moment.take().unwrap_or_else(|| Moment::now(now()));
    let mut window = Window::begin(&last, period);
    loop {
        tokio::time::sleep(window.pause(&Moment::now(now()), SAMPLE_PERIOD)).await;
        let metered = spaces.metered();
        let moment = Moment::now(now());
        match sampler.sample().await {
            Ok(seen) => {
                add(&mut stand, &metered, seen, (&last, &moment));
                last = moment;
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "what spaces use can't be seen; it is made up for later");
            }
        }
        if window.is_over(&last) {
            closer.close(&mut stand, &metered, &last).await;
            metrics().readings_made();
            written.notify_one();
            window = Window::begin(&last, period);
        }
        if listening.try_join_next().is_some() {
            tracing::error!("nobody listens to Docker for the meter any more");
            return;
        }
    }
}

/// Adds what was used since the last look. Spaces that are new begin now.
fn add(
    stand: &mut Stand,
    metered: &BTreeMap<SpaceId, MeteredSpace>,
    mut all_seen: Samples,
    (last, now): (&Moment, &Moment),
) {
    for (space, is) in metered {
        let is_known = stand.spaces.contains_key(space);
        let elapsed_ms = if is_known { now.since_ms(last) } else { 0 };
        let new = || Standing { posts_until: Some(now.wall), ..Standing::default() };
        let standing = stand.spaces.entry(space.clone()).or_insert_with(new);
        let seen = all_seen.remove(space).unwrap_or_default();
        standing.tally.add(&mut standing.baselines, seen, elapsed_ms, is.is_hibernated);
    }
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod fake_docker;
#[cfg(test)]
mod tests;
