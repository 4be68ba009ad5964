//! The keeper with containers in memory: who is told what, and how much work a change makes.

mod shared;
mod suspended;

use std::path::Path;

use domain::{Desired, Generation, StepState};
use reconcile::simulation::{Calls, Simulation, space, upstream};

use super::*;
use crate::{
    disk::{Level, Spaces as _, Usage},
    releases::Releases,
};

const TIME_MAX: Duration = Duration::from_secs(20);

struct Bench {
    keeper: Arc<Keeper<Simulation>>,
    routes: Routes,
    outbox: Arc<Outbox>,
    /// What was told and taken, oldest first.
    told: Mutex<Vec<Observation>>,
    _run: tokio::task::JoinSet<()>,
}

impl Bench {
    fn new() -> Self {
        Self::with_apps("../apps")
    }

    fn with_apps(folder: &str) -> Self {
        let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let templates = apps::read_dir(&apps).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let releases = Arc::new(Releases::open(folder.path(), templates).unwrap());
        let templates = Templates { releases, ..Templates::default() };
        let (routes, outbox) = (Routes::default(), Arc::new(Outbox::default()));
        let runtime = Simulation::new();
        for image in ["spaceport/notes:1", "spaceport/postgres:15"] {
            runtime.add_image(image);
        }
        let now = || Timestamp::from_unix_ms(0);
        let keeper =
            Arc::new(Keeper::new(runtime, templates, routes.clone(), Arc::clone(&outbox), now));
        let mut run = tokio::task::JoinSet::new();
        run.spawn(Arc::clone(&keeper).run());
        Self { keeper, routes, outbox, told: Mutex::default(), _run: run }
    }

    fn runtime(&self) -> &Simulation {
        &self.keeper.runtime
    }

    fn route(&self, wish: &DesiredSpace) -> Option<Route> {
        self.routes.get(&wish::route_host(wish)).map(|it| it.route.clone())
    }

    /// What the edge is told next, which it does not take.
    async fn hear(&self) -> Vec<(u64, Observation)> {
        tokio::time::timeout(TIME_MAX, self.outbox.next()).await.expect("something to hear")
    }

    /// Takes what it is told until `wish` is in `state`.
    async fn take_until(&self, wish: &DesiredSpace, state: ObservedState) -> Observation {
        loop {
            let is_it = |it: &Observation| {
                it.space == wish.id && it.generation == wish.generation && it.state == state
            };
            if let Some(it) = self.told.lock().unwrap().iter().rfind(|it| is_it(it)) {
                return it.clone();
            }
            let batch = self.hear().await;
            self.outbox.settle(&batch);
            for (_, observation) in batch {
                self.keeper.taken(&observation);
                self.told.lock().unwrap().push(observation);
            }
        }
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        let begin = Instant::now();
        while !is_so() {
            assert!(begin.elapsed() < TIME_MAX);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until nobody has a turn or is about to have one.
    async fn quiet(&self) {
        self.until(|| self.keeper.state().queue.is_idle()).await;
    }
}

fn wish(n: u8) -> DesiredSpace {
    DesiredSpace {
        id: space(n),
        name: format!("garden{n}").parse().unwrap(),
        title: "Garden".to_owned(),
        url: format!("http://Garden{n}.localhost:8080"),
        domains: Vec::new(),
        app: "notes".to_owned(),
        release: String::new(),
        settings: serde_json::json!({}),
        desired: Desired::Running,
        generation: Generation::FIRST,
        has_data: false,
        gave_up: false,
        suspension: None,
        request_id: None,
    }
}

fn then(wish: &DesiredSpace, desired: Desired) -> DesiredSpace {
    let generation = Generation(wish.generation.0 + 1);
    DesiredSpace { desired, generation, ..wish.clone() }
}

#[tokio::test]
async fn work_grows_with_what_changes_and_not_with_what_exists() {
    let bench = Bench::new();
    let wishes: Vec<_> = (0..200).map(wish).collect();
    for wish in &wishes {
        bench.keeper.want(wish.clone());
    }
    for wish in &wishes {
        bench.take_until(wish, ObservedState::Ready).await;
    }
    bench.quiet().await;
    let _ = bench.runtime().take_calls();

    // The same wish once more is no work.
    bench.keeper.want(wishes[7].clone());
    bench.quiet().await;
    assert_eq!(bench.runtime().take_calls(), Calls::default());

    // One is put to sleep: two containers stop, and that is seen.
    let asleep = then(&wishes[7], Desired::Hibernated);
    bench.keeper.want(asleep.clone());
    bench.take_until(&asleep, ObservedState::Stopped).await;
    bench.quiet().await;
    let want = Calls { observe: 3, observe_all: 0, apply: 2 };
    assert_eq!(bench.runtime().take_calls(), want);

    // All are compared by one look, and only the one that differs gets a turn.
    bench.keeper.resync().await;
    bench.quiet().await;
    let want = Calls { observe: 0, observe_all: 1, apply: 0 };
    assert_eq!(bench.runtime().take_calls(), want);
    bench.runtime().meddle(&wishes[9].id, |it| it.containers.clear());
    bench.keeper.resync().await;
    bench.quiet().await;
    let calls = bench.runtime().take_calls();
    assert_eq!((calls.observe_all, calls.apply), (1, 4), "two are made and started");
    assert!(calls.observe <= 8, "{calls:?}");
}

#[tokio::test]
async fn a_visitor_sees_what_the_space_does() {
    let bench = Bench::new();
    let wish = wish(1);
    bench.keeper.want(wish.clone());
    assert!(matches!(bench.route(&wish), Some(Route::Starting { .. })));
    let told = bench.take_until(&wish, ObservedState::Ready).await;
    assert_eq!(bench.route(&wish), Some(Route::Ready { upstream: upstream() }));
    let names: Vec<_> = told.steps.iter().map(|it| it.name.as_str()).collect();
    let want = [
        "write-secrets",
        "create-network",
        "create-volume-data",
        "create-db",
        "start-db",
        "create-web",
        "start-web",
        "ready",
    ];
    assert_eq!(names, want);
    assert!(told.steps.iter().all(|it| it.state == StepState::Done));

    let asleep = then(&wish, Desired::Suspended);
    bench.keeper.want(asleep.clone());
    bench.take_until(&asleep, ObservedState::Stopped).await;
    assert_eq!(bench.route(&wish), Some(Route::Suspended { pay_url: None }));

    let gone = then(&asleep, Desired::Deleted);
    bench.keeper.want(gone.clone());
    bench.take_until(&gone, ObservedState::Gone).await;
    assert_eq!(bench.route(&wish), None);
    assert!(bench.runtime().stack(&wish.id).is_empty());
    assert!(bench.keeper.state().spaces.is_empty(), "and it is forgotten");
}

#[tokio::test]
async fn what_failed_is_kept_until_the_edge_knows_why() {
    let bench = Bench::new();
    let lost = DesiredSpace { has_data: true, ..wish(1) };
    bench.runtime().meddle(&lost.id, |it| {
        (it.has_network, it.has_files, it.has_secrets) = (true, true, true);
    });
    bench.keeper.want(lost.clone());
    bench.quiet().await;
    assert!(bench.runtime().stack(&lost.id).has_network);
    let told = bench.take_until(&lost, ObservedState::Failed).await;
    assert!(told.reason.unwrap().starts_with("the volume data"));
    bench.until(|| !bench.runtime().stack(&lost.id).has_network).await;
    bench.quiet().await;
    assert!(bench.runtime().stack(&lost.id).has_secrets, "what opens the data stays");
    assert!(matches!(bench.route(&lost), Some(Route::Failed { .. })));

    // What the edge says of it later is no news, and a new wish is a new attempt.
    bench.keeper.want(DesiredSpace { gave_up: true, ..lost.clone() });
    bench.quiet().await;
    assert!(bench.outbox.is_empty());
    bench.runtime().meddle(&lost.id, |it| _ = it.volumes.insert("data".to_owned()));
    let again = then(&lost, Desired::Running);
    bench.keeper.want(again.clone());
    bench.take_until(&again, ObservedState::Ready).await;
}

#[tokio::test]
async fn a_newer_wish_overtakes_the_work_on_an_older_one() {
    let bench = Bench::new();
    bench.runtime().break_space(&space(1));
    let wish = wish(1);
    bench.keeper.want(wish.clone());
    bench.until(|| bench.runtime().stack(&wish.id).containers.len() == 2).await;
    let gone = then(&wish, Desired::Deleted);
    bench.keeper.want(gone.clone());
    bench.keeper.want(wish.clone());
    bench.take_until(&gone, ObservedState::Gone).await;
    assert!(bench.runtime().stack(&wish.id).is_empty());
}

#[tokio::test]
async fn what_the_edge_does_not_know_is_left_alone() {
    let bench = Bench::new();
    bench.runtime().meddle(&space(7), |it| _ = it.volumes.insert("data".to_owned()));
    bench.keeper.resync().await;
    bench.quiet().await;
    assert_eq!(bench.runtime().stack(&space(7)).volumes.len(), 1);
    assert_eq!(bench.runtime().take_calls().apply, 0);
}

#[tokio::test]
async fn a_space_that_cannot_be_made_tells_why_at_once() {
    #[rustfmt::skip]
    let rows = [
        (DesiredSpace { app: "none".to_owned(), ..wish(1) }, "this host has no app none"),
        (DesiredSpace {
            app: "hello".to_owned(),
            settings: serde_json::json!({ "greeting": 1 }),
            ..wish(1)
        }, "the settings do not fit the app: settings.greeting: must be a string"),
    ];
    for (wish, want) in rows {
        let bench = Bench::new();
        bench.keeper.want(wish.clone());
        let told = bench.take_until(&wish, ObservedState::Failed).await;
        assert_eq!(told.reason.as_deref(), Some(want));
        // It can be deleted all the same.
        let gone = then(&wish, Desired::Deleted);
        bench.keeper.want(gone.clone());
        bench.take_until(&gone, ObservedState::Gone).await;
    }
}

/// A space of `notes` that runs and has data, and then is wanted by a worker with other templates.
async fn run_then(bench: &Bench, changed: &DesiredSpace, is_told: bool) {
    bench.keeper.want(wish(1));
    bench.take_until(&wish(1), ObservedState::Ready).await;
    bench.quiet().await;
    // All that is remembered is lost, as with another process.
    *bench.keeper.state() = State::default();
    bench.routes.remove(&changed.id);
    let _ = bench.runtime().take_calls();
    bench.keeper.want(DesiredSpace { has_data: is_told, ..changed.clone() });
    bench.quiet().await;
}

#[tokio::test]
async fn a_space_with_data_runs_on_whatever_becomes_of_its_template() {
    let settings = |settings| DesiredSpace { settings, ..wish(1) };
    #[rustfmt::skip]
    let rows = [
        ("a setting that is no more", settings(serde_json::json!({ "x": 1 })), None),
        ("settings of another form",  settings(serde_json::json!([])),         None),
        ("no app", DesiredSpace { app: "none".to_owned(), ..wish(1) }, Some("this host has no app none")),
    ];
    for (what, changed, reason) in rows {
        // Whether the edge knows that there is data, or only the file says so.
        for is_told in [true, false] {
            let bench = Bench::new();
            run_then(&bench, &changed, is_told).await;
            let told = bench.hear().await.pop().unwrap().1;
            assert_eq!(told.reason.as_deref(), reason, "{what}");
            assert_ne!(told.state, ObservedState::Failed, "{what}");
            let is_routed = bench.route(&changed) == Some(Route::Ready { upstream: upstream() });
            assert_eq!(is_routed, reason.is_none(), "{what}");
            bench.outbox.settle(&bench.hear().await);
            bench.keeper.resync().await;
            bench.quiet().await;
            let there = bench.runtime().stack(&changed.id);
            assert!(there.containers.len() == 2 && !there.volumes.is_empty(), "{what}: {there:?}");
            assert_eq!(bench.runtime().take_calls().apply, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn a_volume_outlives_the_files_that_say_it_has_data() {
    let bench = Bench::new();
    let wish = wish(1);
    bench.keeper.want(wish.clone());
    bench.take_until(&wish, ObservedState::Ready).await;
    bench.quiet().await;
    // The edge has not said since that it knows, and the files are gone.
    bench.runtime().meddle(&wish.id, |it| {
        (it.has_files, it.has_secrets, it.was_ready) = (false, false, false);
    });
    bench.keeper.look_again(&wish.id);
    bench.take_until(&wish, ObservedState::Failed).await;
    bench.keeper.want(DesiredSpace { gave_up: true, ..wish.clone() });
    bench.until(|| !bench.runtime().stack(&wish.id).has_network).await;
    bench.quiet().await;
    assert!(!bench.runtime().has_removed_data());
}

#[tokio::test]
async fn what_was_refused_is_told_again() {
    let bench = Bench::new();
    let wish = wish(1);
    bench.keeper.want(wish.clone());
    let ready = bench.take_until(&wish, ObservedState::Ready).await;
    bench.quiet().await;
    bench.keeper.refused(&ready);
    assert!(bench.outbox.is_empty());
    bench.keeper.resync().await;
    assert_eq!(bench.hear().await.pop().unwrap().1, ready);
    bench.keeper.resync().await;
    assert_eq!(bench.hear().await.len(), 1, "once");
}

#[tokio::test]
async fn a_full_space_is_halted_and_runs_again_when_there_is_room() {
    let bench = Bench::new();
    let (full, other) = (wish(1), wish(2));
    for wish in [&full, &other] {
        bench.keeper.want(wish.clone());
        bench.take_until(wish, ObservedState::Ready).await;
    }
    bench.quiet().await;
    let limits = bench.keeper.disk_limits();
    assert_eq!(limits, [(full.id.clone(), 512), (other.id.clone(), 512)].into());

    let used = |mib: u64| Level::Fine.next(Usage { bytes: mib << 20, limit_mib: 512 });
    let told = async |mib, state| {
        bench.told.lock().unwrap().clear();
        bench.keeper.note_disk(&full.id, used(mib));
        bench.quiet().await;
        bench.take_until(&full, state).await
    };
    let warned = told(470, ObservedState::Ready).await;
    assert!(warned.reason.unwrap().starts_with("disk nearly full: 91 % of 512 MiB used"));
    let halted = told(520, ObservedState::Halted).await;
    let want = "disk full: 520 MiB of 512 MiB used; an operator must make room";
    assert_eq!(halted.reason.as_deref(), Some(want));
    assert_eq!(bench.route(&full), Some(Route::Stopped));
    let there = bench.runtime().stack(&full.id);
    assert!(there.containers.iter().all(|it| !it.is_alive()) && !there.volumes.is_empty());
    assert_eq!(bench.route(&other), Some(Route::Ready { upstream: upstream() }), "and no other");

    // Another wish changes nothing in that.
    let again = then(&full, Desired::Running);
    bench.keeper.want(again.clone());
    bench.take_until(&again, ObservedState::Halted).await;
    bench.keeper.note_disk(&full.id, used(0));
    let back = bench.take_until(&again, ObservedState::Ready).await;
    assert_eq!(back.reason, None);
    assert_eq!(bench.route(&full), Some(Route::Ready { upstream: upstream() }));

    // What should not run is not told to be halted.
    bench.keeper.note_disk(&full.id, used(520));
    bench.quiet().await;
    let asleep = then(&again, Desired::Suspended);
    bench.keeper.want(asleep.clone());
    bench.take_until(&asleep, ObservedState::Stopped).await;
}
