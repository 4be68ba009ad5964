//! Caddy in front of an installation, with certificates on demand, as `docs/NAMES.md` has it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use e2e::{Caddy, Dns, Installation, Signer, Tenant, eventually, within};
use serde_json::json;

use crate::custom_domains::{BASE, claimed, installation, proof, wait_until_proven};

const ROUTE_TIME_MAX: Duration = Duration::from_secs(30);
const CERTIFICATE_TIME_MAX: Duration = Duration::from_secs(30);

struct Scene {
    // Dropped first: Caddy ends before what it stands in front of.
    caddy: Caddy,
    installation: Installation,
    dns: Dns,
    tenant: Tenant,
}

impl Scene {
    fn start() -> Self {
        let dns = Dns::start();
        let installation = installation(&dns);
        Self::of(dns, installation)
    }

    fn of(dns: Dns, mut installation: Installation) -> Self {
        installation.up();
        let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
        let edge = installation.edge().origin().to_owned();
        let caddy = Caddy::start(&edge, &installation.gateway(), BASE);
        Self { caddy, installation, dns, tenant }
    }
}

#[test]
fn a_new_space_has_https_at_its_first_visit_and_unknown_names_have_none() {
    let scene = Scene::start();
    let (visitor, host) = (scene.caddy.client(), format!("garden.{BASE}"));
    assert!(visitor.try_get(&host, "/").is_none(), "there is no such space yet");
    let space = scene.tenant.create("hello", "garden");
    let running = scene.tenant.wait_for(&space, "running");
    assert_eq!(running["url"], format!("https://{host}"));

    let (first, second) = (visitor.get(&host, "/"), visitor.get(&host, "/"));
    for visit in [&first, &second] {
        assert_eq!(visit.status, 200, "{}", visit.text);
        assert!(visit.text.contains("garden"), "{}", visit.text);
        assert!(visit.handshake < Duration::from_secs(5), "{visit:?}");
    }
    eprintln!(
        "handshake and whole request: the first {:?}, {:?}; the second {:?}, {:?}",
        first.handshake, first.total, second.handshake, second.total
    );

    let own = space.replace('_', "-").to_ascii_lowercase();
    for label in ["nobody", "www", "a.garden", &own] {
        let host = format!("{label}.{BASE}");
        assert!(visitor.try_get(&host, "/").is_none(), "{host}");
    }
    for host in [BASE, "garden.test", "garden.spaces.test.evil.test", "localhost"] {
        assert!(visitor.try_get(host, "/").is_none(), "{host}");
    }

    scene.tenant.delete_and_wait(&space);
    // Its certificate is there until it ends, and nothing behind it.
    assert_eq!(visitor.get(&host, "/").status, 404);
}

#[test]
fn a_custom_domain_has_https_once_it_is_proven() {
    let mut scene = Scene::start();
    let visitor = scene.caddy.client();
    let space = scene.tenant.create("hello", "garden");
    scene.tenant.wait_for(&space, "running");
    let (name, value) = proof(&claimed(&scene.tenant, &space, "garden.test"), "TXT");
    assert!(visitor.try_get("garden.test", "/").is_none(), "it is not proven");

    scene.dns.add_text(&name, &value);
    wait_until_proven(&scene.tenant, &space, "garden.test");
    eventually(ROUTE_TIME_MAX, || {
        let visit = visitor.get("garden.test", "/");
        if visit.status == 200 { Ok(()) } else { Err(visit.text) }
    });
    assert!(visitor.get("garden.test", "/").text.contains("garden"));
    assert!(visitor.try_get("www.garden.test", "/").is_none(), "nothing was said of that");
}

#[test]
fn the_edge_is_reached_by_its_name_without_what_is_internal_and_so_are_logs() {
    let scene = Scene::start();
    let (visitor, edge) = (scene.caddy.client(), format!("spaceport.{BASE}"));
    // Certificates for names that it was told are made while it starts.
    let healthy = within(CERTIFICATE_TIME_MAX, || visitor.try_get(&edge, "/healthz"));
    assert_eq!(healthy.expect("the edge has a certificate").status, 200);
    let direct = scene.installation.edge().get("/internal/traefik", None);
    assert_eq!(direct.status, 200, "{}", direct.text);
    for path in [
        "/internal/traefik",
        "/internal/tls/ask?domain=garden.spaces.test",
        "/internal/",
        "/INTERNAL/traefik",
        "/%69nternal/traefik",
        "//internal/traefik",
        "/v1/../internal/traefik",
        "/./internal/traefik",
        "/internal//traefik",
    ] {
        let answer = visitor.get(&edge, path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }

    let space = scene.tenant.create("hello", "garden");
    scene.tenant.wait_for(&space, "running");
    let answer = scene.tenant.get(&format!("/v1/spaces/{space}/logs"));
    assert_eq!(answer.status, 307, "{}", answer.text);
    let path = answer.header("location").strip_prefix(&format!("https://gateway.{BASE}"));
    let logs = visitor.get(&format!("gateway.{BASE}"), path.unwrap());
    assert_eq!(logs.status, 200, "{}", logs.text);
}

/// An app that answers as its path says: `/socket` with an echo in another protocol, `/stream` with two
/// lines and a second between them.
const TALK: &str = r"
services:
  web:
    image: spaceport/hello:1
    mem_limit: 32m
    stop_grace_period: 1s
    command:
      - busybox
      - nc
      - -ll
      - -p
      - '8080'
      - -e
      - sh
      - -c
      - |
        read -r method path version
        while read -r line && [ $${#line} -gt 1 ]; do :; done
        case $$path in
          /socket) printf 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
            printf 'Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
            exec cat ;;
          /stream) printf 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
            printf 'Connection: close\r\n\r\ndata: one\n'
            busybox sleep 3
            printf 'data: two\n' ;;
          *) printf 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' ;;
        esac
";

const TALK_MANIFEST: &str = r#"
title = "Talk"
description = "It answers in other protocols."
version = "1"
web = { service = "web", port = 8080 }
ready = { path = "/", timeout_seconds = 30 }
disk = { mib = 1 }
"#;

fn write_talk(apps: &Path) {
    let folder = apps.join("talk");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("compose.yaml"), TALK).unwrap();
    fs::write(folder.join("app.toml"), TALK_MANIFEST).unwrap();
}

#[test]
fn websockets_and_streams_go_through() {
    let dns = Dns::start();
    let installation = installation(&dns);
    let apps = installation.scratch().join("apps");
    write_talk(&apps);
    let installation = installation.with_apps(&apps);
    let scene = Scene::of(dns, installation);
    let answer = scene.tenant.post("/v1/spaces", &json!({ "app": "talk", "name": "garden" }));
    let space = answer.field("id");
    scene.tenant.wait_for(&space, "running");
    let (visitor, host) = (scene.caddy.client(), format!("garden.{BASE}"));

    // The example of RFC 6455 §1.3; then a frame (masked, as a client must), which comes back.
    let mut socket = visitor.tunnel(&host);
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    socket.send(request.as_bytes());
    assert_eq!(socket.line(), "HTTP/1.1 101 Switching Protocols");
    let headers: Vec<String> =
        std::iter::from_fn(|| Some(socket.line()).filter(|it| !it.is_empty())).collect();
    let accepted = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    assert!(headers.iter().any(|it| it.eq_ignore_ascii_case(accepted)), "{headers:?}");
    let frame = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for _ in 0..2 {
        socket.send(frame);
        assert_eq!(socket.bytes(frame.len()), frame);
    }

    let mut stream = visitor.tunnel(&host);
    stream.send(format!("GET /stream HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    let mut wait_for = |text: &str| while stream.line() != text {};
    wait_for("data: one");
    let began = Instant::now();
    wait_for("data: two");
    assert!(Duration::from_secs(2) < began.elapsed(), "the first part came at once");
}
