//! Domains that tenants bring along, and a resolver that says what stands in DNS about them.

use std::time::Duration;

use e2e::{Answer, Client, Dns, Installation, Signer, Tenant, eventually};
use http::Method;
use serde_json::{Value, json};

/// Under which the spaces are.
pub(crate) const BASE: &str = "spaces.test";
/// A claim that is read is looked for once in 5 s, and this machine does much else.
const PROOF_TIME_MAX: Duration = Duration::from_secs(30);
const ROUTE_TIME_MAX: Duration = Duration::from_secs(30);

/// An installation whose proofs are looked for at `dns`, behind a proxy by HTTPS; not up yet.
pub(crate) fn installation(dns: &Dns) -> Installation {
    Installation::default()
        .behind_a_proxy(&format!("https://gateway.{BASE}"))
        .with_variable("base_domain", BASE)
        .with_variable("dns_over_https_url", &dns.url())
}

/// A running installation, a resolver and a tenant.
struct Scene {
    installation: Installation,
    dns: Dns,
    signer: Signer,
    tenant: Tenant,
}

impl Scene {
    fn start() -> Self {
        let dns = Dns::start();
        let mut installation = installation(&dns);
        installation.up();
        let signer = Signer::start();
        let tenant = Tenant::sign_in(&installation.edge(), &signer, e2e::ANVIL_KEY);
        Self { installation, dns, signer, tenant }
    }

    /// What a visitor of `host` gets from the gateway.
    fn visit(&self, host: &str) -> Answer {
        let gateway = Client::new(&self.installation.gateway());
        gateway.send(gateway.request(Method::GET, "/").header("host", host), None)
    }

    fn eventually_visited(&self, host: &str, status: u16) {
        eventually(ROUTE_TIME_MAX, || {
            let answer = self.visit(host);
            let is_so = answer.status == status;
            if is_so { Ok(()) } else { Err(format!("{host}: {} {}", answer.status, answer.text)) }
        });
    }
}

/// Claims a domain for a space.
pub(crate) fn claim(tenant: &Tenant, space: &str, domain: &str) -> Answer {
    tenant.post(&format!("/v1/spaces/{space}/domains"), &json!({ "domain": domain }))
}

/// Claims a domain that is not proven yet: the claim.
pub(crate) fn claimed(tenant: &Tenant, space: &str, domain: &str) -> Value {
    let answer = claim(tenant, space, domain);
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!((answer.field("state"), answer.field("domain")), ("pending".into(), domain.into()));
    answer.json
}

/// Where the proof of this kind goes in DNS, and what it is.
pub(crate) fn proof(claim: &Value, kind: &str) -> (String, String) {
    let mut proofs = claim["proofs"].as_array().unwrap().iter();
    let proof = proofs.find(|it| it["type"] == kind).unwrap_or_else(|| panic!("{claim}"));
    let text = |field: &str| proof[field].as_str().unwrap().to_owned();
    (text("name"), text("value"))
}

/// Reads a claim until it is proven.
pub(crate) fn wait_until_proven(tenant: &Tenant, space: &str, domain: &str) {
    eventually(PROOF_TIME_MAX, || {
        let answer = tenant.get(&format!("/v1/spaces/{space}/domains/{domain}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        if answer.field("state") == "proven" { Ok(()) } else { Err(answer.text) }
    });
}

#[test]
fn a_domain_leads_to_its_space_once_a_text_in_dns_proves_it_and_until_it_is_removed() {
    let mut scene = Scene::start();
    let space = scene.tenant.create("hello", "garden");
    assert_eq!(scene.tenant.wait_for(&space, "running")["url"], format!("https://garden.{BASE}"));
    let pending = claimed(&scene.tenant, &space, "garden.test");
    let (name, value) = proof(&pending, "TXT");
    assert_eq!(name, "_spaceport.garden.test");
    assert_eq!(pending["proven_at"], Value::Null);
    assert_eq!(scene.visit("garden.test").status, 404, "it is not proven");

    // What somebody else could write there, and the right thing at the wrong place.
    scene.dns.add_text(&name, "spaceport-verification=0000");
    scene.dns.add_text("garden.test", &value);
    assert_eq!(scene.tenant.space(&space)["domains"], json!([]));
    let path = format!("/v1/spaces/{space}/domains/garden.test");
    eventually(PROOF_TIME_MAX, || {
        let problem = scene.tenant.get(&path).json["problem"].to_string();
        if problem.contains("another value") { Ok(()) } else { Err(problem) }
    });
    assert_eq!(scene.visit("garden.test").status, 404);

    scene.dns.add_text(&name, &value);
    wait_until_proven(&scene.tenant, &space, "garden.test");
    assert_eq!(scene.tenant.space(&space)["domains"], json!(["garden.test"]));
    scene.eventually_visited("garden.test", 200);
    assert!(scene.visit("GARDEN.test:443").text.contains("garden"));

    // The record may go, and the domain stays; also over a restart.
    scene.dns.clear();
    scene.installation.stop();
    scene.installation.up();
    let tenant = scene.tenant.at(&scene.installation.edge());
    scene.eventually_visited("garden.test", 200);
    assert_eq!(tenant.delete_path(&path).status, 204);
    scene.eventually_visited("garden.test", 404);
    assert_eq!(tenant.get(&path).problem(), (404, "domain-not-found".to_owned()));
    assert_eq!(scene.visit(&format!("garden.{BASE}")).status, 200, "its own name stays");
}

#[test]
fn an_alias_of_the_space_proves_a_domain_too_and_an_alias_of_its_name_does_not() {
    let mut scene = Scene::start();
    let space = scene.tenant.create("hello", "garden");
    scene.tenant.wait_for(&space, "running");
    let pending = claimed(&scene.tenant, &space, "www.garden.test");
    let (name, target) = proof(&pending, "CNAME");
    assert_eq!(name, "www.garden.test");
    let label = target.strip_suffix(&format!(".{BASE}")).unwrap();
    assert_eq!(label, space.replace('_', "-").to_ascii_lowercase(), "made of the id");

    scene.dns.add_alias(&name, &format!("garden.{BASE}"));
    let path = format!("/v1/spaces/{space}/domains/{name}");
    eventually(PROOF_TIME_MAX, || {
        let problem = scene.tenant.get(&path).json["problem"].to_string();
        if problem.contains("CNAME of another name") { Ok(()) } else { Err(problem) }
    });
    scene.dns.clear();
    scene.dns.add_alias(&name, &target);
    wait_until_proven(&scene.tenant, &space, &name);
    scene.eventually_visited(&name, 200);
    assert_eq!(scene.visit(&target).status, 404, "that name is for DNS only");
}

#[test]
fn a_domain_is_the_first_space_s_that_proves_it_until_that_space_is_gone() {
    let mut scene = Scene::start();
    let other = scene.signer.fresh().key;
    let other = Tenant::sign_in(&scene.installation.edge(), &scene.signer, &other);
    let mine = scene.tenant.create("hello", "mine");
    let theirs = other.create("hello", "theirs");
    scene.tenant.wait_for(&mine, "running");
    other.wait_for(&theirs, "running");

    // A claim alone blocks nobody, and what proves it is its own.
    let (name, my_value) = proof(&claimed(&scene.tenant, &mine, "garden.test"), "TXT");
    let (_, their_value) = proof(&claimed(&other, &theirs, "garden.test"), "TXT");
    assert_ne!(my_value, their_value);
    scene.dns.add_text(&name, &their_value);
    wait_until_proven(&other, &theirs, "garden.test");
    assert_eq!(claim(&scene.tenant, &mine, "garden.test").problem().1, "domain-taken");
    assert_eq!(claim(&scene.tenant, &mine, "GARDEN.test.").problem().1, "domain-taken");
    scene.eventually_visited("garden.test", 200);
    assert!(scene.visit("garden.test").text.contains("theirs"));

    let foreign = claim(&other, &mine, "elsewhere.test");
    assert_eq!(foreign.problem().0, 404, "a space of somebody else's");
    let foreign = scene.tenant.delete_path(&format!("/v1/spaces/{theirs}/domains/garden.test"));
    assert_eq!(foreign.problem().0, 404);

    other.delete_and_wait(&theirs);
    scene.eventually_visited("garden.test", 404);
    let (name, value) = proof(&claimed(&scene.tenant, &mine, "garden.test"), "TXT");
    scene.dns.add_text(&name, &value);
    wait_until_proven(&scene.tenant, &mine, "garden.test");
    scene.eventually_visited("garden.test", 200);
    assert!(scene.visit("garden.test").text.contains("mine"));
}

#[test]
fn what_can_be_no_domain_of_a_tenant_is_refused_with_the_reason() {
    let scene = Scene::start();
    let space = scene.tenant.create("hello", "garden");
    let long = format!("{}.test", vec!["a".repeat(59); 5].join("."));
    assert_eq!(long.len(), 304);
    let rows = [
        BASE,
        "garden.spaces.test",
        "a.b.SPACES.test",
        "spaces.test.",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "::1",
        "[::1]",
        "203.0.113.9",
        &long,
        &format!("{}.test", "a".repeat(64)),
        "localhost",
        "test",
        "",
        ".",
        "a..test",
        "*.garden.test",
        "https://garden.test",
        "garden.test/path",
        "garden.test:443",
        "me@garden.test",
        "gar den.test",
        "garden.test\n",
        "gärten.test",
        "-a.test",
        "a`) || Host(`bank.test",
    ];
    for domain in rows {
        let answer = claim(&scene.tenant, &space, domain);
        assert_eq!(answer.problem(), (400, "invalid-domain".to_owned()), "{domain:?}");
    }
    assert_eq!(scene.tenant.get(&format!("/v1/spaces/{space}/domains")).json["items"], json!([]));
}

#[test]
fn dns_that_can_not_be_asked_proves_nothing_and_is_asked_again() {
    let mut scene = Scene::start();
    let space = scene.tenant.create("hello", "garden");
    scene.dns.stop();
    let pending = claimed(&scene.tenant, &space, "garden.test");
    let problem = pending["problem"].to_string();
    assert!(problem.contains("DNS could not be asked"), "{problem}");
    let (name, value) = proof(&pending, "TXT");

    scene.dns.add_text(&name, &value);
    scene.dns.set_failing(true);
    let path = format!("/v1/spaces/{space}/domains/garden.test");
    eventually(PROOF_TIME_MAX, || {
        let answer = scene.tenant.get(&path);
        assert_eq!(answer.field("state"), "pending");
        let problem = answer.json["problem"].to_string();
        if problem.contains("SERVFAIL") { Ok(()) } else { Err(problem) }
    });
    scene.dns.set_failing(false);
    wait_until_proven(&scene.tenant, &space, "garden.test");
}
