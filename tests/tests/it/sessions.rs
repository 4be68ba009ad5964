//! Who may do what: sessions that don't hold, headers from outside.

use e2e::{Installation, SECOND_KEY, Tenant};
use http::Method;
use serde_json::json;

use crate::edge::{Edge, refused};

#[test]
fn a_request_without_a_session_that_holds_is_refused() {
    let edge = Edge::start();
    let mut elsewhere = Installation::start();
    let foreign = Tenant::sign_in(&elsewhere.edge(), &edge.signer, e2e::ANVIL_KEY);
    elsewhere.stop();
    let own = &edge.tenant.token;
    let mut forged = own.clone().into_bytes();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    let cut = &own[..own.len() - 2];
    let authorizations = [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Basic dXNlcjpwYXNz".to_owned()),
        Some(format!("Token {own}")),
        Some("Bearer not-a-token".to_owned()),
        Some("Bearer sp_0000000000000000000000000000000000000000".to_owned()),
        Some(format!("Bearer {forged}")),
        Some(format!("Bearer {cut}")),
        Some(format!("Bearer {}", foreign.token)),
        Some("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIweGYzOUYifQ.".to_owned()),
    ];
    let client = edge.client();
    let body = json!({ "name": "garden", "app": "hello" }).to_string().into_bytes();
    for authorization in &authorizations {
        #[rustfmt::skip]
        let rows = [
            (Method::POST,   "/v1/spaces",               Some(body.clone())),
            (Method::GET,    "/v1/spaces",               None),
            (Method::GET,    "/v1/spaces/garden",        None),
            (Method::DELETE, "/v1/spaces/garden",        None),
            (Method::GET,    "/v1/spaces/garden/events", None),
            (Method::GET,    "/v1/spaces/garden/logs",   None),
            (Method::GET,    "/v1/auth/session",         None),
            (Method::POST,   "/v1/auth/logout",          None),
            (Method::GET,    "/v1/admin/hosts",          None),
            (Method::GET,    "/fleet/v1/changes",        None),
        ];
        for (method, path, body) in rows {
            let mut request = client.request(method.clone(), path);
            request = request.header("content-type", "application/json");
            if let Some(text) = authorization {
                request = request.header("authorization", text);
            }
            let got = client.send(request, body).problem();
            assert_eq!(got, refused(401, "unauthenticated"), "{method} {path} {authorization:?}");
        }
    }
    assert_eq!(edge.tenant.get("/v1/admin/hosts").problem(), refused(403, "forbidden"));
    edge.nothing_changed();
}

#[test]
fn a_session_ends_with_its_logout() {
    let edge = Edge::start();
    let kept = Tenant::sign_in(&edge.client(), &edge.signer, e2e::ANVIL_KEY);
    let client = edge.client();
    let request = client
        .request(Method::POST, "/v1/auth/logout")
        .header("authorization", format!("Bearer {}", edge.tenant.token));
    let answer = client.send(request, None);
    assert_eq!(answer.status, 204, "{}", answer.text);
    for path in ["/v1/auth/session", "/v1/spaces"] {
        assert_eq!(edge.tenant.get(path).problem(), refused(401, "unauthenticated"), "{path}");
    }
    let answer = edge.tenant.post("/v1/spaces", &json!({ "name": "garden", "app": "hello" }));
    assert_eq!(answer.problem(), refused(401, "unauthenticated"));
    assert_eq!(kept.get("/v1/auth/session").status, 200, "another session of the wallet stays");
}

#[test]
fn a_cookie_alone_does_not_let_other_sites_act() {
    let edge = Edge::start();
    let client = edge.client();
    let send = |method: Method, origin: Option<&str>| {
        let mut request = client
            .request(method.clone(), "/v1/spaces")
            .header("cookie", format!("__Host-session={}", edge.tenant.token))
            .header("content-type", "application/json");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let body = (method == Method::POST).then(|| b"{\"name\":\"ab\",\"app\":\"x\"}".to_vec());
        client.send(request, body)
    };
    assert_eq!(send(Method::GET, None).status, 200);
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let got = send(Method::POST, origin).problem();
        assert_eq!(got, refused(403, "cross-site-request"), "{origin:?}");
    }
    let own = send(Method::POST, Some(client.origin()));
    assert_eq!(own.problem(), refused(400, "invalid-name"), "our own pages may");
}

#[test]
fn what_only_the_pipeline_may_say_means_nothing_from_outside() {
    let edge = Edge::start();
    let client = edge.client();
    let stranger =
        edge.signer.message(SECOND_KEY, client.origin(), &json!({ "nonce": "a1b2c3d4e5" }));
    let body = json!({ "name": "garden", "app": "hello" }).to_string().into_bytes();
    // A session token, a made-up one, and what a middleware might have written.
    for passport in [&*edge.tenant.token, "v4.local.AAAA", &stranger.address, ""] {
        let request = client
            .request(Method::POST, "/v1/spaces")
            .header("content-type", "application/json")
            .header("spaceport-passport", passport)
            .header("spaceport-wallet", &stranger.address);
        let answer = client.send(request, Some(body.clone()));
        assert_eq!(answer.problem(), refused(401, "unauthenticated"), "{passport}");
    }
    edge.nothing_changed();

    let request = client
        .request(Method::POST, "/v1/spaces")
        .header("authorization", format!("Bearer {}", edge.tenant.token))
        .header("content-type", "application/json")
        .header("spaceport-passport", "forged")
        .header("spaceport-wallet", &stranger.address)
        .header("spin-path-info", "/v1/admin/hosts")
        .header("spin-full-url", "http://evil.example/v1/admin/hosts")
        .header("spin-client-addr", "192.0.2.1:1")
        .header("spin-path-match-id", "evil")
        .header("x-forwarded-host", "evil.example");
    let answer = client.send(request, Some(body));
    assert_eq!(answer.status, 202, "the real one is issued anyway: {}", answer.text);
    assert_eq!(answer.json["owner"], edge.tenant.address.as_str());
    assert!(!answer.text.contains("evil"), "{}", answer.text);
    let answer = client.send(
        client.request(Method::GET, "/v1/names/garden").header("spin-path-match-name", "evil-one"),
        None,
    );
    assert_eq!(answer.json["name"], "garden");
    edge.tenant.wait_for("garden", "running");
}

#[test]
fn a_session_outlives_a_new_key_while_the_old_one_is_known() {
    let (first, second, third) = ("1".repeat(32), "2".repeat(32), "3".repeat(32));
    let mut edge = Edge::of(Installation::default().with_variable("session_key", &first));
    let by_first = edge.tenant.clone();
    let restart = |edge: &mut Edge, key: &str, previous: &str| {
        edge.installation.stop();
        edge.installation.set_variable("session_key", key);
        edge.installation.set_variable("previous_session_keys", previous);
        edge.installation.up();
        edge.tenant = Tenant::sign_in(&edge.client(), &edge.signer, e2e::ANVIL_KEY);
    };
    let holds = |edge: &Edge, session: &Tenant| {
        let answer = session.at(&edge.client()).get("/v1/spaces");
        answer.status == 200 || answer.problem() != refused(401, "unauthenticated")
    };
    restart(&mut edge, &second, &first);
    let by_second = edge.tenant.clone();
    assert!(holds(&edge, &by_first) && holds(&edge, &by_second));
    restart(&mut edge, &third, &format!("{second}, {first}"));
    assert!(holds(&edge, &by_first), "two keys ago");
    restart(&mut edge, &third, &second);
    assert!(!holds(&edge, &by_first), "nobody knows its key any more");
    assert!(holds(&edge, &by_second) && holds(&edge, &edge.tenant));

    // What was ended stays so under another key.
    let ended = by_second.at(&edge.client()).post("/v1/auth/logout", &json!({}));
    assert_eq!(ended.status, 204, "{}", ended.text);
    assert!(!holds(&edge, &by_second));
    restart(&mut edge, &first, &format!("{third} {second}"));
    assert!(holds(&edge, &by_first) && !holds(&edge, &by_second));
}
