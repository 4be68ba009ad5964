//! Keys that a wallet makes for its programs: what they open, and what ends them.

use std::{fs, path::Path, time::Duration};

use e2e::{Answer, SECOND_KEY, Tenant, eventually};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::edge::{Edge, at_once, hello, refused};

const BOTH: [&str; 2] = ["spaces:read", "spaces:write"];

fn make(tenant: &Tenant, scopes: &[&str]) -> Answer {
    tenant.post("/v1/keys", &json!({ "name": "a program", "scopes": scopes }))
}

/// What a program of `tenant` can do with a new key.
fn with_key(tenant: &Tenant, scopes: &[&str]) -> Tenant {
    let made = make(tenant, scopes);
    assert_eq!(made.status, 201, "{}", made.text);
    Tenant::with_bearer(&tenant.edge, &made.field("key"), &tenant.address)
}

fn in_seconds(seconds: i64) -> String {
    let at = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    at.format(&Rfc3339).unwrap()
}

/// The last six characters of a key whose others are `secret`, after the prefix.
fn checksum(secret: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = u32::MAX;
    for byte in secret.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8(digits.to_vec()).unwrap()
}

#[test]
fn a_key_is_shown_once_and_opens_what_its_scopes_say() {
    let mut edge = Edge::start();
    let made = make(&edge.tenant, &BOTH);
    assert_eq!(made.status, 201, "{}", made.text);
    let key = made.field("key");
    let (secret, sum) = key.strip_prefix("sp_").unwrap().split_at(43);
    assert!(secret.bytes().all(|it| it.is_ascii_alphanumeric()), "{key}");
    assert_eq!(sum, checksum(secret), "{key}");
    assert_eq!((&made.json["name"], &made.json["scopes"]), (&json!("a program"), &json!(BOTH)));
    for field in ["expires_at", "last_used_at"] {
        assert_eq!(made.json[field], Value::Null, "{field}: {}", made.text);
    }
    let mut listed = made.json.clone();
    listed.as_object_mut().unwrap().remove("key");
    let list = edge.tenant.get("/v1/keys").json;
    assert_eq!(list, json!({ "items": [listed], "next": null }));

    let program = Tenant::with_bearer(&edge.client(), &key, &edge.tenant.address);
    let space = program.create("hello", "by-program");
    let shown = edge.tenant.wait_for(&space, "running");
    assert_eq!(shown["owner"], edge.tenant.address.as_str());
    eventually(Duration::from_secs(30), || {
        let used = edge.tenant.get("/v1/keys").json["items"][0]["last_used_at"].clone();
        if used.is_string() { Ok(()) } else { Err("it was not used".to_owned()) }
    });
    assert!(!contains(edge.installation.scratch(), &key), "the key itself is kept nowhere");

    edge.installation.stop();
    edge.installation.up();
    let program = program.at(&edge.client());
    assert_eq!(program.space(&space)["id"], space.as_str(), "it outlives a restart");
    program.delete_and_wait(&space);
}

/// Whether a file below a folder has `text` in it.
fn contains(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, text);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    })
}

#[test]
fn a_key_opens_no_more_than_its_scopes_and_no_other_wallet() {
    let edge = Edge::start();
    let space = edge.tenant.create("hello", "garden");
    let bad_name = hello("Bad_Name");
    let other = Tenant::sign_in(&edge.client(), &edge.signer, SECOND_KEY);
    #[rustfmt::skip]
    let rows: [(&[&str], u16, u16); 3] = [
        (&["spaces:read"],  200, 403),
        (&["spaces:write"], 403, 400),
        (&BOTH,             200, 400),
    ];
    for (scopes, read, write) in rows {
        let program = with_key(&edge.tenant, scopes);
        let list = program.get("/v1/spaces");
        let one = program.get(&format!("/v1/spaces/{space}"));
        assert_eq!([list.status.as_u16(), one.status.as_u16()], [read; 2], "{scopes:?}");
        let made = program.post("/v1/spaces", &bad_name);
        assert_eq!(made.status, write, "{scopes:?}: {}", made.text);
        let deleted = program.delete("no-such-space");
        assert_eq!(deleted.status, if write == 403 { 403 } else { 404 }, "{scopes:?}");
        for answer in [list, made, deleted].iter().filter(|it| it.status == 403) {
            assert_eq!(answer.problem(), refused(403, "insufficient-scope"), "{scopes:?}");
        }

        let id = edge.tenant.get("/v1/keys").json["items"][0]["id"].as_str().unwrap().to_owned();
        let on_keys = [
            program.get("/v1/keys"),
            make(&program, scopes),
            program.delete_path(&format!("/v1/keys/{id}")),
        ];
        for answer in on_keys {
            assert_eq!(answer.problem(), refused(403, "session-required"), "{scopes:?}");
        }
    }
    let theirs = with_key(&other, &BOTH);
    assert_eq!(theirs.get(&format!("/v1/spaces/{space}")).problem().0, 404);
    assert_eq!(theirs.get("/v1/spaces").json["items"], json!([]));
    edge.tenant.wait_for(&space, "running");
}

#[test]
fn a_key_ends_when_it_is_revoked_or_its_time_is_over() {
    let edge = Edge::start();
    let other = Tenant::sign_in(&edge.client(), &edge.signer, SECOND_KEY);
    let made = make(&edge.tenant, &BOTH);
    let path = format!("/v1/keys/{}", made.field("id"));
    let revoked = Tenant::with_bearer(&edge.client(), &made.field("key"), &edge.tenant.address);
    let kept = with_key(&edge.tenant, &BOTH);
    assert_eq!(revoked.get("/v1/spaces").status, 200);
    assert_eq!(other.delete_path(&path).problem().0, 404, "it is another wallet's");
    assert_eq!(other.get("/v1/keys").json["items"], json!([]));
    assert_eq!(revoked.get("/v1/spaces").status, 200);
    assert_eq!(edge.tenant.delete_path(&path).status, 204);
    assert_eq!(revoked.get("/v1/spaces").problem(), refused(401, "unauthenticated"));
    assert_eq!(revoked.post("/v1/spaces", &hello("garden")).problem().0, 401);
    assert_eq!(edge.tenant.delete_path(&path).problem().0, 404, "it is gone");
    assert_eq!(kept.get("/v1/spaces").status, 200, "the other one stays");

    let body = |at: &str| json!({ "name": "brief", "scopes": BOTH, "expires_at": at });
    let made = edge.tenant.post("/v1/keys", &body(&in_seconds(3600)));
    assert_eq!(made.status, 201, "{}", made.text);
    let (ends, made) = loop {
        let made = edge.tenant.post("/v1/keys", &body(&in_seconds(4)));
        let brief = Tenant::with_bearer(&edge.client(), &made.field("key"), "");
        // A machine that is busy enough uses its time up before it can be used.
        if brief.get("/v1/spaces").status == 200 {
            break (brief, made);
        }
    };
    assert!(made.field("expires_at").ends_with('Z'), "{}", made.text);
    eventually(Duration::from_secs(30), || {
        let answer = ends.get("/v1/spaces");
        if answer.status == 200 {
            return Err(format!("it works after {}", made.field("expires_at")));
        }
        assert_eq!(answer.problem(), refused(401, "unauthenticated"));
        Ok(())
    });
    for at in [&*in_seconds(-60), "tomorrow", "2099-02-30T00:00:00Z", "4070908800"] {
        assert_eq!(edge.tenant.post("/v1/keys", &body(at)).problem().0, 400, "{at}");
    }
}

#[test]
fn what_is_no_key_opens_nothing() {
    let edge = Edge::start();
    let key = make(&edge.tenant, &BOTH).field("key");
    let (secret, sum) = key["sp_".len()..].split_at(43);
    let mut other = secret.to_owned();
    other.replace_range(..1, if other.starts_with('0') { "1" } else { "0" });
    #[rustfmt::skip]
    let rows = [
        ("an unknown one",       format!("sp_{other}{}", checksum(&other))),
        ("a mistyped one",       format!("sp_{other}{sum}")),
        ("a wrong checksum",     format!("sp_{secret}000000")),
        ("no checksum",          format!("sp_{secret}")),
        ("no prefix",            format!("{secret}{sum}")),
        ("another prefix",       format!("sk_{secret}{sum}")),
        ("in capitals",          key.to_uppercase()),
        ("one character more",   format!("{key}0")),
        ("one character less",   key[..key.len() - 1].to_owned()),
        ("its name only",        "sp_".to_owned()),
        ("no letters of a key",  format!("sp_{}", "-".repeat(49))),
    ];
    for (case, key) in rows {
        let answer = edge.client().get("/v1/spaces", Some(&key));
        assert_eq!(answer.problem(), refused(401, "unauthenticated"), "{case}");
    }
    assert_eq!(edge.client().get("/v1/spaces", Some(&key)).status, 200);
    let by_cookie = edge.client().request(http::Method::GET, "/v1/spaces");
    let by_cookie = by_cookie.header("cookie", format!("__Host-session={key}"));
    assert_eq!(edge.client().send(by_cookie, None).problem(), refused(401, "unauthenticated"));
    assert_eq!(edge.client().get("/v1/keys", None).problem(), refused(401, "unauthenticated"));

    let long = "n".repeat(1000);
    #[rustfmt::skip]
    let rows = [
        json!({ "scopes": BOTH }),
        json!({ "name": "x" }),
        json!({ "name": "", "scopes": BOTH }),
        json!({ "name": long, "scopes": BOTH }),
        json!({ "name": "a\u{0}b", "scopes": BOTH }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["spaces:own"] }),
        json!({ "name": "x", "scopes": "spaces:read" }),
        json!({ "name": "x", "scopes": BOTH, "key": "sp_mine" }),
    ];
    for body in rows {
        assert_eq!(edge.tenant.post("/v1/keys", &body).problem().0, 400, "{body}");
    }
    assert_eq!(edge.tenant.get("/v1/keys").json["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_wallet_has_at_most_50_keys() {
    let edge = Edge::start();
    let made: Vec<Answer> = (0..48).map(|_| make(&edge.tenant, &BOTH)).collect();
    assert!(made.iter().all(|it| it.status == 201), "{made:?}");
    let last = at_once(6, |_| make(&edge.tenant, &BOTH));
    let n_made = last.iter().filter(|it| it.status == 201).count();
    assert_eq!(n_made, 2, "{last:?}");
    for answer in last.iter().filter(|it| it.status != 201) {
        assert_eq!(answer.problem(), refused(409, "too-many-keys"));
    }
    let other = Tenant::sign_in(&edge.client(), &edge.signer, SECOND_KEY);
    assert_eq!(make(&other, &BOTH).status, 201, "each wallet has its own");
    let path = format!("/v1/keys/{}", made[0].field("id"));
    assert_eq!(edge.tenant.delete_path(&path).status, 204);
    assert_eq!(make(&edge.tenant, &BOTH).status, 201, "living ones count");
    assert_eq!(make(&edge.tenant, &BOTH).problem(), refused(409, "too-many-keys"));
}
