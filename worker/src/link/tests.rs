//! The link with an edge of a few lines.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Query, Request, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::{get, post, put},
};
use domain::{Generation, ObservedState, SpaceId, Timestamp};
use tokio::time::{sleep, timeout};

use super::*;

const TIME_MAX: Duration = Duration::from_secs(20);

/// An edge that answers what it is told to, and then as an edge does.
#[derive(Default)]
struct Script {
    statuses: Mutex<VecDeque<StatusCode>>,
    asked: Mutex<Vec<String>>,
    told: Mutex<Vec<Observation>>,
}

type Shared = State<Arc<Script>>;

impl Script {
    fn status(&self) -> Option<Response> {
        self.statuses.lock().unwrap().pop_front().map(axum::response::IntoResponse::into_response)
    }
}

async fn edge(statuses: &[u16]) -> (Arc<Script>, Edge) {
    let script = Arc::new(Script::default());
    let codes = statuses.iter().map(|it| StatusCode::from_u16(*it).unwrap());
    script.statuses.lock().unwrap().extend(codes);
    let hello = async |State(script): Shared, headers: HeaderMap| {
        assert_eq!(headers["authorization"], "Bearer the key");
        let answer = HelloAnswer { host: "test".to_owned(), ticket_key: [7; 32] };
        script.status().unwrap_or_else(|| Json(answer).into_response())
    };
    let changes = async |State(script): Shared,
                         Query(query): Query<HashMap<String, u64>>,
                         request: Request| {
        script.asked.lock().unwrap().push(request.uri().query().unwrap().to_owned());
        if let Some(response) = script.status() {
            return response;
        }
        // Three pages, and then a long wait.
        let after = query["after"];
        if 3 <= after && 0 < query["wait_seconds"] {
            std::future::pending::<()>().await;
        }
        let next = (after + 1).min(3);
        Json(Changes { items: Vec::new(), next, more: next < 3 }).into_response()
    };
    let observations = async |State(script): Shared, Json(body): Json<Observations>| {
        // The second space is one that this edge will never take.
        if body.items.iter().any(|it| it.space == space(2)) {
            return StatusCode::BAD_REQUEST.into_response();
        }
        script.status().unwrap_or_else(|| {
            script.told.lock().unwrap().extend(body.items);
            StatusCode::NO_CONTENT.into_response()
        })
    };
    let router = Router::new()
        .route("/fleet/v1/hello", put(hello))
        .route("/fleet/v1/changes", get(changes))
        .route("/fleet/v1/observations", post(observations))
        .with_state(Arc::clone(&script));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    (script, Edge::new(&url, "the key".to_owned()).unwrap())
}

fn space(n: u8) -> SpaceId {
    SpaceId::new(Timestamp::from_unix_ms(0), [n; 10])
}

fn observation(n: u8) -> Observation {
    let (space, generation, state) = (space(n), Generation::FIRST, ObservedState::Ready);
    Observation { space, generation, state, release: None, reason: None, steps: Vec::new() }
}

fn hello() -> Hello {
    let gateway_url = "http://127.0.0.1:8080".to_owned();
    Hello { version: "1".to_owned(), gateway_url, memory_mib: 1, apps: Vec::new() }
}

#[tokio::test]
async fn who_is_asked_again_and_who_is_not() {
    #[rustfmt::skip]
    let rows: [(&[u16], Option<EdgeError>); 5] = [
        (&[],                   None),
        (&[503, 500, 429, 408], None),
        (&[401],                Some(EdgeError::UnknownKey)),
        (&[503, 401],           Some(EdgeError::UnknownKey)),
        (&[404],  Some(EdgeError::Protocol { detail: "it answers 404 Not Found".to_owned() })),
    ];
    for (statuses, want) in rows {
        let (_, edge) = edge(statuses).await;
        let answer = timeout(TIME_MAX, edge.hello(&hello())).await.unwrap();
        assert_eq!(answer.err(), want, "{statuses:?}");
    }
}

#[tokio::test]
async fn an_edge_that_is_not_there_yet_is_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let edge = Edge::new(&url, "the key".to_owned()).unwrap();
    assert!(timeout(Duration::from_millis(300), edge.hello(&hello())).await.is_err());
}

#[tokio::test]
async fn all_that_is_wanted_is_known_at_the_beginning() {
    let (script, edge) = edge(&[500]).await;
    let mut pages = 0;
    let after = edge.first_changes(|_| pages += 1).await.unwrap();
    assert_eq!((after, pages), (3, 3));
    let asked = script.asked.lock().unwrap().clone();
    let want: Vec<_> = [0, 0, 1, 2].iter().map(|it| format!("after={it}&wait_seconds=0")).collect();
    assert_eq!(asked, want);
}

#[tokio::test]
async fn a_poke_shortens_the_wait() {
    let (script, edge) = edge(&[]).await;
    let poke = Arc::new(Notify::new());
    let (poked, following) = (Arc::clone(&poke), edge.clone());
    let follow =
        tokio::spawn(async move { following.follow(3, &poked, &hello(), |_| (), |_| ()).await });
    let asked = async |count: usize| {
        while script.asked.lock().unwrap().len() < count {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TIME_MAX, asked(1)).await.unwrap();
    poke.notify_one();
    timeout(TIME_MAX, asked(3)).await.unwrap();
    let want = ["after=3&wait_seconds=20", "after=3&wait_seconds=0", "after=3&wait_seconds=20"];
    assert_eq!(*script.asked.lock().unwrap(), want);
    follow.abort();
}

#[tokio::test]
async fn an_edge_that_is_back_is_greeted_again() {
    // What a proxy may answer for it, or an edge without its records. 200 has no body here.
    for status in [401, 403, 404, 421, 503, 200] {
        let (script, edge) = edge(&[status, status]).await;
        let follow = async |keys: tokio::sync::mpsc::UnboundedSender<[u8; 32]>| {
            let learn = |it: HelloAnswer| keys.send(it.ticket_key).unwrap();
            edge.follow(2, &Notify::new(), &hello(), learn, |_| ()).await
        };
        let (sender, mut keys) = tokio::sync::mpsc::unbounded_channel();
        let key = async {
            tokio::select! {
                error = follow(sender) => panic!("{status}: {error}"),
                key = async {
                    let key = keys.recv().await;
                    while script.asked.lock().unwrap().len() < 2 {
                        sleep(Duration::from_millis(5)).await;
                    }
                    key
                } => key,
            }
        };
        assert_eq!(timeout(TIME_MAX, key).await.unwrap(), Some([7; 32]), "{status}");
    }
}

#[tokio::test]
async fn what_is_told_arrives_and_what_is_refused_holds_nobody_up() {
    let (script, edge) = edge(&[503, 404, 401]).await;
    let outbox = Arc::new(Outbox::default());
    (1..=3).for_each(|n| outbox.push(observation(n)));
    let telling = Arc::clone(&outbox);
    let refused = Arc::new(Mutex::new(Vec::new()));
    let refuse = Arc::clone(&refused);
    let report = tokio::spawn(async move {
        let refuse = |it: &Observation| refuse.lock().unwrap().push(it.clone());
        edge.report(&telling, |_| (), refuse).await
    });
    let all_told = async {
        while !outbox.is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TIME_MAX, all_told).await.unwrap();
    assert_eq!(*script.told.lock().unwrap(), [observation(1), observation(3)]);
    assert_eq!(*refused.lock().unwrap(), [observation(2)]);
    report.abort();
}

#[test]
fn an_address_is_needed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (url, is_one) in [("http://edge:3000", true), ("edge", false), ("mailto:me", false)] {
        assert_eq!(Edge::new(url, String::new()).is_some(), is_one, "{url}");
    }
}
