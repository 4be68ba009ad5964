//! A component that does on request what a test of the embedded edge wants to see done.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use spin_sdk::{
    experimental::wasi::keyvalue::{atomics, store},
    http::{FullBody, IntoResponse, Request},
    http_service,
    key_value::Store,
    sqlite::{Connection, RowResult, Value},
    variables,
};

/// What a route answers: 200 with a text, or 409 with an error's.
type Answer = Result<String, String>;

/// Survives from request to request while the instance does.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return respond(Err(shown(error))),
    };
    let path = parts.uri.path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    respond(match segments[..] {
        ["kv", ..] => key_value(&segments[1..], &body).await,
        ["sql", ..] => sql(&segments[1..], &body).await,
        ["var", name] => variables::get(name).await.map_err(shown),
        ["env", name] => std::env::vars()
            .find_map(|(it, value)| (it == name).then_some(value))
            .ok_or_else(|| "not set".to_owned()),
        ["fetch"] => fetch(&String::from_utf8_lossy(&body)).await,
        ["headers"] => Ok(parts.headers.iter().map(|(a, b)| format!("{a}: {b:?}\n")).collect()),
        ["echo"] => Ok(String::from_utf8_lossy(&body).into_owned()),
        ["uri"] => Ok(parts.uri.to_string()),
        ["reuse"] => Ok(REQUESTS.fetch_add(1, Ordering::Relaxed).to_string()),
        ["sleep", ms] => sleep(ms).await,
        ["naps", n] => naps(n).await,
        ["busy"] => busy(),
        ["hog"] => hog(),
        ["trap"] => panic!("as asked"),
        _ => Ok("hello".to_owned()),
    })
}

fn respond(answer: Answer) -> http::Response<FullBody<Bytes>> {
    let (status, text) = match answer {
        Ok(text) => (200, text),
        Err(text) => (409, text),
    };
    let mut response = http::Response::new(FullBody::new(text.into()));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    response
}

fn shown(error: impl Debug) -> String {
    format!("{error:?}")
}

async fn key_value(segments: &[&str], body: &[u8]) -> Answer {
    match segments {
        ["get", key] => {
            let store = Store::open_default().await.map_err(shown)?;
            let value = store.get(key).await.map_err(shown)?;
            Ok(value.map_or("none".to_owned(), |it| String::from_utf8_lossy(&it).into_owned()))
        }
        ["set", key] => {
            let store = Store::open_default().await.map_err(shown)?;
            store.set(key, body).await.map_err(shown)?;
            Ok(String::new())
        }
        ["delete", key] => {
            let store = Store::open_default().await.map_err(shown)?;
            store.delete(key).await.map_err(shown)?;
            Ok(store.exists(key).await.map_err(shown)?.to_string())
        }
        ["keys"] => {
            let store = Store::open_default().await.map_err(shown)?;
            let mut keys = store.get_keys().await.collect().await.map_err(shown)?;
            keys.sort();
            Ok(keys.join(","))
        }
        ["increment", key] => {
            let bucket = store::open("default").map_err(shown)?;
            Ok(atomics::increment(&bucket, key, 1).map_err(shown)?.to_string())
        }
        ["open", label] => Store::open(label).await.map(|_| String::new()).map_err(shown),
        _ => Err("no such route".to_owned()),
    }
}

/// Runs the statements of the body, one a line, on one connection, and shows the last one's rows.
async fn sql(segments: &[&str], body: &[u8]) -> Answer {
    if let ["open", label] = segments {
        return Connection::open(label).await.map(|_| String::new()).map_err(shown);
    }
    let connection = Connection::open_default().await.map_err(shown)?;
    let statements = match segments {
        ["point", _] => "SELECT b FROM point WHERE a = ?1".to_owned(),
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    let parameters = match segments {
        ["point", key] => vec![Value::Integer(key.parse().map_err(shown)?)],
        _ => Vec::new(),
    };
    let mut shown_rows = String::new();
    for statement in statements.lines() {
        if statement == "SLEEP" {
            spin_sdk::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        let result = connection.execute(statement, parameters.clone()).await.map_err(shown)?;
        let columns = result.columns().join("|");
        let rows = result.collect().await.map_err(shown)?;
        shown_rows = rows.iter().map(|it| format!("\n{}", show_row(it))).collect();
        shown_rows.insert_str(0, &columns);
    }
    if segments == ["count"] {
        let (rowid, changes) = (connection.last_insert_rowid().await, connection.changes().await);
        return Ok(format!("{rowid} {changes}"));
    }
    Ok(shown_rows)
}

fn show_row(row: &RowResult) -> String {
    row.values.iter().map(shown).collect::<Vec<_>>().join("|")
}

async fn fetch(url: &str) -> Answer {
    let response = spin_sdk::http::get(url).await.map_err(shown)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(shown)?.to_bytes();
    Ok(format!("{status} {}", String::from_utf8_lossy(&body)))
}

/// Wakes up often, to do nothing.
async fn naps(n: &str) -> Answer {
    for _ in 0..n.parse().map_err(shown)? {
        sleep("11").await?;
    }
    Ok("rested".to_owned())
}

async fn sleep(ms: &str) -> Answer {
    let ms = ms.parse().map_err(shown)?;
    spin_sdk::time::sleep(Duration::from_millis(ms)).await;
    Ok("slept".to_owned())
}

fn busy() -> Answer {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

fn hog() -> Answer {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1024 * 1024]));
    }
}
