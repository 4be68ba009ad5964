//! Puts the parts together.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use apps::{Kind, Template};
use bollard::{Docker, models::SystemInfo};
use domain::Timestamp;
use fleet::{Changes, Hello, HelloAnswer};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    EdgeError, FirewallMode, StartError, WorkerOptions,
    backup::{self, BackupKey, Shelf},
    disk::DiskWatch,
    docker::{Backups, DockerLogs, Engine, Labels, Subnets, watch as watch_events},
    files::SpaceFiles,
    firewall::Firewall,
    gateway::{Gateway, GatewayOptions},
    inventory,
    keeper::{Keeper, SpaceCredentials},
    link::Edge,
    meter::{self, MeterParts},
    notices,
    offer::{gateway_url, hello},
    operator_values::OperatorValues,
    outbox::Outbox,
    releases::Releases,
    routes::Routes,
    shared::stack_id,
    wish::Templates,
};

/// How often everything is compared with everything, in case an event was missed.
const RESYNC_PERIOD: Duration = Duration::from_mins(5);

/// How often the filter is put in place, which takes 20 ms: whoever reloads the rules of a host removes
/// ours with them.
const FILTER_PERIOD: Duration = Duration::from_secs(30);

/// How often the edge is told what there is.
const INVENTORY_PERIOD: Duration = Duration::from_mins(5);

/// How long a start waits for a first look at all spaces: those that run can be visited at once.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(3);

/// How long a start waits until it is known which spaces are full.
const FIRST_COUNT_MAX: Duration = Duration::from_secs(1);

/// A running worker. Dropping it stops it at once; the spaces run on in either case.
pub struct Worker {
    gateway: Gateway,
    poke: Arc<Notify>,
    failure: watch::Receiver<Option<EdgeError>>,
    /// All that goes on; it ends with the worker.
    _tasks: JoinSet<()>,
}

impl Worker {
    /// Starts to make of this host what the edge wants of it.
    ///
    /// Returns when the edge has taken our hello, everything that it wants is known, and the
    /// gateway listens. An edge that is not there yet is waited for.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(options: WorkerOptions) -> Result<Self, StartError> {
        // Whoever was first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let templates = templates(&options)?;
        let releases = Arc::clone(&templates.releases);
        let metered_releases = Arc::clone(&releases);
        let pool = &options.network_pool;
        let subnets = pool.parse().map_err(|_| StartError::NetworkPool { text: pool.clone() })?;
        let files = SpaceFiles::open(&options.state_dir.join("worker"))
            .map_err(|(path, cause)| StartError::Files { path, cause })?;
        if let Err(error) = files.remove_stale_copies() {
            tracing::warn!(%error, "copies of volumes may be left of an update");
        }
        let journal = meter::open(&options.state_dir.join("worker"))
            .map_err(|error| StartError::Meter(error.into()))?;
        let backups = backups(&options.state_dir)?;
        let edge = Edge::new(&options.edge_url, options.host_key.clone())
            .ok_or_else(|| StartError::EdgeUrl { url: options.edge_url.clone() })?;
        let docker = connect().await?;
        let firewall = firewall(&options, subnets).await?;
        let info = docker.info().await.map_err(StartError::Docker)?;

        let address = options.gateway_listen;
        let cannot_listen = |cause| StartError::Listen { address, cause };
        let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
        let bound = listener.local_addr().map_err(cannot_listen)?;
        let gateway_url = options.gateway_url.unwrap_or_else(|| gateway_url(bound));
        let is_https = gateway_url.starts_with("https:");

        let shared_mib = shared_mib(&options.state_id, &releases, &files);
        let hello = hello(gateway_url, memory_mib(&info), shared_mib, releases.current());
        let answer = edge.hello(&hello).await?;

        let labels = Labels::new(options.state_id, options.host);
        let shelf = backups.shelf.clone();
        let files_of_engine = files.clone();
        let engine = Engine::new(
            docker.clone(),
            labels.clone(),
            releases,
            files_of_engine,
            subnets,
            backups,
        );
        let (routes, outbox) = (Routes::default(), Arc::new(Outbox::default()));
        let keeper =
            Arc::new(Keeper::new(engine, templates, routes.clone(), Arc::clone(&outbox), now));
        let take = {
            let keeper = Arc::clone(&keeper);
            move |changes: Changes| changes.items.into_iter().for_each(|it| keeper.want(it.space))
        };
        let after = edge.first_changes(&take).await?;

        let mut tasks = JoinSet::new();
        watch_disk(&mut tasks, &keeper, docker.clone(), labels.clone(), info).await;
        tasks.spawn(Arc::clone(&keeper).run());
        tasks.spawn(backup::forget(shelf, options.care.backup_retention_days, now));
        let (learn, ticket_key) = watch::channel(answer.ticket_key);
        let news = News { after, hello, learn, take };
        let (poke, failure) = talk(&mut tasks, &edge, news, &keeper, outbox);
        look(&mut tasks, &keeper, docker.clone(), labels.clone(), firewall);
        let parts = MeterParts {
            docker: docker.clone(),
            labels: labels.clone(),
            releases: metered_releases,
            spaces: Arc::clone(&keeper),
            journal,
            written: Arc::default(),
            period: options.care.meter_period,
            now,
        };
        measure(&mut tasks, &edge, parts);
        tasks.spawn(notices::run(edge.clone(), options.care.mail));
        tasks.spawn(tell_inventory(edge, docker.clone(), labels.clone(), Arc::clone(&keeper)));

        let looking = Arc::clone(&keeper);
        let gateway = Gateway::start(GatewayOptions {
            listener,
            ticket_key,
            is_https,
            routes,
            logs: Arc::new(DockerLogs::new(docker, labels)),
            credentials: Arc::new(SpaceCredentials::new(Arc::clone(&keeper), files)),
            look_again: Arc::new(move |space| looking.look_again(space)),
            now,
        })
        .map_err(cannot_listen)?;

        let seen_all = async {
            while !keeper.has_seen_all() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(FIRST_LOOK_MAX, seen_all).await;
        Ok(Self { gateway, poke, failure, _tasks: tasks })
    }

    /// The address that the gateway listens on.
    #[must_use]
    pub const fn gateway_addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Tells the worker that the edge may want something new. Only shortens its waiting.
    pub fn poke(&self) {
        self.poke.notify_one();
    }

    /// Waits until the worker cannot go on, since the edge has not known its key for a minute. The
    /// gateway serves on until [`Worker::stop`].
    pub async fn failed(&self) -> EdgeError {
        let mut failure = self.failure.clone();
        let failed = failure.wait_for(Option::is_some).await.ok().and_then(|it| it.clone());
        match failed {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Stops within 5 s. The spaces run on, and a step that is under way is taken up by the next
    /// worker.
    pub async fn stop(self) {
        self.gateway.stop().await;
    }
}

/// What goes on with the news of the edge.
struct News<F> {
    /// The last change that was taken.
    after: u64,
    /// What the edge is told when it is back.
    hello: Hello,
    /// Where its ticket key goes.
    learn: watch::Sender<[u8; 32]>,
    /// Where changes go.
    take: F,
}

/// Talks with the edge from now on.
fn talk(
    tasks: &mut JoinSet<()>,
    edge: &Edge,
    news: News<impl Fn(Changes) + Send + 'static>,
    keeper: &Arc<Keeper<Engine>>,
    outbox: Arc<Outbox>,
) -> (Arc<Notify>, watch::Receiver<Option<EdgeError>>) {
    let poke = Arc::new(Notify::new());
    let (failed, failure) = watch::channel(None);
    let failed = Arc::new(failed);

    let (asking, poked, ended) = (edge.clone(), Arc::clone(&poke), Arc::clone(&failed));
    tasks.spawn(async move {
        let News { after, hello, learn, take } = news;
        let learn = |it: HelloAnswer| _ = learn.send_replace(it.ticket_key);
        let error = asking.follow(after, &poked, &hello, learn, take).await;
        ended.send_replace(Some(error));
    });
    let (telling, keeper) = (edge.clone(), Arc::clone(keeper));
    tasks.spawn(async move {
        let (taken, refused) = (|it: &_| keeper.taken(it), |it: &_| keeper.refused(it));
        let error = telling.report(&outbox, taken, refused).await;
        failed.send_replace(Some(error));
    });
    (poke, failure)
}

/// Measures from now on what spaces use, and tells the edge. An edge that will not have us is noticed by
/// those who talk with it of other things, too.
fn measure(tasks: &mut JoinSet<()>, edge: &Edge, parts: MeterParts<Keeper<Engine>>) {
    let (edge, journal, written) =
        (edge.clone(), Arc::clone(&parts.journal), Arc::clone(&parts.written));
    tasks.spawn(meter::run(parts));
    tasks.spawn(async move {
        let error = edge.send_readings(&journal, &written).await;
        tracing::error!(%error, "readings are kept and not sent any more");
    });
}

/// Tells the edge from now on what there is on this host.
async fn tell_inventory(edge: Edge, docker: Docker, labels: Labels, keeper: Arc<Keeper<Engine>>) {
    let mut period = interval(INVENTORY_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        match inventory::take(&docker, &labels, &*keeper, now()).await {
            Ok(parts) => {
                for part in &parts {
                    // The rest would say that what is in this one is not there.
                    if !edge.tell_inventory(part).await {
                        break;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what is on this host can't be listed"),
        }
    }
}

/// Looks at Docker from now on: at what it says has changed, and at everything from time to time.
fn look(
    tasks: &mut JoinSet<()>,
    keeper: &Arc<Keeper<Engine>>,
    docker: Docker,
    labels: Labels,
    firewall: Option<Firewall>,
) {
    let all = Arc::new(Notify::new());
    all.notify_one();
    let (looking, missed) = (Arc::clone(keeper), Arc::clone(&all));
    tasks.spawn(async move {
        let look_again = |space: &_| looking.look_again(space);
        watch_events(docker, labels, look_again, || missed.notify_one()).await;
    });
    let keeper = Arc::clone(keeper);
    tasks.spawn(async move {
        let [mut resync, mut filter] = [RESYNC_PERIOD, FILTER_PERIOD].map(|period| {
            let mut period = interval(period);
            period.set_missed_tick_behavior(MissedTickBehavior::Delay);
            period.reset();
            period
        });
        loop {
            let is_all = tokio::select! {
                _ = resync.tick() => true,
                () = all.notified() => true,
                _ = filter.tick() => false,
            };
            filter_again(firewall.as_ref()).await;
            if is_all {
                keeper.resync().await;
            }
        }
    });
}

/// The backups of this host. What a worker left of them that was killed is removed.
fn backups(state_dir: &Path) -> Result<Backups, StartError> {
    let key = BackupKey::open_or_make(&state_dir.join("worker"))
        .map_err(|(path, cause)| StartError::Files { path, cause })?;
    let shelf = Shelf::new(state_dir);
    if let Err(error) = shelf.remove_parts() {
        tracing::warn!(%error, "something may be left of backups that were cut short");
    }
    Ok(Backups { shelf, key, now })
}

/// Counts from now on how much disk spaces use. What is full already is not to be started first.
async fn watch_disk(
    tasks: &mut JoinSet<()>,
    keeper: &Arc<Keeper<Engine>>,
    docker: Docker,
    labels: Labels,
    info: SystemInfo,
) {
    let root = info.docker_root_dir.unwrap_or_default().into();
    let mut watch = DiskWatch::new(docker, labels, root);
    let _ = timeout(FIRST_COUNT_MAX, watch.look(&**keeper)).await;
    let keeper = Arc::clone(keeper);
    tasks.spawn(async move { watch.run(&*keeper).await });
}

fn templates(options: &WorkerOptions) -> Result<Templates, StartError> {
    let templates = apps::read_dir(&options.apps_dir)?;
    if templates.is_empty() {
        return Err(StartError::NoApps { folder: options.apps_dir.clone() });
    }
    let operator = OperatorValues::read(&options.apps_dir, templates.iter())
        .map_err(StartError::OperatorValues)?;
    let folder = options.state_dir.join("worker/releases");
    let releases = Releases::open(&folder, templates)
        .map_err(|(path, cause)| StartError::Files { path, cause })?;
    Ok(Templates { releases: Arc::new(releases), operator, state_id: options.state_id.clone() })
}

/// The memory limits of the shared stacks that are there.
fn shared_mib(state_id: &str, releases: &Releases, files: &SpaceFiles) -> u64 {
    let is_there = |it: &&Template| {
        let seen = files.look(&stack_id(state_id, &it.id));
        it.kind == Kind::Shared && seen.is_ok_and(|it| it.has_any)
    };
    releases.current().filter(is_there).map(|it| u64::from(it.memory_mib())).sum()
}

/// Filters what spaces send, before any of them is started.
async fn firewall(options: &WorkerOptions, pool: Subnets) -> Result<Option<Firewall>, StartError> {
    if options.care.firewall == FirewallMode::Off {
        tracing::warn!("the firewall is off: spaces reach what this host offers to its networks");
        return Ok(None);
    }
    let firewall = Firewall::new(&options.state_id, pool.to_string());
    firewall.apply().await?;
    Ok(Some(firewall))
}

/// Puts the filter in place once more.
async fn filter_again(firewall: Option<&Firewall>) {
    let Some(firewall) = firewall else { return };
    if let Err(error) = firewall.apply().await {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "what spaces send may not be filtered any more");
    }
}

async fn connect() -> Result<Docker, StartError> {
    let docker = Docker::connect_with_defaults().map_err(StartError::Docker)?;
    docker.negotiate_version().await.map_err(StartError::Docker)
}

fn memory_mib(info: &SystemInfo) -> u64 {
    u64::try_from(info.mem_total.unwrap_or(0)).unwrap_or(0) / (1024 * 1024)
}

/// What the wall's clock shows.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the worker is the outermost layer")]
    let now = SystemTime::now();
    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
