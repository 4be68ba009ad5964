//! What the worker does inside a space: checks, the first admin, credentials, meters and signals.

use std::time::{Duration, Instant};

use bollard::{
    container::LogOutput,
    exec::{CreateExecOptions, StartExecResults},
};
use domain::{ObservedState, Timestamp};
use fleet::{DesiredSpace, Ticket, TicketKind};
use futures::TryStreamExt as _;
use serde_json::Value;
use worker::{Period, Queries, QueryOptions, SignalValue, query_space};

use crate::support::{Bench, visit, visit_at};

const COMPOSE: &str = include_str!("compose.yaml");
const APP: &str = include_str!("app.toml");

/// Runs a script in a service of a space. Says what it wrote.
async fn sh(bench: &Bench, wish: &DesiredSpace, service: &str, script: &str) -> Option<String> {
    let options = CreateExecOptions {
        cmd: Some(vec!["sh", "-c", script]),
        attach_stdout: Some(true),
        ..CreateExecOptions::default()
    };
    let container = format!("{}-{service}", wish.id.docker_name());
    let exec = bench.docker.create_exec(&container, options).await.ok()?;
    let started = bench.docker.start_exec(&exec.id, None).await.ok()?;
    let StartExecResults::Attached { output, .. } = started else { return None };
    let chunks: Vec<_> = output.map_ok(LogOutput::into_bytes).try_collect().await.ok()?;
    let code = bench.docker.inspect_exec(&exec.id).await.ok()?.exit_code;
    (code == Some(0)).then(|| String::from_utf8_lossy(&chunks.concat()).trim().to_owned())
}

fn at(text: &str) -> Timestamp {
    serde_json::from_value(text.into()).unwrap()
}

/// The path that a ticket opens which ends after so many years.
fn credentials(wish: &DesiredSpace, year: u16) -> String {
    let ticket = Ticket {
        space: wish.id.clone(),
        kind: TicketKind::Credentials,
        service: None,
        tail: 0,
        follow: false,
        until: at(&format!("{year}-01-01T00:00:00Z")),
    };
    format!("/_spaceport/v1/credentials?ticket={}", ticket.sign(&[7; 32]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_opens_after_the_checks_and_the_first_admin_whose_password_is_given_out_once() {
    let bench = Bench::with_app("inside", COMPOSE, APP).await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    let (early, other) = (credentials(&wish, 2100), credentials(&wish, 2101));

    // The app answers, and one of its checks does not pass.
    let answers = async || sh(&bench, &wish, "web", "test -e /data/www/index.html").await.is_some();
    bench.until("an answer", answers).await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(3) {
        assert_eq!(visit(&worker, &wish).await.0, 503);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (status, said) = visit_at(&worker, &wish, &early).await;
    assert_eq!((status, said.contains("credentials-not-ready")), (409, true), "{said}");
    assert_eq!(sh(&bench, &wish, "web", "cat /data/tries").await, None, "nobody was made yet");
    // No more than one check each half second.
    let checks = sh(&bench, &wish, "web", "cat /data/checks").await.unwrap().lines().count();
    println!("{checks} checks in the first {:?} of waiting", begin.elapsed());
    assert!((2..=10).contains(&checks), "{checks}");

    let begin = Instant::now();
    sh(&bench, &wish, "web", "echo >/data/go").await.unwrap();
    bench.told(&wish, ObservedState::Ready).await;
    println!("from the check that passes to the open door: {:?}", begin.elapsed());
    assert_eq!(visit(&worker, &wish).await.0, 200);
    assert_eq!(sh(&bench, &wish, "web", "cat /data/tries").await.as_deref(), Some("x"));

    // The ticket that was too early is the one that takes them, since nothing was handed out.
    let (status, first) = visit_at(&worker, &wish, &early).await;
    assert_eq!(status, 200, "{first}");
    let credentials: Value = serde_json::from_str(&first).unwrap();
    let host = format!("{}.localhost", wish.name.as_str());
    assert_eq!(credentials["username"], format!("admin@{host}"));
    assert_eq!(credentials["url"], wish.url);
    let made = sh(&bench, &wish, "web", "cat /data/admin").await.unwrap();
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["password"], credentials["password"]);
    assert_eq!(made["team"], wish.title, "a title is data");
    assert_eq!(visit_at(&worker, &wish, &other).await.0, 410);

    worker.stop().await;
    let worker = bench.worker().await;
    assert_eq!(visit_at(&worker, &wish, &early).await, (200, first), "an answer may get lost");
    assert_eq!(visit_at(&worker, &wish, &other).await.0, 410);
    bench.until("the page", async || visit(&worker, &wish).await.0 == 200).await;
    assert_eq!(sh(&bench, &wish, "web", "cat /data/tries").await.as_deref(), Some("x"));
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_there_is_not_made_again() {
    // As a worker leaves it that is killed before it could note that the account is made.
    let compose = COMPOSE.replace("set -eu", "set -eu; echo >/data/go; echo >/data/admin");
    let bench = Bench::with_app("again", &compose, APP).await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench.told(&wish, ObservedState::Ready).await;
    assert_eq!(sh(&bench, &wish, "web", "cat /data/tries").await, None);
    assert_eq!(visit_at(&worker, &wish, &credentials(&wish, 2100)).await.0, 200);
    bench.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn meters_and_signals_say_what_is_in_the_database() {
    let bench = Bench::with_app("queries", COMPOSE, APP).await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    bench
        .until("it runs", async || sh(&bench, &wish, "web", "echo >/data/go").await.is_some())
        .await;
    bench.told(&wish, ObservedState::Ready).await;

    let begin = Instant::now();
    let nothing = ask(&bench, wish.id.as_str(), None).await;
    println!("{} queries took {:?}", nothing.len(), begin.elapsed());
    #[rustfmt::skip]
    let want = [
        ("busy",    "0"),
        ("changes", "ERROR: cannot execute nextval() in a read-only transaction"),
        ("hits",    "7 hit"),
        ("late",    "none"),
        ("next",    "none"),
        ("posts",   "0 post"),
        ("rows",    "not a count: \"a b\""),
        ("slow",    "ERROR: canceling statement due to statement timeout"),
    ];
    assert_eq!(nothing, want.map(|(name, said)| format!("{name}: {said}")));

    let rows = "INSERT INTO posts (at, due) VALUES ('2026-10-31 23:59:59.999', NULL), \
        ('2026-11-01 00:00:00', '2026-12-01 12:00:00+02'), ('2026-11-30 23:59:59.999', \
        '2026-12-24 12:00:00+00'), ('2026-12-01 00:00:00', NULL)";
    sh(&bench, &wish, "db", &format!("psql -qX -c \"{rows}\"")).await.unwrap();
    for (name, want) in [
        ("posts", "posts: 2 post"),
        ("next", "next: due 2026-12-01T10:00:00Z"),
        ("late", "late: due 2026-11-01T00:00:00Z"),
        ("busy", "busy: 4"),
    ] {
        // By its name, too.
        assert_eq!(ask(&bench, wish.name.as_str(), Some(name)).await, [want]);
    }

    for (space, only, want) in [
        ("nobody", None, "no container of a space \"nobody\" of this state runs here"),
        (wish.id.as_str(), Some("no"), "odd has no meter or signal \"no\""),
    ] {
        let error = query_space(&options(&bench, space, only)).await.unwrap_err();
        assert_eq!(error.to_string(), want);
    }
    bench.end(worker).await;
}

fn options(bench: &Bench, space: &str, only: Option<&str>) -> QueryOptions {
    QueryOptions {
        state_dir: bench.state_dir().to_owned(),
        state_id: bench.state_id.clone(),
        apps_dir: None,
        space: space.to_owned(),
        only: only.map(str::to_owned),
        period: Period { from: at("2026-11-01T00:00:00Z"), to: at("2026-12-01T00:00:00Z") },
    }
}

/// What all of them say, or this one, in the order of their names.
async fn ask(bench: &Bench, space: &str, only: Option<&str>) -> Vec<String> {
    let Queries { meters, signals } = query_space(&options(bench, space, only)).await.unwrap();
    let meters = meters.into_iter().map(|(name, (unit, value))| {
        let said = value.map_or_else(|it| it.to_string(), |it| format!("{it} {unit}"));
        format!("{name}: {said}")
    });
    let signals = signals.into_iter().map(|(name, value)| {
        let said = match value {
            Ok(SignalValue::Due(None)) => "none".to_owned(),
            Ok(SignalValue::Due(Some(at))) => format!("due {at}"),
            Ok(SignalValue::Busy(n)) => n.to_string(),
            Err(error) => error.to_string(),
        };
        format!("{name}: {said}")
    });
    let mut all: Vec<_> = meters.chain(signals).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_is_not_let_open_says_why_without_its_secrets() {
    let begin = "echo >/data/go; ";
    let refused = COMPOSE.replace("set -eu", &format!("set -eu; {begin} echo >/data/closed"));
    let silent = COMPOSE.replace("set -eu", &format!("set -eu; {begin} echo >/data/silent"));
    let app = APP.replace("timeout_seconds = 60", "timeout_seconds = 8");
    let no_admin = "the first admin could not be made: the app answers";
    #[rustfmt::skip]
    let rows = [
        ("refused", refused,             format!("{no_admin} 403 (closed for *** & more)")),
        ("silent",  silent,              format!("{no_admin} 409 (it exists)")),
        ("unready", COMPOSE.to_owned(),  "web is not ready: its check did not pass within 8 s".to_owned()),
    ];
    for (name, compose, want) in rows {
        let bench = Bench::with_app(name, &compose, &app).await;
        let worker = bench.worker().await;
        let wish = bench.wish("odd");
        bench.edge.want(wish.clone());
        let told = bench.told(&wish, ObservedState::Failed).await;
        assert_eq!(told.reason.as_deref(), Some(want.as_str()), "{name}");
        let (status, said) = visit_at(&worker, &wish, &credentials(&wish, 2100)).await;
        assert_eq!((status, said.contains("credentials-not-ready")), (409, true), "{said}");
        bench.until("nothing left", async || bench.objects().await.is_empty()).await;
        bench.end(worker).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_hangs_hangs_once() {
    let hang = r#"command = ["busybox", "sleep", "1000"]"#;
    let begin = APP.find("[[ready.checks]]").unwrap();
    let end = APP.find("# What is counted.").unwrap();
    let mut app = APP.to_owned();
    app.replace_range(begin..end, &format!("[[ready.checks]]\nservice = \"web\"\n{hang}\n"));
    let bench = Bench::with_app("hangs", COMPOSE, &app).await;
    let worker = bench.worker().await;
    let wish = bench.wish("odd");
    bench.edge.want(wish.clone());
    let count = async || {
        let name = format!("{}-web", wish.id.docker_name());
        let top = bench.docker.top_processes(&name, None).await.ok();
        let processes = top.and_then(|it| it.processes).unwrap_or_default();
        processes.iter().filter(|it| it.join(" ").contains("sleep 1000")).count()
    };
    bench.until("the check", async || count().await == 1).await;
    // Long enough for a second one.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(14) {
        assert_eq!(count().await, 1);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(visit(&worker, &wish).await.0, 503);
    bench.end(worker).await;
}
