//! Traefik in front of an installation, with the edge as its HTTP provider, as `docs/NAMES.md` has it.

use std::{
    thread,
    time::{Duration, Instant},
};

use e2e::{Dns, Https, Installation, Signer, Tenant, Traefik, eventually, within};
use http::Method;
use serde_json::json;

use crate::custom_domains::{BASE, claimed, installation, proof, wait_until_proven};

const ROUTE_TIME_MAX: Duration = Duration::from_secs(30);

/// What somebody else on the same Traefik claims, as the operator of a machine may have it: every name
/// below the base domain, before whatever has the usual priority. It answers 418.
const THEIRS: &str = r"
http:
  routers:
    theirs:
      entryPoints: ['websecure']
      rule: 'HostRegexp(`^.+[.]test$`)'
      priority: 120
      service: 'noop@internal'
";
const THEIR_STATUS: u16 = 418;

struct Scene {
    // Dropped first: Traefik ends before what it stands in front of.
    traefik: Traefik,
    installation: Installation,
    dns: Dns,
    tenant: Tenant,
}

impl Scene {
    fn start() -> Self {
        let dns = Dns::start();
        let mut installation = installation(&dns);
        installation.up();
        let tenant = Tenant::sign_in(&installation.edge(), &Signer::start(), e2e::ANVIL_KEY);
        let edge = installation.edge().origin().to_owned();
        let traefik = Traefik::start(&edge, &installation.gateway(), BASE, THEIRS);
        let scene = Self { traefik, installation, dns, tenant };
        // It listens before it has a certificate.
        let ready = within(ROUTE_TIME_MAX, || {
            scene.traefik.client().try_get(&format!("nobody.{BASE}"), "/")
        });
        assert!(ready.is_some(), "{}", scene.traefik.log());
        eventually_visited(&scene.traefik.client(), &format!("nobody.{BASE}"), THEIR_STATUS);
        scene
    }
}

fn eventually_visited(visitor: &Https, host: &str, status: u16) {
    eventually(ROUTE_TIME_MAX, || {
        let visit = visitor.get(host, "/");
        let is_so = visit.status == status;
        if is_so { Ok(()) } else { Err(format!("{host}: {} {}", visit.status, visit.text)) }
    });
}

#[test]
fn a_space_has_a_route_before_others_claims_as_long_as_it_is_there() {
    let scene = Scene::start();
    let (visitor, host) = (scene.traefik.client(), format!("garden.{BASE}"));
    assert_eq!(visitor.get(&host, "/").status, THEIR_STATUS, "there is no such space yet");

    let start = Instant::now();
    let space = scene.tenant.create("hello", "garden");
    let router = within(ROUTE_TIME_MAX, || scene.traefik.router("space-garden@http"));
    let known = start.elapsed();
    eventually_visited(&visitor, &host, 200);
    eprintln!("from the wish: a route after {known:?}, the page after {:?}", start.elapsed());
    let router = router.unwrap_or_else(|| panic!("{}", scene.traefik.log()));
    let facts = [&router["priority"], &router["entryPoints"], &router["status"]];
    assert_eq!(facts, [&json!(200), &json!(["websecure"]), &json!("enabled")], "{router}");
    assert!(visitor.get(&host, "/").text.contains("garden"));
    assert_eq!(scene.tenant.space(&space)["url"], format!("https://{host}"));
    let other = format!("gardens.{BASE}");
    assert_eq!(visitor.get(&other, "/").status, THEIR_STATUS, "the others keep theirs");

    let plain = scene.traefik.plain();
    let plain = plain.send(plain.request(Method::GET, "/x").header("host", &host), None);
    assert!(plain.status.is_redirection(), "{}", plain.status);
    assert!(plain.header("location").starts_with("https://"), "{}", plain.header("location"));

    let start = Instant::now();
    let deleted = scene.tenant.delete(&space);
    assert_eq!(deleted.status, 202, "{}", deleted.text);
    // Also that of the last space: Traefik must not take "none" for "no news".
    eventually_visited(&visitor, &host, THEIR_STATUS);
    assert_eq!(scene.traefik.router("space-garden@http"), None);
    eprintln!("from the delete: no route after {:?}", start.elapsed());
    scene.tenant.wait_for(&space, "deleted");
}

#[test]
fn routes_outlive_an_edge_that_is_away() {
    let mut scene = Scene::start();
    let (visitor, host) = (scene.traefik.client(), format!("garden.{BASE}"));
    let space = scene.tenant.create("hello", "garden");
    eventually_visited(&visitor, &host, 200);
    scene.tenant.wait_for(&space, "running");
    scene.installation.stop();
    // Longer than some polls.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(4) {
        assert!(scene.traefik.router("space-garden@http").is_some(), "{}", scene.traefik.log());
        assert_eq!(visitor.get(&host, "/").status, 502, "the gateway is away, too");
        thread::sleep(Duration::from_millis(200));
    }
    scene.installation.up();
    assert_eq!(visitor.get(&host, "/").status, 200, "at once: nothing had to be learned again");
}

#[test]
fn a_custom_domain_has_a_route_once_it_is_proven_and_the_edge_has_its_own() {
    let mut scene = Scene::start();
    let visitor = scene.traefik.client();
    let space = scene.tenant.create("hello", "garden");
    eventually_visited(&visitor, &format!("garden.{BASE}"), 200);
    let (name, value) = proof(&claimed(&scene.tenant, &space, "garden.test"), "TXT");
    assert_eq!(visitor.get("garden.test", "/").status, THEIR_STATUS, "it is not proven");
    scene.dns.add_text(&name, &value);
    wait_until_proven(&scene.tenant, &space, "garden.test");
    eventually_visited(&visitor, "garden.test", 200);

    let edge = format!("spaceport.{BASE}");
    assert_eq!(visitor.get(&edge, "/healthz").status, 200);
    for path in ["/internal/traefik", "/%69nternal/traefik", "/v1/../internal/traefik"] {
        let answer = visitor.get(&edge, path);
        assert_ne!(answer.status, 200, "{path}: {}", answer.text);
    }
}
