//! The engine with a Docker of a few lines.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router,
    http::{Method, StatusCode},
};
use reconcile::simulation;

use super::*;

/// An engine on a Docker that answers every removal with 409 and `said`, and that has each container
/// for so many more looks.
fn engine(said: &'static str, looks: u32) -> (Engine, tempfile::TempDir) {
    let left = Arc::new(AtomicU32::new(looks));
    let router = Router::new().fallback(async move |method: Method| {
        let take = |it: u32| it.checked_sub(1);
        let (status, message) = if method == Method::DELETE {
            (StatusCode::CONFLICT, said)
        } else if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            (StatusCode::OK, "")
        } else {
            (StatusCode::NOT_FOUND, "No such container")
        };
        (status, Json(serde_json::json!({ "message": message })))
    });
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let socket = socket.to_str().unwrap();
    let docker = Docker::connect_with_socket(socket, 20, bollard::API_DEFAULT_VERSION).unwrap();
    let files = SpaceFiles::open(folder.path()).unwrap();
    let labels = Labels::new("test".to_owned(), "test".to_owned());
    let subnets = "10.213.0.0/16".parse().unwrap();
    let key = BackupKey::open_or_make(folder.path()).unwrap();
    let backups =
        Backups { shelf: Shelf::new(folder.path()), key, now: || Timestamp::from_unix_ms(0) };
    (Engine::new(docker, labels, Arc::default(), files, subnets, backups), folder)
}

#[tokio::test]
async fn a_removal_is_done_when_the_container_is_gone() {
    #[rustfmt::skip]
    let rows = [
        ("removal of container x is already in progress", 2, None),
        ("removal of container x is already in progress", 0, None),
        ("you cannot remove it", 0, Some("Docker could not remove web: you cannot remove it")),
    ];
    for (said, looks, want) in rows {
        let (engine, _folder) = engine(said, looks);
        let step = Step::RemoveContainer("web".to_owned());
        let removed = engine.apply(&simulation::stack(Target::Absent), &step).await;
        assert_eq!(removed.err().map(|it| it.to_string()).as_deref(), want, "{said} {looks}");
    }
}

#[tokio::test]
async fn what_takes_long_takes_nobodys_place() {
    let (engine, _folder) = engine("", 0);
    let _all = engine.slots.acquire_many(SPACES_AT_ONCE.try_into().unwrap()).await.unwrap();
    // They need no place of those: they are answered, with an error of a Docker that can't.
    let web = "web".to_owned();
    for step in [Step::StopContainer(web.clone()), Step::PullImage(web)] {
        let desired = simulation::stack(Target::Running);
        let taken = timeout(Duration::from_secs(20), engine.apply(&desired, &step)).await;
        assert!(taken.unwrap().is_err(), "{step:?}");
    }
    // Nor does waiting for a space that does not answer.
    let observed = ObservedStack {
        upstream: Some("127.0.0.1:1".parse().unwrap()),
        ..ObservedStack::default()
    };
    let desired = simulation::stack(Target::Running);
    let waited = engine.wait(&desired, &observed, &Waiting::Ready, Duration::ZERO);
    timeout(Duration::from_secs(20), waited).await.unwrap();
}

#[test]
fn who_takes_long_is_asked_less_often() {
    #[rustfmt::skip]
    let rows = [
        (0, 10), (999, 10), (1000, 20), (1999, 20), (2000, 40), (3000, 80), (4000, 160),
        (5000, 250), (60_000, 250),
    ];
    for (waited_ms, want_ms) in rows {
        let pause = probe_pause(Duration::from_millis(waited_ms));
        assert_eq!(pause, Duration::from_millis(want_ms), "after {waited_ms} ms");
    }
}
