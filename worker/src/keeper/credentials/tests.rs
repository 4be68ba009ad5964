//! Who gets the credentials of a space, with files on a disk and containers in memory.

use std::{collections::BTreeMap, path::Path};

use apps::Template;
use domain::{Generation, Timestamp};
use fleet::DesiredSpace;
use reconcile::simulation::{Simulation, space};

use super::*;
use crate::{outbox::Outbox, releases::Releases, routes::Routes, wish::Templates};

const COMPOSE: &str = "services: {web: {image: 'app:1', mem_limit: 16m, environment: \
    {PASSWORD: '${PASSWORD}'}}}";
const APP: &str = r#"
title = "A"
description = "B."
version = "1"
web = { service = "web", port = 80 }
ready = { path = "/", timeout_seconds = 5 }
disk = { mib = 1 }
secrets = { PASSWORD = { bytes = 16 } }
"#;
const FIRST_ADMIN: &str = r#"
[first_admin]
username = "admin@${SPACE_HOST}"
password = "${PASSWORD}"
create = { path = "/new", json = { password = "${PASSWORD}" } }
verify = { path = "/in", json = { password = "${PASSWORD}" } }
"#;

/// A worker that was just started on this folder.
fn start(folder: &Path) -> SpaceCredentials<Simulation> {
    let app = |id: &str, text: &str| Template::parse(id, COMPOSE, text).unwrap();
    let templates = vec![app("open", APP), app("closed", &format!("{APP}{FIRST_ADMIN}"))];
    let releases = Arc::new(Releases::open(&folder.join("releases"), templates).unwrap());
    let templates = Templates { releases, ..Templates::default() };
    let now = || Timestamp::from_unix_ms(0);
    let outbox = Arc::new(Outbox::default());
    let keeper = Keeper::new(Simulation::new(), templates, Routes::default(), outbox, now);
    SpaceCredentials::new(Arc::new(keeper), SpaceFiles::open(folder).unwrap())
}

fn wish(n: u8, app: &str, desired: Desired) -> DesiredSpace {
    DesiredSpace {
        id: space(n),
        name: format!("garden{n}").parse().unwrap(),
        title: "Garden".to_owned(),
        url: format!("http://garden{n}.localhost:8080"),
        domains: Vec::new(),
        app: app.to_owned(),
        release: String::new(),
        settings: serde_json::json!({}),
        desired,
        generation: Generation::FIRST,
        has_data: false,
        gave_up: false,
        suspension: None,
        request_id: None,
    }
}

fn ticket(name: &str) -> TicketUse {
    TicketUse { sha256: name.to_owned(), until: Timestamp::from_unix_ms(60_000) }
}

/// What the steps of a space leave, up to these.
async fn made(source: &SpaceCredentials<Simulation>, n: u8, has_admin: bool, was_ready: bool) {
    let wanted = BTreeMap::from([("PASSWORD".to_owned(), 16)]);
    source.files.write_secrets(&space(n), wanted).await.unwrap();
    if has_admin {
        source.files.mark_first_admin(&space(n)).await.unwrap();
    }
    if was_ready {
        source.files.mark_ready(&space(n), "").await.unwrap();
    }
}

async fn take(source: &SpaceCredentials<Simulation>, n: u8, name: &str) -> Result<String, String> {
    let taken = source.take(&space(n), &ticket(name)).await;
    taken.map(|it| it.username).map_err(|it| it.to_string())
}

#[tokio::test]
async fn there_are_none_until_the_door_opens_and_none_where_nobody_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let source = start(folder.path());
    let (not_yet, none) =
        ("the space has not been ready yet", "the app of this space has no first admin");
    #[rustfmt::skip]
    let rows = [
        // app        wanted              admin  ready  what comes
        ("closed", Desired::Running,      false, false, Err(not_yet)),
        ("closed", Desired::Running,      true,  false, Err(not_yet)),
        ("closed", Desired::Running,      true,  true,  Ok("admin@garden3.localhost")),
        ("closed", Desired::Running,      false, true,  Err(none)),
        ("closed", Desired::Hibernated,   true,  true,  Ok("admin@garden5.localhost")),
        ("closed", Desired::Deleted,      true,  true,  Err(not_yet)),
        ("open",   Desired::Running,      false, true,  Err(none)),
        ("gone",   Desired::Running,      true,  true,  Err(not_yet)),
    ];
    for (n, (app, desired, has_admin, was_ready, want)) in (1..).zip(rows) {
        source.keeper.want(wish(n, app, desired));
        made(&source, n, has_admin, was_ready).await;
        let want = want.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(take(&source, n, "one").await, want, "{n}: {app} {desired:?}");
    }
    assert_eq!(take(&source, 99, "one").await, Err(not_yet.to_owned()), "nobody knows the space");
}

#[tokio::test]
async fn the_ticket_that_took_them_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let taken = Err("they were handed out by a ticket that ended at 1970-01-01T00:01:00Z".into());
    for (name, is_holder) in [("one", true), ("one", true), ("two", false), ("one", true)] {
        let source = start(folder.path());
        source.keeper.want(wish(1, "closed", Desired::Running));
        source.keeper.want(wish(2, "closed", Desired::Running));
        made(&source, 1, true, true).await;
        let got = take(&source, 1, name).await;
        assert_eq!(got.is_ok(), is_holder, "{name}");
        assert!(is_holder || got == taken, "{got:?}");
        // Another space has its own.
        made(&source, 2, true, true).await;
        assert!(take(&source, 2, "two").await.is_ok());
    }
}

#[tokio::test]
async fn of_many_at_once_one_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let source = start(folder.path());
    source.keeper.want(wish(1, "closed", Desired::Running));
    made(&source, 1, true, true).await;
    let names: Vec<_> = (0..20).map(|it| it.to_string()).collect();
    let all = names.iter().map(|name| take(&source, 1, name));
    let all = futures::future::join_all(all).await;
    assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 1, "{all:?}");
}

#[tokio::test]
async fn the_password_is_the_secret_that_the_app_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let source = start(folder.path());
    source.keeper.want(wish(1, "closed", Desired::Running));
    made(&source, 1, true, true).await;
    let secrets = source.files.secrets(&space(1)).await.unwrap();
    let credentials = source.take(&space(1), &ticket("one")).await.unwrap();
    assert_eq!(credentials.password, secrets["PASSWORD"]);
    assert_eq!(credentials.url, "http://garden1.localhost:8080");

    // Secrets that can't be read are nobody's, and nothing is handed out for good.
    let other = space(2);
    source.keeper.want(wish(2, "closed", Desired::Running));
    made(&source, 2, true, true).await;
    let sealed = folder.path().join("spaces").join(other.as_str()).join("secrets");
    std::fs::write(&sealed, "x").unwrap();
    let error = source.take(&other, &ticket("one")).await.err();
    assert!(matches!(error, Some(CredentialsError::Unavailable(_))));
    assert!(!sealed.with_file_name("credentials").exists());
}
