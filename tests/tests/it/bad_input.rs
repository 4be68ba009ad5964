//! What clients must not send, over real HTTP. Every refusal is a problem as the contract names it,
//! and changes nothing.

use e2e::{SECOND_KEY, Tenant};
use http::Method;
use serde_json::json;

use crate::edge::{Edge, at_once, refused};

#[test]
fn a_body_that_is_not_as_it_should_be_is_refused() {
    let edge = Edge::start();
    let create = |body: &str| {
        edge.raw(Method::POST, "/v1/spaces", "application/json", body.as_bytes().to_vec())
    };
    #[rustfmt::skip]
    let rows = [
        ("",                                                              "malformed-json"),
        ("{",                                                             "malformed-json"),
        ("{\"name\":\"garden\",\"app\":\"hello\"} trailing",              "malformed-json"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"owner\":\"me\"}",      "unknown-field"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"__proto__\":{}}",      "unknown-field"),
        ("{\"name\":7,\"app\":\"hello\"}",                                "invalid-body"),
        ("{\"name\":\"garden\"}",                                         "invalid-body"),
        ("{\"name\":null,\"app\":\"hello\"}",                             "invalid-body"),
        ("[]",                                                            "invalid-body"),
        ("null",                                                          "invalid-body"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"settings\":{\"colour\":1}}", "invalid-settings"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"settings\":{\"greeting\":1}}", "invalid-settings"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"settings\":[]}",       "invalid-settings"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"title\":\"\"}",        "invalid-title"),
        ("{\"name\":\"garden\",\"app\":\"hello\",\"title\":\"a\\u0000b\"}", "invalid-title"),
    ];
    for (body, code) in rows {
        assert_eq!(create(body).problem(), refused(400, code), "{body}");
    }
    let not_utf8 = b"{\"name\":\"\xff\",\"app\":\"hello\"}".to_vec();
    let answer = edge.raw(Method::POST, "/v1/spaces", "application/json", not_utf8);
    assert_eq!(answer.problem(), refused(400, "malformed-json"));
    let deep =
        format!("{{\"name\":\"garden\",\"app\":\"hello\",\"settings\":{}", "[".repeat(30_000));
    assert_eq!(create(&deep).problem(), refused(400, "malformed-json"));

    let form = edge.raw(Method::POST, "/v1/spaces", "text/plain", b"{}".to_vec());
    assert_eq!(form.problem(), refused(415, "unsupported-media-type"));
    edge.nothing_changed();
}

#[test]
fn a_body_above_64_kib_is_refused() {
    let edge = Edge::start();
    let body = |bytes: usize| {
        let frame = json!({ "name": "garden", "app": "no-such-app", "title": "" }).to_string();
        // Whitespace between tokens is JSON.
        let mut body = frame.into_bytes();
        body.resize(bytes, b' ');
        body
    };
    let send = |bytes| edge.raw(Method::POST, "/v1/spaces", "application/json", body(bytes));
    assert_eq!(send(64 * 1024).status, 400, "the largest body is read");
    for bytes in [64 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024] {
        assert_eq!(send(bytes).status, 413, "{bytes} bytes");
    }
    assert_eq!(send(64 * 1024 + 1).problem(), refused(413, "body-too-large"));
    edge.nothing_changed();
}

#[test]
fn a_path_takes_its_own_methods_only() {
    let edge = Edge::start();
    let client = edge.client();
    #[rustfmt::skip]
    let rows = [
        (Method::PUT,    "/v1/spaces",               405),
        (Method::DELETE, "/v1/spaces",               405),
        (Method::POST,   "/v1/spaces/some-space",    405),
        (Method::PUT,    "/v1/spaces/some-space",    405),
        (Method::POST,   "/v1/auth/nonce",           405),
        (Method::GET,    "/v1/auth/verify",          405),
        (Method::DELETE, "/v1/names/garden",         405),
        (Method::POST,   "/v1/apps",                 405),
        (Method::POST,   "/healthz",                 405),
        (Method::POST,   "/readyz",                  405),
        (Method::GET,    "/v1/no-such-thing",        404),
        (Method::GET,    "/v1/spaces/a/b/c",         404),
        (Method::GET,    "/no/such/page",            404),
        (Method::GET,    "/v1/auth/",                404),
    ];
    for (method, path, status) in rows {
        let request = client
            .request(method.clone(), path)
            .header("authorization", format!("Bearer {}", edge.tenant.token));
        let answer = client.send(request, None);
        let code = if status == 405 { "method-not-allowed" } else { "not-found" };
        assert_eq!(answer.problem(), refused(status, code), "{method} {path}");
        if status == 405 {
            assert!(!answer.header("allow").is_empty(), "{method} {path}: no Allow");
        }
    }
}

#[test]
fn a_bad_name_is_refused_and_said_to_be_bad() {
    let edge = Edge::start();
    let (long, longest) = ("a".repeat(41), "a".repeat(40));
    #[rustfmt::skip]
    let rows = [
        ("",            "invalid"),
        ("ab",          "invalid"),
        (&*long,        "invalid"),
        ("Garden",      "invalid"),
        ("-garden",     "invalid"),
        ("garden-",     "invalid"),
        ("gar--den",    "invalid"),
        ("xn--80ak6aa", "invalid"),
        ("gar.den",     "invalid"),
        ("gar_den",     "invalid"),
        ("garden ",     "invalid"),
        ("gärten",      "invalid"),
        ("www",         "reserved"),
        ("api",         "reserved"),
        ("admin",       "reserved"),
        ("mail",        "reserved"),
    ];
    for (name, reason) in rows {
        let answer = edge.tenant.post("/v1/spaces", &json!({ "name": name, "app": "hello" }));
        assert_eq!(answer.problem(), refused(400, "invalid-name"), "{name:?}");
        if !name.is_empty() && name.is_ascii() && !name.contains(' ') {
            let answer = edge.client().get(&format!("/v1/names/{name}"), None);
            let want = json!({ "name": name, "available": false, "reason": reason });
            assert_eq!(answer.json, want, "{name:?}");
        }
    }
    let answer = edge.client().get(&format!("/v1/names/{longest}"), None);
    assert_eq!(answer.json["available"], true);
    edge.nothing_changed();
}

#[test]
fn an_unknown_app_and_a_taken_name_are_refused() {
    let edge = Edge::start();
    let create = |name: &str, app: &str| {
        edge.tenant.post("/v1/spaces", &json!({ "name": name, "app": app }))
    };
    for app in ["no-such-app", "", "../hello", "Hello"] {
        assert_eq!(create("garden", app).problem(), refused(404, "app-not-found"), "{app:?}");
    }
    edge.nothing_changed();
    let space = edge.tenant.create("hello", "garden");
    assert_eq!(create("garden", "hello").problem(), refused(409, "name-taken"));
    let other = Tenant::sign_in(&edge.client(), &edge.signer, SECOND_KEY);
    let answer = other.post("/v1/spaces", &json!({ "name": "garden", "app": "hello" }));
    assert_eq!(answer.problem(), refused(409, "name-taken"));
    let name = edge.client().get("/v1/names/garden", None);
    assert_eq!(name.json["reason"], "taken");
    let listed = edge.tenant.get("/v1/spaces").json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    edge.tenant.wait_for(&space, "running");
}

#[test]
fn of_many_who_want_one_name_at_once_one_gets_it() {
    let edge = Edge::start();
    let other = Tenant::sign_in(&edge.client(), &edge.signer, SECOND_KEY);
    for (name, n_requests) in [("for-two", 2), ("for-twenty", 20)] {
        let body = json!({ "name": name, "app": "hello" });
        let answers = at_once(n_requests, |index| {
            let tenant = if index % 2 == 0 { &edge.tenant } else { &other };
            tenant.post("/v1/spaces", &body)
        });
        let accepted: Vec<_> = answers.iter().filter(|it| it.status == 202).collect();
        assert_eq!(accepted.len(), 1, "{name}: {answers:?}");
        for answer in answers.iter().filter(|it| it.status != 202) {
            assert_eq!(answer.problem(), refused(409, "name-taken"), "{name}");
        }
        let winner = accepted[0].json["owner"].as_str().unwrap();
        let tenant = if winner == edge.tenant.address { &edge.tenant } else { &other };
        tenant.wait_for(&accepted[0].field("id"), "running");
    }
    // One network, one container and one space for each name.
    assert_eq!(edge.installation.objects().len(), 4);
}

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let edge = Edge::start();
    let send = |key: &str, name: &str| {
        let body = json!({ "name": name, "app": "hello" });
        edge.tenant.try_send(Method::POST, "/v1/spaces", key, Some(&body)).unwrap()
    };
    let first = send("key-1", "garden");
    assert_eq!(first.status, 202, "{}", first.text);
    edge.tenant.wait_for(&first.field("id"), "running");
    let second = send("key-1", "garden");
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(send("key-1", "orchard").problem(), refused(422, "idempotency-key-reused"));
    assert_eq!(send("key-2", "garden").problem(), refused(409, "name-taken"));
    let too_long = "k".repeat(129);
    for key in ["", "with space", &too_long] {
        assert_eq!(send(key, "orchard").status, 400, "{key:?}");
    }
    let listed = edge.tenant.get("/v1/spaces").json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn a_bad_query_is_refused() {
    let edge = Edge::start();
    #[rustfmt::skip]
    let rows = [
        "?limit=0", "?limit=201", "?limit=-1", "?limit=x", "?phase=asleep", "?after=%00",
    ];
    for query in rows {
        let answer = edge.tenant.get(&format!("/v1/spaces{query}"));
        assert_eq!(answer.problem().0, 400, "{query}");
    }
    assert_eq!(edge.tenant.get("/v1/spaces?limit=200&phase=running").status, 200);
    assert_eq!(edge.tenant.get("/v1/spaces/%2e%2e%2fapps").problem().0, 404);
    assert_eq!(edge.tenant.get("/v1/spaces/spc_01ARYZ6S41ZZZZZZZZZZZZZZZZ").problem().0, 404);
}

#[test]
fn a_request_id_is_echoed_if_it_is_sane() {
    let edge = Edge::start();
    let client = edge.client();
    let with_id = |id: &str| {
        let request = client.request(Method::GET, "/healthz").header("x-request-id", id);
        client.send(request, None)
    };
    assert_eq!(with_id("req-1.a_B").header("x-request-id"), "req-1.a_B");
    let long = "x".repeat(5000);
    for id in ["with space", &long, "<script>"] {
        let answer = with_id(id);
        assert_ne!(answer.header("x-request-id"), id);
        assert!(!answer.header("x-request-id").is_empty());
    }
}
