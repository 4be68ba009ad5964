//! What spaces use, as the edge is told: by real cgroups, volumes and databases.

use std::time::Duration;

use bollard::query_parameters::StatsOptionsBuilder;
use domain::{Desired, ObservedState};
use fleet::{DesiredSpace, Reading};
use futures::StreamExt as _;
use worker::{HostCare, Worker};

use crate::support::{Bench, visit};

const APP: &str = r#"
title = "Odd"
description = "An app that has the database of Postiz."
version = "1"
[web]
service = "web"
port = 8080
[ready]
path = "/index.html"
timeout_seconds = 60
[secrets]
DB_PASSWORD = { bytes = 24 }
[disk]
mib = 256
[databases.main]
service = "db"
user = "postgres"
name = "postgres"
"#;

const COMPOSE: &str = r#"
services:
  web:
    image: spaceport/notes:1
    user: "0:0"
    command: ["sh", "-c", "echo ok >/data/index.html; exec httpd -f -p 8080 -h /data"]
    environment:
      KEY: ${DB_PASSWORD}
    volumes:
      - data:/data
    mem_limit: 128m
    cpus: 1
    pids_limit: 64
    stop_grace_period: 1s
  db:
    image: spaceport/postgres:15
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD}
    volumes:
      - rows:/var/lib/postgresql/data
    tmpfs:
      - /tmp:size=16m
    mem_limit: 256m
    cpus: 1
    pids_limit: 64
    stop_grace_period: 10s
volumes:
  data: {}
  rows: {}
"#;

/// As Postiz has them.
const TABLE: &str = r#"CREATE TYPE "State" AS ENUM ('QUEUE', 'PUBLISHED', 'ERROR', 'DRAFT');
    CREATE TABLE "Post" (state "State", "publishDate" timestamp(3), "parentPostId" text)"#;

/// The meters of Postiz, as its template has them.
fn meters() -> &'static str {
    let template = include_str!("../../../apps/postiz/app.toml");
    let begin = template.find("[meters.").unwrap();
    let end = template.find("[signals.").unwrap();
    &template[begin..end]
}

/// A bench with an app that is metered, and a worker that tells of it each second.
async fn bench(name: &str) -> (Bench, Worker, DesiredSpace) {
    let bench = Bench::with_app(name, COMPOSE, &format!("{APP}{}", meters())).await;
    let worker = worker(&bench).await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    (bench, worker, wish)
}

async fn worker(bench: &Bench) -> Worker {
    let care = HostCare { meter_period: Duration::from_secs(1), ..HostCare::default() };
    bench.worker_with(care).await
}

async fn sql(bench: &Bench, wish: &DesiredSpace, sql: &str) -> String {
    let container = format!("{}-db", wish.id.docker_name());
    bench.exec(&container, &["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", sql]).await
}

/// Runs a script in the service `web`.
async fn sh(bench: &Bench, wish: &DesiredSpace, script: &str) -> String {
    let container = format!("{}-web", wish.id.docker_name());
    bench.exec(&container, &["busybox", "sh", "-c", script]).await
}

fn sum(bench: &Bench, wish: &DesiredSpace, of: impl Fn(&Reading) -> u64) -> u64 {
    bench.readings(wish).iter().map(of).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_space_uses_is_told_and_nothing_twice_whoever_is_stopped() {
    let (bench, worker, wish) = bench("meter").await;
    // What was used until it was ready is told, too.
    bench.until("a reading", async || !bench.readings(&wish).is_empty()).await;
    let before = sum(&bench, &wish, |it| it.cpu_ms);

    // Half a second of the CPU twice, by the clock of those who burn it, once while no worker looks.
    let burn = format!(
        "while read -r {}used rest </proc/$$/stat; [ $used -lt 50 ]; do :; done",
        "_ ".repeat(13)
    );
    sh(&bench, &wish, &burn).await;
    worker.stop().await;
    sh(&bench, &wish, &burn).await;
    let worker = self::worker(&bench).await;
    let cpu_ms = || sum(&bench, &wish, |it| it.cpu_ms) - before;
    bench.until("what was burned", async || 1000 <= cpu_ms()).await;

    // 32 MiB to the disk and not to the cache, and a page of the network.
    let write = "dd if=/dev/zero of=/data/file bs=1M count=32 conv=fsync 2>&1";
    let said = sh(&bench, &wish, write).await;
    assert!(said.contains("32+0 records out"), "{said}");
    assert_eq!(visit(&worker, &wish).await.0, 200);
    let of_file = |it: &Reading| 32 << 10 <= it.storage_kib && it.storage_kib < 256 << 10;
    bench.until("its size", async || bench.readings(&wish).iter().any(of_file)).await;

    // By Docker's own word, all of it and nothing more.
    let used = Used::by_docker(&bench, &wish).await;
    bench.until("all that was used", async || used.is_in(Used::told(&bench, &wish))).await;
    let told = Used::told(&bench, &wish);
    let used = Used::by_docker(&bench, &wish).await;
    println!("told {told:?}, Docker says {used:?}");
    assert!(told.is_in(used), "told {told:?}, Docker says {used:?}");
    assert!(0 < told.tx_bytes);

    let all = bench.readings(&wish);
    for reading in &all {
        assert!(reading.running_seconds <= reading.seconds, "{reading:?}");
        assert!(reading.from <= reading.to, "{reading:?}");
    }
    assert!(all.iter().any(|it| 0 < it.memory_mib_seconds));
    bench.end(worker).await;
}

/// What was used until now.
#[derive(Clone, Copy, Debug)]
struct Used {
    cpu_ms: u64,
    tx_bytes: u64,
    /// On a disk. Some kernels count none of it for the first version of cgroups, nor does Docker.
    write_bytes: u64,
}

impl Used {
    /// As the edge was told.
    fn told(bench: &Bench, wish: &DesiredSpace) -> Self {
        Self {
            cpu_ms: sum(bench, wish, |it| it.cpu_ms),
            tx_bytes: sum(bench, wish, |it| it.network_tx_bytes),
            write_bytes: sum(bench, wish, |it| it.disk_write_bytes),
        }
    }

    /// As Docker says, of containers that were never started again.
    async fn by_docker(bench: &Bench, wish: &DesiredSpace) -> Self {
        let mut used = Self { cpu_ms: 0, tx_bytes: 0, write_bytes: 0 };
        for service in ["web", "db"] {
            let container = format!("{}-{service}", wish.id.docker_name());
            let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
            let mut stats = bench.docker.stats(&container, Some(options));
            let stats = stats.next().await.unwrap().unwrap();
            let cpu_ns = stats.cpu_stats.unwrap().cpu_usage.unwrap().total_usage.unwrap();
            used.cpu_ms += cpu_ns / 1_000_000;
            let networks = stats.networks.unwrap_or_default().into_values();
            used.tx_bytes += networks.map(|it| it.tx_bytes.unwrap_or(0)).sum::<u64>();
            let io = stats.blkio_stats.and_then(|it| it.io_service_bytes_recursive);
            let io = io.into_iter().flatten();
            let writes = io.filter(|it| it.op.as_deref().is_some_and(|it| it == "Write"));
            used.write_bytes += writes.map(|it| it.value.unwrap_or(0)).sum::<u64>();
        }
        used
    }

    /// Whether it is all in `other`, but for parts of milliseconds.
    const fn is_in(self, other: Self) -> bool {
        self.cpu_ms <= other.cpu_ms + 2
            && self.tx_bytes <= other.tx_bytes
            && self.write_bytes <= other.write_bytes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_counted_once_although_the_database_and_the_worker_were_away() {
    let (bench, worker, wish) = bench("posts").await;
    bench.until("a reading", async || !bench.readings(&wish).is_empty()).await;
    let posts = || sum(&bench, &wish, |it| it.posts);
    assert_eq!(sql(&bench, &wish, TABLE).await, "");
    // Three that count, a comment, a draft, one that is due tomorrow, and one of before it was there.
    let insert = r#"INSERT INTO "Post" VALUES
        ('PUBLISHED', now(), NULL), ('PUBLISHED', now(), NULL), ('PUBLISHED', now(), NULL),
        ('PUBLISHED', now(), 'parent'), ('DRAFT', now(), NULL),
        ('QUEUE', now() + interval '1 day', NULL), ('PUBLISHED', now() - interval '1 day', NULL)"#;
    assert_eq!(sql(&bench, &wish, insert).await, "");
    bench.until("three posts", async || 3 <= posts()).await;

    // Two while it is asked and can't answer, and one while nobody asks.
    let one = r#"INSERT INTO "Post" VALUES ('PUBLISHED', now(), NULL)"#;
    let rename = |from: &str, to: &str| format!(r#"ALTER TABLE "{from}" RENAME TO "{to}""#);
    assert_eq!(sql(&bench, &wish, &rename("Post", "Away")).await, "");
    let away = one.replace("Post", "Away");
    sql(&bench, &wish, &away).await;
    let n_readings = bench.readings(&wish).len();
    let more = async || n_readings + 3 <= bench.readings(&wish).len();
    bench.until("readings without posts", more).await;
    assert_eq!(posts(), 3);
    sql(&bench, &wish, &away).await;
    worker.stop().await;
    assert_eq!(sql(&bench, &wish, &rename("Away", "Post")).await, "");
    sql(&bench, &wish, one).await;
    let worker = self::worker(&bench).await;
    bench.until("six posts", async || 6 <= posts()).await;

    // Asleep it is told of, with what it takes of the disk.
    let asleep = bench.change(&wish, Desired::Hibernated);
    bench.told(&asleep, ObservedState::Stopped).await;
    let slept = |it: &Reading| 0 < it.hibernated_seconds && 0 < it.storage_kib;
    bench.until("sleep", async || bench.readings(&wish).iter().any(slept)).await;
    assert_eq!(posts(), 6);

    // Once it is gone, so is its meter.
    let gone = bench.change(&wish, Desired::Deleted);
    bench.told(&gone, ObservedState::Gone).await;
    assert_eq!(posts(), 6);
    bench.end(worker).await;
}
