//! What metering costs. `scripts/bench meter` runs this.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use domain::{SpaceId, Timestamp};
use fleet::{Readings, ReadingsAnswer};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use super::{
    MeteredSpace, SAMPLE_PERIOD, add,
    cgroup::{
        Counters, Roots, Sample,
        tests::{Layout, roots, write},
    },
    clock::Moment,
    close::Closer,
    fake_docker::{FakeDocker, space},
    journal::Journal,
    sampler::Sampler,
};
use crate::{docker::Labels, link::Edge, releases::Releases};

const N_SPACES: u16 = 1000;

/// As many as Postiz has.
const N_CONTAINERS: u32 = 4;

/// An hour: as many samples of what has changed, and as many readings.
const N_WINDOWS: u32 = 4;
const PERIOD: Duration = Duration::from_mins(15);

/// What reached the edge.
#[derive(Default)]
struct Wire {
    n_bytes: usize,
    readings: Vec<fleet::Reading>,
}

/// What this process has used of the CPU, in seconds.
fn cpu_s() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap()).as_secs_f64()
}

/// What was used of the CPU meanwhile is added to `sum`.
async fn timed<T>(sum: &mut f64, work: impl Future<Output = T>) -> T {
    let begin = cpu_s();
    let result = work.await;
    *sum += cpu_s() - begin;
    result
}

/// Writes the files of all containers, each of which has used as much.
fn write_all(fake: &FakeDocker, roots: &Roots, layout: Layout, counters: Counters) {
    for n in 0..N_SPACES {
        for container in 0..N_CONTAINERS {
            let pid = 2 + u32::from(n) * N_CONTAINERS + container;
            let id = format!("{pid:064x}");
            write(roots, pid, &id, layout, &Sample { counters, memory_kib: 200 << 10 });
            fake.run(&id, &space(n), pid);
        }
    }
}

/// An edge that takes everything, and weighs it.
async fn edge() -> (Arc<Mutex<Wire>>, Edge) {
    let wire = Arc::new(Mutex::new(Wire::default()));
    let take = async |State(wire): State<Arc<Mutex<Wire>>>, headers: HeaderMap, body: Bytes| {
        let readings: Readings = serde_json::from_slice(&body).unwrap();
        let heads = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        let mut wire = wire.lock().unwrap();
        wire.n_bytes += "POST /fleet/v1/readings HTTP/1.1\r\n\r\n".len() + heads.sum::<usize>();
        wire.n_bytes += body.len();
        wire.readings.extend(readings.items);
        Json(ReadingsAnswer { refused: Vec::new() })
    };
    let router =
        Router::new().route("/fleet/v1/readings", post(take)).with_state(Arc::clone(&wire));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    (wire, Edge::new(&url, "the key".to_owned()).unwrap())
}

async fn send(edge: &Edge, journal: &Journal) {
    let written = Notify::new();
    let sent = async {
        while !journal.unsent(0, 1, 1).unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        error = edge.send_readings(journal, &written) => panic!("{error}"),
        () = sent => {}
    }
}

async fn measure(layout: Layout, folder: &Path) {
    let (fake, docker) = FakeDocker::start(folder);
    let (roots, labels) = (roots(folder), Labels::new("state".to_owned(), "host".to_owned()));
    write_all(&fake, &roots, layout, used(1));
    let journal = Arc::new(Journal::open(&folder.join("meter.sqlite")).unwrap());
    let releases = Arc::new(Releases::open(&folder.join("releases"), Vec::new()).unwrap());
    let mut sampler = Sampler::new(docker.clone(), labels.clone(), roots.clone());
    let mut closer = Closer::new(docker, labels, releases, Arc::clone(&journal), PERIOD);
    let (wire, edge) = edge().await;
    let is = MeteredSpace { app: "a".into(), release: String::new(), is_hibernated: false };
    let metered: BTreeMap<SpaceId, _> = (0..N_SPACES).map(|n| (space(n), is.clone())).collect();

    let mut stand = journal.stand().unwrap();
    let mut now = Moment {
        boot: "b".to_owned(),
        uptime_ms: 0,
        wall: Timestamp::from_unix_ms(1_795_000_000_000),
    };
    let [mut finding, mut sampling, mut closing, mut sending] = [0.0_f64; 4];
    let first = timed(&mut finding, sampler.sample()).await.unwrap();
    add(&mut stand, &metered, first, (&now, &now));
    let (pause_ms, n_samples) =
        (SAMPLE_PERIOD.as_millis(), PERIOD.as_secs() / SAMPLE_PERIOD.as_secs());
    let pause_ms = u64::try_from(pause_ms).unwrap();
    for window in 0..N_WINDOWS {
        write_all(&fake, &roots, layout, used(window + 2));
        for _ in 0..n_samples {
            let last = now.clone();
            now.uptime_ms += pause_ms;
            let wall_ms = now.wall.unix_ms() + i64::try_from(pause_ms).unwrap();
            now.wall = Timestamp::from_unix_ms(wall_ms);
            let look = async {
                let seen = sampler.sample().await.unwrap();
                add(&mut stand, &metered, seen, (&last, &now));
            };
            timed(&mut sampling, look).await;
        }
        timed(&mut closing, closer.close(&mut stand, &metered, &now)).await;
        timed(&mut sending, send(&edge, &journal)).await;
    }

    let wire = std::mem::take(&mut *wire.lock().unwrap());
    check(&wire.readings);
    let minutes = f64::from(N_WINDOWS) * PERIOD.as_secs_f64() / 60.0;
    let per_minute = |it: f64| it / minutes;
    println!(
        "| {layout:?} | {:.3} | {:.3} | {:.3} | {:.0} | {finding:.2} |",
        per_minute(sampling),
        per_minute(closing),
        per_minute(sending),
        per_minute(f64::from(u32::try_from(wire.n_bytes).unwrap())),
    );
}

/// All that was used is told.
fn check(readings: &[fleet::Reading]) {
    let (n_windows, n_spaces) = (u64::from(N_WINDOWS), u64::from(N_SPACES));
    assert_eq!(u64::try_from(readings.len()).unwrap(), n_windows * n_spaces);
    let all = n_spaces * u64::from(N_CONTAINERS);
    let cpu_ms: u64 = readings.iter().map(|it| it.cpu_ms).sum();
    assert_eq!(cpu_ms, 1000 * (n_windows + 1) * all);
    let seconds: u64 = readings.iter().map(|it| it.running_seconds).sum();
    assert_eq!(seconds, PERIOD.as_secs() * n_windows * n_spaces);
}

/// What all containers have used when so many windows have begun.
fn used(n_windows: u32) -> Counters {
    let n = u64::from(n_windows);
    Counters {
        cpu_us: 1_000_000 * n,
        rx_bytes: 100_000 * n,
        tx_bytes: 200_000 * n,
        read_bytes: 300_000 * n,
        write_bytes: 400_000 * n,
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: scripts/bench meter"]
async fn what_metering_costs() {
    println!(
        "{N_SPACES} spaces with {N_CONTAINERS} containers each, {N_WINDOWS} readings of each:\n"
    );
    println!(
        "| cgroups | sampling, CPU s/min | closing, CPU s/min | sending, CPU s/min | bytes/min | first look, CPU s |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for layout in [Layout::V1, Layout::V2] {
        let folder = tempfile::tempdir().unwrap();
        measure(layout, folder.path()).await;
    }
}
