//! As much of a Docker Engine as the meter asks for, with containers that are made up.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use bollard::{API_DEFAULT_VERSION, Docker};
use domain::{SpaceId, Timestamp};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// The Engine: what it has, and what it was asked.
pub(super) struct FakeDocker {
    /// Of each container, by its id: its space, and its first process.
    containers: Mutex<BTreeMap<String, (SpaceId, u32)>>,
    asked: Mutex<Vec<String>>,
    events: broadcast::Sender<String>,
}

impl FakeDocker {
    /// A new one, which listens in `folder`.
    pub(super) fn start(folder: &Path) -> (Arc<Self>, Docker) {
        let (containers, asked) = (Mutex::default(), Mutex::default());
        let fake = Arc::new(Self { containers, asked, events: broadcast::channel(16).0 });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&fake));
        let socket = folder.join("docker.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let socket = socket.to_str().unwrap();
        (fake, Docker::connect_with_unix(socket, 20, API_DEFAULT_VERSION).unwrap())
    }

    /// Has a container.
    pub(super) fn run(&self, id: &str, space: &SpaceId, pid: u32) {
        self.containers.lock().unwrap().insert(id.to_owned(), (space.clone(), pid));
    }

    /// Says that something happened to a container. Whether anybody listens.
    pub(super) fn say(&self, action: &str, id: &str) -> bool {
        let event = json!({ "Type": "container", "Action": action, "Actor": { "ID": id } });
        self.events.send(format!("{event}\n")).is_ok()
    }

    /// What it was asked since the last time: `list`, or `inspect` and an id.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn list(&self) -> Value {
        let containers = self.containers.lock().unwrap();
        let all = containers.iter().map(|(id, (space, _))| {
            json!({ "Id": id, "State": "running", "Labels": { "spaceport.space": space } })
        });
        all.collect()
    }

    fn inspect(&self, id: &str) -> Response {
        let containers = self.containers.lock().unwrap();
        let Some((_, pid)) = containers.get(id) else {
            return (StatusCode::NOT_FOUND, Json(json!({ "message": "none" }))).into_response();
        };
        let host_config = json!({ "ReadonlyRootfs": true });
        Json(json!({ "State": { "Pid": pid }, "HostConfig": host_config })).into_response()
    }
}

async fn answer(State(fake): State<Arc<FakeDocker>>, request: Request) -> Response {
    let path = request.uri().path();
    // Some ask for a version.
    let parts: Vec<&str> = path.split('/').skip(1).filter(|it| !it.starts_with("v1.")).collect();
    match parts[..] {
        ["events"] => {
            let heard = stream::unfold(fake.events.subscribe(), async |mut events| {
                let event = events.recv().await.ok()?;
                Some((Ok::<_, std::convert::Infallible>(event), events))
            });
            Body::from_stream(heard.boxed()).into_response()
        }
        ["volumes"] => Json(json!({ "Volumes": [] })).into_response(),
        ["containers", "json"] => {
            fake.asked.lock().unwrap().push("list".to_owned());
            Json(fake.list()).into_response()
        }
        ["containers", id, "json"] => {
            fake.asked.lock().unwrap().push(format!("inspect {id}"));
            fake.inspect(id)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A space that is made up.
pub(super) fn space(n: u16) -> SpaceId {
    let [high, low] = n.to_be_bytes();
    SpaceId::new(Timestamp::from_unix_ms(0), [1, 1, 1, 1, 1, 1, 1, 1, high, low])
}
