//! Who may do what: sessions that don't hold, sign-ins that prove nothing, headers from outside.

use e2e::{Installation, SECOND_KEY, Tenant};
use http::Method;
use serde_json::{Value, json};

use crate::edge::{Edge, at_once, refused};

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
