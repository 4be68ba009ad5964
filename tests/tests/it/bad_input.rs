//! What clients must not send, over real HTTP. Every refusal is a problem as the contract names it,
//! and changes nothing.

use std::{sync::Barrier, thread};

use e2e::{Answer, Client, Installation, SECOND_KEY, Signer, Tenant};
use http::Method;
use serde_json::{Value, json};

/// One wallet's sessions and the edge they are for, with a space called `taken`.
struct Edge {
    installation: Installation,
    signer: Signer,
    tenant: Tenant,
}

impl Edge {
    fn start() -> Self {
        let installation = Installation::start();
        let signer = Signer::start();
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        Self { installation, signer, tenant }
    }

    fn client(&self) -> Client {
        self.installation.edge()
    }

    /// Sends a body as it is.
    fn raw(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let client = self.client();
        let request = client
            .request(method, path)
            .header("authorization", format!("Bearer {}", self.tenant.token))
            .header("content-type", content_type);
        client.send(request, Some(body))
    }

    /// A message of the first wallet for this edge, with `fields` over the usual ones.
    fn proof(&self, fields: &Value) -> Value {
        let site = self.client().origin().to_owned();
        let proof = self.signer.message(e2e::ANVIL_KEY, &site, fields);
        json!({ "message": proof.message, "signature": proof.signature })
    }

    fn nonce(&self) -> String {
        self.client().get("/v1/auth/nonce", None).field("nonce")
    }

    fn verify(&self, body: &Value) -> Answer {
        self.client().post("/v1/auth/verify", None, body)
    }

    /// Checks that the tenant has no space and that nothing was made on Docker.
    fn nothing_changed(&self) {
        assert_eq!(self.tenant.get("/v1/spaces").json["items"], json!([]));
        assert_eq!(self.installation.objects(), []);
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

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
fn a_sign_in_that_proves_nothing_is_refused() {
    let edge = Edge::start();
    let site = edge.client().origin().to_owned();
    let signed = |fields: Value| edge.verify(&edge.proof(&fields)).problem();
    let host = site.trim_start_matches("http://").to_owned();

    let wrong = refused(401, "wrong-domain");
    assert_eq!(signed(json!({ "nonce": edge.nonce(), "domain": "evil.example" })), wrong);
    assert_eq!(signed(json!({ "nonce": edge.nonce(), "uri": "https://evil.example" })), wrong);
    assert_eq!(signed(json!({ "nonce": edge.nonce(), "domain": format!("x{host}") })), wrong);
    assert_eq!(signed(json!({ "nonce": "abcdefgh12345678" })), refused(401, "nonce-unknown"));
    let past = json!({ "nonce": edge.nonce(), "expirationTime": "2020-01-01T00:00:00.000Z" });
    assert_eq!(signed(past), refused(401, "message-expired"));
    let future = json!({ "nonce": edge.nonce(), "notBefore": "2099-01-01T00:00:00.000Z" });
    assert_eq!(signed(future), refused(401, "message-not-yet-valid"));

    let mut body = edge.proof(&json!({ "nonce": edge.nonce() }));
    let by_other = edge.signer.text(SECOND_KEY, body["message"].as_str().unwrap());
    let good = body["signature"].clone();
    for signature in [by_other.signature.as_str(), "0x", "0x00", "hello", &"0x11".repeat(65)] {
        body["signature"] = signature.into();
        assert_eq!(edge.verify(&body).problem(), refused(401, "bad-signature"), "{signature}");
    }
    body["signature"] = good;
    assert_eq!(edge.verify(&body).status, 200, "none of those used the nonce up");
    assert_eq!(edge.verify(&body).problem(), refused(401, "nonce-used"));

    for message in ["", "sign in please", "evil.example wants you to sign in"] {
        let text = edge.signer.text(e2e::ANVIL_KEY, message);
        let body = json!({ "message": message, "signature": text.signature });
        assert_eq!(edge.verify(&body).problem(), refused(400, "malformed-message"), "{message}");
    }
    let body = json!({ "message": "x", "signature": "0x", "address": "0x" });
    assert_eq!(edge.verify(&body).problem(), refused(400, "unknown-field"));
}

#[test]
fn of_many_who_use_one_nonce_at_once_one_signs_in() {
    let edge = Edge::start();
    let body = edge.proof(&json!({ "nonce": edge.nonce() }));
    let answers = at_once(8, |_| edge.verify(&body));
    let n_signed_in = answers.iter().filter(|it| it.status == 200).count();
    assert_eq!(n_signed_in, 1);
    for answer in answers.iter().filter(|it| it.status != 200) {
        assert_eq!(answer.problem(), refused(401, "nonce-used"));
    }
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
            .header("spaceport-passport", passport);
        let answer = client.send(request, Some(body.clone()));
        assert_eq!(answer.problem(), refused(401, "unauthenticated"), "{passport}");
    }
    edge.nothing_changed();

    let request = client
        .request(Method::POST, "/v1/spaces")
        .header("authorization", format!("Bearer {}", edge.tenant.token))
        .header("content-type", "application/json")
        .header("spaceport-passport", "forged")
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

/// Runs `work` on `n` threads that begin together.
fn at_once<T: Send>(n: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(n);
    thread::scope(|scope| {
        let run = |index| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(index)
            })
        };
        let threads: Vec<_> = (0..n).map(run).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    })
}
