//! Looking at what containers use. Docker is asked which there are only after it said that some were
//! started or ended.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bollard::{
    Docker,
    errors::Error,
    query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder},
};
use domain::SpaceId;
use futures::StreamExt as _;

use super::cgroup::{Group, Roots, Sample, has_ended};
use crate::docker::{Labels, space_of};

/// What Docker says of a container that matters here.
const ACTIONS: [&str; 4] = ["start", "die", "destroy", "unpause"];

/// How long to wait before Docker is asked again to say what happens.
const RECONNECT_PAUSE: Duration = Duration::from_secs(2);

/// What the containers of each space use, by their ids.
pub(crate) type Samples = BTreeMap<SpaceId, BTreeMap<String, Sample>>;

/// A container that runs.
#[derive(Debug)]
struct Container {
    space: SpaceId,
    /// Its files; none while they are not found.
    group: Option<Group>,
}

/// What may have changed since Docker was asked.
#[derive(Clone, Debug, Default)]
struct News {
    /// Nobody knows what.
    is_all: bool,
    /// These containers: their first process may be another by now, and its number somebody else's.
    ids: BTreeSet<String>,
}

/// What spaces use can't be seen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SampleError {
    /// It is not known where to look.
    #[error("Docker does not say which containers there are")]
    Docker(#[from] Error),
    /// The system does not let us look.
    #[error("the files of a container can't be read")]
    Files(#[from] io::Error),
    /// Looking went wrong.
    #[error("the look at files went wrong by our own fault")]
    Task(#[from] tokio::task::JoinError),
}

/// Looks at the containers of one installation.
pub(crate) struct Sampler {
    docker: Docker,
    labels: Labels,
    roots: Roots,
    containers: HashMap<String, Container>,
    news: Arc<Mutex<News>>,
}

impl Sampler {
    pub(crate) fn new(docker: Docker, labels: Labels, roots: Roots) -> Self {
        let news = Arc::new(Mutex::new(News { is_all: true, ids: BTreeSet::new() }));
        Self { docker, labels, roots, containers: HashMap::new(), news }
    }

    /// Listens to what Docker says. Never ends.
    pub(crate) fn listen(&self) -> impl Future<Output = ()> + Send + 'static {
        let (docker, news) = (self.docker.clone(), Arc::clone(&self.news));
        let owned = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
        let filters: HashMap<String, Vec<String>> = HashMap::from([
            ("label".to_owned(), self.labels.of_all()),
            ("type".to_owned(), owned(&["container"])),
            ("event".to_owned(), owned(&ACTIONS)),
        ]);
        async move {
            loop {
                let options = EventsOptionsBuilder::new().filters(&filters).build();
                let mut events = docker.events(Some(options));
                // Some may have been missed until now.
                locked(&news).is_all = true;
                while let Some(Ok(event)) = events.next().await {
                    match event.actor.and_then(|it| it.id) {
                        Some(id) => _ = locked(&news).ids.insert(id),
                        None => locked(&news).is_all = true,
                    }
                }
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
        }
    }

    /// What the containers use. One that ends meanwhile is left out.
    ///
    /// # Errors
    /// If Docker does not say which there are, or one can't be read that is there: without it, it would
    /// look as if it had been started again.
    pub(crate) async fn sample(&mut self) -> Result<Samples, SampleError> {
        let news = mem::take(&mut *locked(&self.news));
        if (news.is_all || !news.ids.is_empty())
            && let Err(error) = self.find(&news).await
        {
            let mut again = locked(&self.news);
            again.is_all |= news.is_all;
            again.ids.extend(news.ids);
            return Err(error);
        }
        let containers = mem::take(&mut self.containers);
        let reading = tokio::task::spawn_blocking(move || read(containers)).await;
        // What is known of containers is lost then, so all of them are found again.
        let (containers, samples) = reading.inspect_err(|_| locked(&self.news).is_all = true)?;
        let lost = containers.iter().filter(|(_, it)| it.group.is_none()).map(|(id, _)| id.clone());
        locked(&self.news).ids.extend(lost);
        self.containers = containers;
        Ok(samples?)
    }

    /// Finds the containers that run, and the files of those that are new.
    async fn find(&mut self, news: &News) -> Result<(), SampleError> {
        let filters = HashMap::from([("label".to_owned(), self.labels.of_all())]);
        let options = ListContainersOptionsBuilder::new().filters(&filters).build();
        let running = self.docker.list_containers(Some(options)).await?;
        let mut known = mem::take(&mut self.containers);
        for container in running {
            let Some(id) = container.id else { continue };
            let Some(space) = container.labels.as_ref().and_then(space_of) else { continue };
            let is_known = !news.is_all && !news.ids.contains(&id);
            let group = match known.remove(&id).and_then(|it| it.group).filter(|_| is_known) {
                Some(group) => Some(group),
                None => self.group(&id).await?,
            };
            self.containers.insert(id, Container { space, group });
        }
        Ok(())
    }

    async fn group(&self, id: &str) -> Result<Option<Group>, SampleError> {
        let container = match self.docker.inspect_container(id, None).await {
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            result => result?,
        };
        let pid = container.state.and_then(|it| it.pid).and_then(|it| u32::try_from(it).ok());
        let Some(pid) = pid.filter(|it| *it != 0) else { return Ok(None) };
        match Group::of(&self.roots, pid) {
            Err(error) if has_ended(&error) => Ok(None),
            result => Ok(Some(result?)),
        }
    }
}

/// Reads the files of containers. Those that have ended, or were started again, lose theirs.
fn read(
    mut containers: HashMap<String, Container>,
) -> (HashMap<String, Container>, io::Result<Samples>) {
    let (mut samples, mut failure) = (Samples::new(), None);
    for (id, container) in &mut containers {
        let Some(group) = &container.group else { continue };
        match group.sample() {
            Ok(sample) => {
                let space = samples.entry(container.space.clone()).or_default();
                space.insert(id.clone(), sample);
            }
            Err(error) if has_ended(&error) => container.group = None,
            Err(error) => failure = Some(error),
        }
    }
    (containers, failure.map_or(Ok(samples), Err))
}

fn locked(news: &Mutex<News>) -> MutexGuard<'_, News> {
    news.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
