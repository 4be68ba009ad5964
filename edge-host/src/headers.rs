//! The request headers that tell a component where it is.
//!
//! Spin appends its `spin-*` headers to those that the client sent, so that a component must know to
//! take the last. Here the client's are removed first: there is one of each, and it is ours.
//!
//! Source: Spin's `crates/trigger-http/src/headers.rs`.

use std::net::SocketAddr;

use http::{HeaderName, HeaderValue, Uri, header, request::Parts};

use crate::route::Matched;

const PREFIX: &str = "spin-";
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// Makes the headers of `parts` those that the component of `matched` gets.
pub(crate) fn prepare<T>(parts: &mut Parts, matched: &Matched<'_, T>, client: SocketAddr) {
    let headers = &mut parts.headers;
    let foreign: Vec<HeaderName> =
        headers.keys().filter(|it| it.as_str().starts_with(PREFIX)).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    // Between the client and the server, and of no use to a component that forwards the request.
    headers.remove(header::CONNECTION);

    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(PATH_INFO, &matched.trailing);
    set(FULL_URL, &full_url(&parts.uri));
    set(MATCHED_ROUTE, matched.based_route);
    set(BASE_PATH, "/");
    set(RAW_COMPONENT_ROUTE, matched.route);
    set(COMPONENT_ROUTE, matched.route_prefix());
    set(CLIENT_ADDR, &client.to_string());
    for (name, value) in &matched.named {
        let name = name.to_ascii_lowercase().replace('_', "-");
        if let Ok(name) = HeaderName::try_from(format!("{PREFIX}path-match-{name}")) {
            set(name, value);
        }
    }
}

fn full_url(uri: &Uri) -> String {
    let host = uri.authority().map_or("localhost", |it| it.as_str());
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    format!("http://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_those_of_spin_and_none_of_the_clients() {
        let (mut parts, ()) = http::Request::get("http://example.org:81/foo/42/bar?key=1")
            .header("spin-client-addr", "6.6.6.6:6")
            .header("spin-made-up", "x")
            .header("connection", "keep-alive")
            .header("accept", "text/plain")
            .body(())
            .unwrap()
            .into_parts();
        let matched = Matched {
            target: &(),
            route: "foo/:user_id/...",
            based_route: "/foo/:user_id/...",
            trailing: "/bar".to_owned(),
            named: vec![("user_id".to_owned(), "42".to_owned())],
        };
        prepare(&mut parts, &matched, "127.0.0.1:8777".parse().unwrap());

        let mut got: Vec<_> =
            parts.headers.iter().map(|(a, b)| (a.as_str(), b.to_str().unwrap())).collect();
        got.sort_unstable();
        let want = [
            ("accept", "text/plain"),
            ("spin-base-path", "/"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-component-route", "foo/:user_id"),
            ("spin-full-url", "http://example.org:81/foo/42/bar?key=1"),
            ("spin-matched-route", "/foo/:user_id/..."),
            ("spin-path-info", "/bar"),
            ("spin-path-match-user-id", "42"),
            ("spin-raw-component-route", "foo/:user_id/..."),
        ];
        assert_eq!(got, want);
    }
}
