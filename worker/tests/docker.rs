//! The worker against a real Docker Engine, with the images that `scripts/images` makes.
#![cfg(feature = "docker-tests")]

#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod backups;
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod inside;
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod meter;
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod shared;
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod support;

use std::{collections::HashMap, time::Instant};

use bollard::{
    models::{ContainerCreateBody, VolumeCreateRequest},
    query_parameters::{CreateContainerOptionsBuilder, KillContainerOptionsBuilder},
};
use domain::{Desired, ObservedState, Timestamp};
use fleet::{Ticket, TicketKind};
use support::{Bench, visit, visit_at};
use worker::purge;

const APP: &str = r#"
title = "Odd"
description = "An app that is not well."
version = "1"
[web]
service = "web"
port = 8080
[ready]
path = "/healthz"
timeout_seconds = 1
[disk]
mib = 16
[secrets]
KEY = { bytes = 16 }
"#;

/// An app of one service with a volume, which runs `command` in `image`.
fn compose(image: &str, command: &str) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    command: {command}\n    \
         environment:\n      KEY: ${{KEY}}\n    volumes:\n      - data:/data\n    \
         read_only: true\n    mem_limit: 32m\n    cpus: 1\n    pids_limit: 32\n    \
         stop_grace_period: 1s\nvolumes:\n  data: {{}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_lives_and_leaves_nothing() {
    let bench = Bench::new("life").await;
    let worker = bench.worker().await;
    let wish = bench.wish("hello");
    let begin = Instant::now();
    bench.edge.want(wish.clone());
    bench.until("the page", async || visit(&worker, &wish).await.0 == 200).await;
    println!("to the first 200: {:?}", begin.elapsed());

    let told = bench.told(&wish, ObservedState::Ready).await;
    let names: Vec<_> = told.steps.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["create-network", "create-web", "start-web", "ready"]);
    assert!(visit(&worker, &wish).await.1.contains("Garden &amp; Friends"));

    let gone = bench.change(&wish, Desired::Deleted);
    bench.told(&gone, ObservedState::Gone).await;
    assert_eq!(bench.objects().await, Vec::<String>::new());
    assert!(!bench.files(&wish).exists());
    assert_eq!(visit(&worker, &wish).await.0, 404);
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_outlives_sleep_the_worker_and_a_killed_container() {
    let bench = Bench::new("data").await;
    let worker = bench.worker().await;
    let wish = bench.wish("notes");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = client
        .post(format!("http://{}/", worker.gateway_addr()))
        .header("host", format!("{}.localhost", wish.name.as_str()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("body=remember+me");
    assert!(post.send().await.unwrap().status().as_u16() < 400);

    // What its services say, to who has a ticket.
    for (service, want) in [(None, ["db | ", "web | "]), (Some("db"), ["db | "; 2])] {
        let ticket = Ticket {
            space: wish.id.clone(),
            kind: TicketKind::Logs,
            service: service.map(str::to_owned),
            tail: 100,
            follow: false,
            until: Timestamp::from_unix_ms(i64::MAX / 2_000_000),
        };
        let path = format!("/_spaceport/v1/logs?ticket={}", ticket.sign(&[7; 32]));
        let (status, logs) = visit_at(&worker, &wish, &path).await;
        assert_eq!(status, 200, "{logs}");
        assert!(logs.lines().all(|it| want.iter().any(|name| it.starts_with(name))), "{logs}");
        assert!(logs.contains("db | "), "{logs}");
    }

    // Sleep.
    let asleep = bench.change(&wish, Desired::Hibernated);
    bench.told(&asleep, ObservedState::Stopped).await;
    assert_eq!(visit(&worker, &wish).await.0, 503);
    let awake = bench.change(&wish, Desired::Running);
    bench.told(&awake, ObservedState::Ready).await;
    assert!(visit(&worker, &wish).await.1.contains("remember me"));

    // Another worker, which finds it running.
    worker.stop().await;
    let worker = bench.worker().await;
    let (status, page) = visit(&worker, &wish).await;
    assert_eq!(status, 200, "at once");
    assert!(page.contains("remember me"));

    // Killed behind our back.
    let kill = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
    for service in ["db", "web"] {
        let name = format!("{}-{service}", wish.id.docker_name());
        bench.docker.kill_container(&name, Some(kill.clone())).await.unwrap();
    }
    let page = async || visit(&worker, &wish).await.1.contains("remember me");
    bench.until("the page again", page).await;

    // Nothing but stopped.
    worker.stop().await;
    let down = purge(&bench.state_id, false).await.unwrap();
    assert_eq!((down.containers, down.volumes), (2, 0));
    let stopped = bench.objects().await;
    assert_eq!(stopped.iter().filter(|it| it.ends_with(" exited")).count(), 2, "{stopped:?}");
    let worker = bench.worker().await;
    bench.until("the page again", page_of(&worker, &wish)).await;
    bench.end(worker).await;
}

fn page_of(worker: &worker::Worker, wish: &fleet::DesiredSpace) -> impl AsyncFn() -> bool {
    async || visit(worker, wish).await.1.contains("remember me")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_fails_says_why_and_leaves_nothing() {
    #[rustfmt::skip]
    let rows = [
        ("spaceport/none:9",  r#"["true"]"#, "image not found: spaceport/none:9 is not on this host"),
        ("spaceport/hello:1", r#"["sh", "-c", "echo no such table; exit 3"]"#,
            "web exited with code 3 (last line: no such table)"),
        ("spaceport/hello:1", r#"["sh", "-c", "while true; do sed p /dev/null; done"]"#,
            "port never answered: web did not answer GET /healthz on port 8080 within 1 s"),
        ("spaceport/hello:1", r#"["sh", "-c", "x=aaaaaaaa; while true; do x=$$x$$x; done"]"#,
            "out of memory: web was killed at its limit of 32 MiB"),
        ("spaceport/hello:1", r#"["/no/such/program"]"#, "Docker could not start web: "),
    ];
    for (n, (image, command, want)) in rows.into_iter().enumerate() {
        let name = format!("fails{n}");
        let bench = Bench::with_app(&name, &compose(image, command), APP).await;
        let worker = bench.worker().await;
        let wish = bench.wish("odd");
        bench.edge.want(wish.clone());
        let told = bench.told(&wish, ObservedState::Failed).await;
        let reason = told.reason.unwrap();
        assert!(reason.starts_with(want), "{reason}");
        let nothing_left =
            async || bench.objects().await.is_empty() && !bench.files(&wish).exists();
        bench.until("nothing left", nothing_left).await;
        assert_eq!(visit(&worker, &wish).await.0, 503);
        bench.end(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_left_alone() {
    let compose = compose("spaceport/hello:1", r#"["/usr/bin/start"]"#);
    let bench = Bench::with_app("foreign", &compose, APP).await;
    let worker = bench.worker().await;

    // A volume with the name that the space needs.
    let wish = bench.wish("odd");
    let volume = format!("{}-data", wish.id.docker_name());
    let request = VolumeCreateRequest { name: Some(volume.clone()), ..Default::default() };
    bench.docker.create_volume(request).await.unwrap();
    bench.edge.want(wish.clone());
    let told = bench.told(&wish, ObservedState::Failed).await;
    let want = format!("there is a volume {volume} that is not this space's; it is left alone");
    assert_eq!(told.reason, Some(want));
    bench.until("nothing of ours left", async || bench.objects().await.is_empty()).await;
    bench.docker.inspect_volume(&volume).await.expect("it is still there");
    bench
        .docker
        .remove_volume(&volume, None::<bollard::query_parameters::RemoveVolumeOptions>)
        .await
        .unwrap();

    // A container.
    let wish = bench.wish("odd");
    let name = format!("{}-web", wish.id.docker_name());
    let body = ContainerCreateBody {
        image: Some("spaceport/hello:1".to_owned()),
        labels: Some(HashMap::from([("spaceport.state".to_owned(), "another".to_owned())])),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    bench.docker.create_container(Some(options), body).await.unwrap();
    bench.edge.want(wish.clone());
    let told = bench.told(&wish, ObservedState::Failed).await;
    assert!(told.reason.unwrap().starts_with("there is a container"));
    bench.until("nothing of ours left", async || bench.objects().await.is_empty()).await;
    bench.docker.inspect_container(&name, None).await.expect("it is still there");
    bench.docker.remove_container(&name, None).await.unwrap();
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_data_and_lost_secrets_wait_for_a_person() {
    let compose = compose("spaceport/hello:1", r#"["/usr/bin/start"]"#).replace(
        "    read_only: true\n",
        "    read_only: true\n    tmpfs:\n      - /tmp:size=1m\n",
    );
    for lost in ["volume", "secrets"] {
        let bench = Bench::with_app(lost, &compose, APP).await;
        let worker = bench.worker().await;
        let wish = bench.wish("odd");
        bench.edge.want(wish.clone());
        bench.told(&wish, ObservedState::Ready).await;
        let asleep = bench.change(&wish, Desired::Hibernated);
        bench.told(&asleep, ObservedState::Stopped).await;

        let id = wish.id.docker_name();
        if lost == "volume" {
            bench.docker.remove_container(&format!("{id}-web"), None).await.unwrap();
            let options = None::<bollard::query_parameters::RemoveVolumeOptions>;
            bench.docker.remove_volume(&format!("{id}-data"), options).await.unwrap();
        } else {
            std::fs::remove_file(bench.files(&wish).join("secrets")).unwrap();
        }
        let awake = bench.change(&wish, Desired::Running);
        let told = bench.told(&awake, ObservedState::Failed).await;
        let reason = told.reason.unwrap();
        assert!(reason.contains(lost) && reason.contains("an operator must look"), "{reason}");
        let volumes =
            async || bench.objects().await.iter().filter(|it| it.starts_with("volume")).count();
        assert_eq!(volumes().await, usize::from(lost == "secrets"));

        // It can be deleted all the same.
        let gone = bench.change(&wish, Desired::Deleted);
        bench.told(&gone, ObservedState::Gone).await;
        assert_eq!(bench.objects().await, Vec::<String>::new());
        bench.end(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_spaces_at_once_and_one_that_is_poisoned() {
    let bench = Bench::new("many").await;
    let worker = bench.worker().await;
    let mut poisoned = bench.wish("hello");
    poisoned.settings = serde_json::json!({ "greeting": 1 });
    bench.edge.want(poisoned.clone());
    let wishes: Vec<_> = (0..8).map(|_| bench.wish("hello")).collect();
    for wish in &wishes {
        bench.edge.want(wish.clone());
    }
    for wish in &wishes {
        bench.told(wish, ObservedState::Ready).await;
        assert_eq!(visit_at(&worker, wish, "/healthz").await.0, 200);
    }
    let told = bench.told(&poisoned, ObservedState::Failed).await;
    assert!(told.reason.unwrap().starts_with("the settings do not fit the app"));

    let gone: Vec<_> = wishes.iter().map(|it| bench.change(it, Desired::Deleted)).collect();
    for wish in &gone {
        bench.told(wish, ObservedState::Gone).await;
    }
    assert_eq!(bench.objects().await, Vec::<String>::new());
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_fills_its_disk_is_stopped_with_its_data_and_comes_back() {
    let compose = compose("spaceport/hello:1", r#"["/usr/bin/start"]"#)
        .replace("    read_only: true\n", "    read_only: true\n    tmpfs: [\"/tmp\"]\n")
        .replace("    cpus: 1\n", "    cpus: 1\n    user: \"0:0\"\n")
        .replace("stop_grace_period: 1s", "stop_grace_period: 5m")
        // Does not stop when it is asked to.
        .replace(r#"["/usr/bin/start"]"#, r#"[sh, -c, "trap '' TERM; /usr/bin/start & wait"]"#);
    let app =
        APP.replace("mib = 16", "mib = 64").replace("timeout_seconds = 1", "timeout_seconds = 20");
    let bench = Bench::with_app("full", &compose, &app).await;
    let worker = bench.worker().await;
    let (full, other) = (bench.wish("odd"), bench.wish("odd"));
    for wish in [&full, &other] {
        bench.edge.want(wish.clone());
        bench.told(wish, ObservedState::Ready).await;
    }

    // It is warned.
    bench.fill(&full, "some", 60).await;
    bench.until("a warning", async || bench.reason(&full).starts_with("disk nearly full")).await;

    // It writes as fast as it can, so there is no time to ask it to stop.
    let begin = Instant::now();
    bench.fill(&full, "more", 20_000).await;
    let told = bench.told(&full, ObservedState::Halted).await;
    let volume = bench.docker.inspect_volume(&format!("{}-data", full.id.docker_name())).await;
    let folder = std::path::PathBuf::from(volume.unwrap().mountpoint);
    let more = std::fs::metadata(folder.join("more")).unwrap().len() >> 20;
    println!("stopped after {:?} with {more} MiB more: {:?}", begin.elapsed(), told.reason);
    assert!(told.reason.unwrap().starts_with("disk full: "));
    assert!(more < 19_000, "{more} MiB");
    assert_eq!(std::fs::metadata(folder.join("some")).unwrap().len(), 60 << 20, "its data is kept");
    assert_eq!(visit(&worker, &full).await.0, 503);
    assert_eq!(visit(&worker, &other).await.0, 200, "nobody else notices");

    // Another worker does not start it, either.
    worker.stop().await;
    let worker = bench.worker().await;
    assert_eq!(visit(&worker, &full).await.0, 503);

    let begin = Instant::now();
    std::fs::remove_file(folder.join("more")).unwrap();
    std::fs::remove_file(folder.join("some")).unwrap();
    bench.until("it is back", async || visit(&worker, &full).await.0 == 200).await;
    println!("back after {:?}", begin.elapsed());
    bench.until("no warning", async || bench.reason(&full).is_empty()).await;
    bench.end(worker).await;
}
