//! A middleware that tries everything it may not have inherited, and tells in headers what it got.
//!
//! On the way in: `probe-<thing>` with the value or the error. On the way out: `probe-passed`.

use std::fmt::Debug;

use http::{HeaderName, HeaderValue};
use spin_sdk::{
    experimental::wasi::keyvalue::{atomics, store},
    http::{IntoResponse, Request, Result, next},
    http_service,
    key_value::Store,
    sqlite::Connection,
    variables,
};

#[http_service]
async fn handle(mut request: Request) -> Result<impl IntoResponse> {
    let got = [
        ("variable", shown(variables::get("greeting").await)),
        ("key-value", shown(Store::open_default().await.map(|_| ()))),
        ("counter", increment()),
        ("sqlite", shown(Connection::open_default().await.map(|_| ()))),
        ("fetch", fetch().await),
        ("environment", shown(std::env::vars().any(|(name, _)| name == "PROBE"))),
    ];
    for (name, value) in got {
        let name = HeaderName::try_from(format!("probe-{name}")).expect("a name");
        let value = HeaderValue::try_from(value).expect("a value");
        request.headers_mut().insert(name, value);
    }
    let mut response = next(request).await?;
    response.headers_mut().append("probe-passed", HeaderValue::from_static("yes"));
    Ok(response)
}

fn shown(value: impl Debug) -> String {
    format!("{value:?}")
}

fn increment() -> String {
    let count = store::open("default").and_then(|it| atomics::increment(&it, "probe", 1));
    count.map_or_else(shown, |_| "counted".to_owned())
}

/// Port 1 refuses, if one gets so far as to be refused.
async fn fetch() -> String {
    let answer = spin_sdk::http::get("http://127.0.0.1:1/").await;
    answer.map_or_else(shown, |it| it.status().to_string())
}
