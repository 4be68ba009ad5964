//! Domains that tenants bring along: what can be one, what proves it, who has it.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use evm::SendError;
use http::{Method, Request};
use serde_json::{Value, json};
use simple_dns::RCODE;
use testkit::{
    ADMIN_KEY, Answer, CRON_KEY, Client, TestWallet,
    dns::{Dns, Failure},
};

/// An edge as it is on the internet, a tenant with the space `garden`, and DNS.
struct Scene {
    client: Client,
    dns: Dns,
    host_key: String,
    token: String,
    id: String,
}

impl Scene {
    async fn new() -> Self {
        Self::with(&[("base_domain", "spaces.net"), ("public_url", "http://app.operator.net")])
            .await
    }

    async fn with(variables: &[(&str, &str)]) -> Self {
        let client = Client::with(variables);
        let dns = Dns::of(client.platform());
        let host_key = client.add_host("host-1", 1024).await;
        let token = client.sign_in(&TestWallet::new(1)).await;
        let id = client.create(&token, "garden").await;
        Self { client, dns, host_key, token, id }
    }

    async fn add(&self, domain: &str) -> Answer {
        let body = json!({ "domain": domain });
        self.client.post("/v1/spaces/garden/domains", Some(&self.token), body).await
    }

    async fn get(&self, domain: &str) -> Answer {
        let path = format!("/v1/spaces/garden/domains/{domain}");
        self.client.get(&path, Some(&self.token)).await
    }

    async fn remove(&self, domain: &str) -> Answer {
        let path = format!("/v1/spaces/garden/domains/{domain}");
        self.client.call(Method::DELETE, &path, Some(&self.token), None).await
    }

    async fn space(&self) -> Value {
        self.client.get("/v1/spaces/garden", Some(&self.token)).await.body
    }

    /// The kinds and domains of the events that are about domains.
    async fn events(&self) -> Vec<(String, String)> {
        let path = format!("/v1/spaces/{}/events", self.id);
        let events = self.client.get(&path, Some(&self.token)).await.body;
        let items = events["items"].as_array().unwrap().iter();
        let kind = |it: &Value| it["kind"].as_str().unwrap().to_owned();
        let domain = |it: &Value| it["detail"]["domain"].as_str().unwrap().to_owned();
        items
            .filter(|it| kind(it).starts_with("domain-"))
            .map(|it| (kind(it), domain(it)))
            .collect()
    }

    async fn run_job(&self) -> Value {
        let path = "/internal/cron/domains";
        let answer = self.client.call(Method::POST, path, Some(CRON_KEY), None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// A session lasts half a day.
    async fn sign_in_again(&mut self) {
        self.token = self.client.sign_in(&TestWallet::new(1)).await;
    }

    fn wait(&self, duration: Duration) {
        self.client.platform().advance(duration);
    }

    /// Another tenant with the space `meadow`; the answer to its claim.
    async fn add_for_another(&self, domain: &str) -> Answer {
        let token = self.client.sign_in(&TestWallet::new(2)).await;
        if self.client.get("/v1/spaces/meadow", Some(&token)).await.status == 404 {
            self.client.create(&token, "meadow").await;
        }
        let body = json!({ "domain": domain });
        self.client.post("/v1/spaces/meadow/domains", Some(&token), body).await
    }
}

/// The value of the proof of this type.
fn proof(answer: &Answer, kind: &str) -> (String, String) {
    let proofs = answer.body["proofs"].as_array().unwrap();
    let proof = proofs.iter().find(|it| it["type"] == kind).unwrap();
    let text = |field: &str| proof[field].as_str().unwrap().to_owned();
    (text("name"), text("value"))
}

fn dns_name(id: &str) -> String {
    format!("{}.spaces.net", id.replace('_', "-").to_ascii_lowercase())
}

#[tokio::test]
async fn a_claim_says_what_proves_it() {
    let scene = Scene::new().await;
    let answer = scene.add("Garden.Collective.ORG.").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let location = format!("/v1/spaces/{}/domains/garden.collective.org", scene.id);
    assert_eq!(answer.headers["location"], location);
    let (_, text) = proof(&answer, "TXT");
    let token = text.strip_prefix("spaceport-verification=").unwrap();
    assert!(token.len() == 32 && token.bytes().all(|it| it.is_ascii_hexdigit()), "{token}");
    let want = json!({
        "domain": "garden.collective.org",
        "state": "pending",
        "proofs": [
            { "type": "TXT", "name": "_spaceport.garden.collective.org", "value": text },
            { "type": "CNAME", "name": "garden.collective.org", "value": dns_name(&scene.id) },
        ],
        "created_at": "2026-11-18T11:06:40Z",
        "proven_at": null,
        "checked_at": "2026-11-18T11:06:40Z",
        "problem": "there is no TXT record at _spaceport.garden.collective.org, nor is \
            garden.collective.org a CNAME; what has just been written can take some minutes to be \
            seen",
    });
    assert_eq!(answer.body, want);
    assert_eq!(scene.get("garden.collective.org").await.body, want);
    let list = scene.client.get("/v1/spaces/garden/domains", Some(&scene.token)).await;
    assert_eq!(list.body, json!({ "items": [want], "next": null }));
    assert_eq!(scene.space().await["domains"], json!([]));
    // Claimed again, it is the same claim.
    assert_eq!(scene.add("garden.collective.org").await.body, want);
    let events = [("domain-added".to_owned(), "garden.collective.org".to_owned())];
    assert_eq!(scene.events().await, events);
}

#[tokio::test]
async fn what_can_be_nobodys_domain_is_refused_by_name() {
    let scene = Scene::new().await;
    let long = format!("{}.org", "a".repeat(300));
    let long_label = format!("{}.org", "a".repeat(64));
    #[rustfmt::skip]
    let rows = [
        ("spaces.net",                 "is ours"),
        ("SPACES.net.",                "is ours"),
        ("garden.spaces.net",          "is ours"),
        ("a.b.spaces.net",             "is ours"),
        ("app.operator.net",           "is where this service is itself"),
        ("127.0.0.1",                  "an address"),
        ("10.0.0.1.",                  "an address"),
        ("[::1]",                      "an address"),
        ("2001:db8::1",                "an address"),
        ("127.1",                      "an address"),
        ("2130706433",                 "has a dot"),
        (&*long,                       "at most 242 characters"),
        (&*long_label,                 "at most 63 characters"),
        ("org",                        "has a dot"),
        ("localhost",                  "has a dot"),
        ("",                           "before and behind each dot"),
        ("garden..org",                "before and behind each dot"),
        ("garden.org..",               "before and behind each dot"),
        ("*.garden.org",               "not '*'"),
        ("_spaceport.garden.org",      "not '_'"),
        ("garden.org:443",             "not ':'"),
        ("https://garden.org",         "not ':'"),
        ("garden.org/path",            "not '/'"),
        ("me@garden.org",              "not '@'"),
        ("garden.org\n",               "not '\\n'"),
        ("a`) || Host(`b.org",         "not '`'"),
        ("gärten.org",                 "xn-- form"),
        ("-garden.org",                "no hyphen at its ends"),
        ("garden.local",               ".local are nobody's"),
        ("garden.internal",            ".internal are nobody's"),
        ("garden.invalid",             ".invalid are nobody's"),
        ("garden.test",                ".test are nobody's"),
        ("garden.localhost",           ".localhost are nobody's"),
        ("garden.onion",               ".onion are nobody's"),
        ("1.0.0.127.in-addr.arpa",     ".arpa are nobody's"),
    ];
    for (domain, why) in rows {
        let answer = scene.add(domain).await;
        assert_eq!(answer.problem(), (400, "invalid-domain"), "{domain}");
        assert!(answer.text("detail").contains(why), "{domain}: {}", answer.text("detail"));
    }
    let token = Some(&*scene.token);
    for body in [json!({}), json!({ "domain": 5 }), json!(["garden.org"])] {
        let answer = scene.client.post("/v1/spaces/garden/domains", token, body).await;
        assert_eq!(answer.problem(), (400, "invalid-body"));
    }
    let body = json!({ "domain": "garden.org", "proof": "x" });
    let answer = scene.client.post("/v1/spaces/garden/domains", token, body).await;
    assert_eq!(answer.problem(), (400, "unknown-field"));
    assert_eq!(scene.dns.n_questions(), 0);
}

/// Where the base domain is not on the internet, neither are the tenants' domains.
#[tokio::test]
async fn a_laptop_takes_names_that_are_on_no_internet() {
    let scene = Scene::with(&[]).await;
    assert_eq!(scene.add("garden.test").await.status, 201);
    assert_eq!(scene.add("meadow.example").await.status, 201);
    for domain in ["localhost", "garden.localhost"] {
        assert_eq!(scene.add(domain).await.problem(), (400, "invalid-domain"), "{domain}");
    }
}

#[tokio::test]
async fn each_proof_is_found_and_nothing_else_is_one() {
    let scene = Scene::new().await;
    let asked = scene.add("garden.org").await;
    let ((text_name, text), (_, target)) = (proof(&asked, "TXT"), proof(&asked, "CNAME"));
    let (_, foreign) = proof(&scene.add_for_another("garden.org").await, "TXT");
    let (_, below) = proof(&scene.add("www.garden.org").await, "TXT");
    let quoted = format!("\" {text} \"");
    let (capitals, longer) = (target.to_ascii_uppercase(), format!("x.{target}"));
    #[rustfmt::skip]
    let rows = [
        // type, name, value, whether it is proof, what the problem says
        ("TXT",   &*text_name,       &*text,                       true,  ""),
        ("TXT",   "_SPACEPORT.Garden.ORG", &*text,                 true,  ""),
        ("TXT",   &*text_name,       &*quoted,                     true,  ""),
        ("CNAME", "garden.org",      &*target,                     true,  ""),
        ("CNAME", "garden.org",      &*capitals,                   true,  ""),
        ("TXT",   &*text_name,       &*foreign,                    false, "another value"),
        ("TXT",   &*text_name,       &*below,                      false, "another value"),
        ("TXT",   &*text_name,       "spaceport-verification=",    false, "another value"),
        ("TXT",   &*text_name,       &text[23..],                  false, "another value"),
        ("TXT",   "garden.org",      &*text,                       false, "no TXT record"),
        ("TXT",   "_spaceport.org",  &*text,                       false, "no TXT record"),
        ("CNAME", "garden.org",      &*longer,                     false, "a CNAME of another name"),
        ("CNAME", "garden.org",      "garden.spaces.net",          false, "a CNAME of another name"),
        ("CNAME", "www.garden.org",  &*target,                     false, "no TXT record"),
        ("CNAME", &*text_name,       &*target,                     false, "no TXT record"),
    ];
    for (kind, name, value, is_proof, problem) in rows {
        scene.dns.clear();
        match kind {
            "TXT" => scene.dns.add_text(name, value),
            _ => scene.dns.add_alias(name, value),
        }
        scene.wait(Duration::from_secs(5));
        let answer = scene.get("garden.org").await;
        let row = format!("{kind} {name} {value}: {}", answer.body);
        assert_eq!(answer.body["state"] == "proven", is_proof, "{row}");
        let found = answer.body["problem"].as_str().unwrap_or_default();
        assert!(found.contains(problem) && found.is_empty() == is_proof, "{row}");
        assert_eq!(answer.body["proven_at"].is_null(), !is_proof, "{row}");
        if is_proof {
            assert_eq!(scene.remove("garden.org").await.status, 204);
            scene.dns.clear();
            scene.add("garden.org").await;
        }
    }
}

#[tokio::test]
async fn a_text_may_stand_behind_aliases_and_among_others() {
    let scene = Scene::new().await;
    let (name, text) = proof(&scene.add("garden.org").await, "TXT");
    scene.dns.add_alias(&name, "Proofs.Provider.NET");
    scene.dns.add_alias("proofs.provider.net", "zone.provider.net");
    scene.dns.add_text("zone.provider.net", &"v=spf1 ".repeat(80));
    scene.dns.add_text("zone.provider.net", "spaceport-verification=0");
    scene.dns.add_text("zone.provider.net", &text);
    scene.wait(Duration::from_secs(5));
    assert_eq!(scene.get("garden.org").await.body["state"], "proven");
}

#[tokio::test]
async fn a_proof_that_is_there_already_is_found_at_once() {
    let scene = Scene::new().await;
    scene.dns.add_alias("garden.org", &dns_name(&scene.id));
    let answer = scene.add("garden.org").await;
    assert_eq!((answer.status.as_u16(), &answer.body["state"]), (201, &json!("proven")));
    assert_eq!(scene.space().await["domains"], json!(["garden.org"]));
}

/// What can't be asked proves nothing, and is no reason to let a claim go.
#[tokio::test]
async fn dns_that_fails_proves_nothing() {
    let scene = Scene::new().await;
    let (name, text) = proof(&scene.add("garden.org").await, "TXT");
    scene.dns.add_text(&name, &text);
    #[rustfmt::skip]
    let rows = [
        (Failure::Code(RCODE::ServerFailure),                       "SERVFAIL"),
        (Failure::Code(RCODE::Refused),                             "REFUSED"),
        (Failure::Code(RCODE::FormatError),                         "an error"),
        (Failure::Status(500),                                      "status 500"),
        (Failure::Status(302),                                      "status 302"),
        (Failure::Bytes(Vec::new()),                                "can't be read"),
        (Failure::Bytes(b"<html>garden.org</html>".to_vec()),       "can't be read"),
        (Failure::Send(SendError::TimedOut),                        "timed out"),
        (Failure::Send(SendError::NotSent("DnsTimeout".to_owned())), "not sent: DnsTimeout"),
        (Failure::Send(SendError::TooLarge),                        "too large"),
    ];
    for (failure, why) in rows {
        scene.dns.fail(Some(failure.clone()));
        scene.wait(Duration::from_secs(5));
        let answer = scene.get("garden.org").await;
        assert_eq!((answer.status.as_u16(), &answer.body["state"]), (200, &json!("pending")));
        let problem = answer.text("problem");
        assert!(problem.contains(why) && problem.contains("asked again"), "{failure:?}: {problem}");
    }
    scene.dns.fail(None);
    scene.wait(Duration::from_secs(5));
    assert_eq!(scene.get("garden.org").await.body["state"], "proven");
}

#[tokio::test]
async fn dns_is_asked_every_five_seconds_at_most_and_not_for_what_is_proven() {
    let mut scene = Scene::new().await;
    let (name, text) = proof(&scene.add("garden.org").await, "TXT");
    let mut want = 2;
    for wait_ms in [0, 4_999, 1, 4_999] {
        scene.wait(Duration::from_millis(wait_ms));
        want += if wait_ms == 1 { 2 } else { 0 };
        scene.get("garden.org").await;
        assert_eq!(scene.dns.n_questions(), want, "{wait_ms} ms later");
    }
    scene.dns.add_text(&name, &text);
    scene.wait(Duration::from_secs(5));
    assert_eq!(scene.get("garden.org").await.body["state"], "proven");
    scene.dns.clear();
    scene.wait(Duration::from_hours(30 * 24));
    scene.sign_in_again().await;
    assert_eq!(scene.run_job().await, json!({ "looked_at": 0, "proven": 0, "expired": 0 }));
    assert_eq!(scene.get("garden.org").await.body["state"], "proven");
    assert_eq!(scene.dns.n_questions(), want + 2);
}

#[tokio::test]
async fn the_job_looks_less_often_the_longer_a_claim_waits_and_then_lets_it_go() {
    let mut scene = Scene::new().await;
    scene.add("garden.org").await;
    let mut looked_at = Vec::new();
    for minute in 1..=20 {
        scene.wait(Duration::from_mins(1));
        if scene.run_job().await["looked_at"] == 1 {
            looked_at.push(minute);
        }
    }
    assert_eq!(looked_at, [1, 2, 3, 4, 5, 7, 9, 12, 15, 19]);
    // In the end every hour.
    scene.wait(Duration::from_mins(4 * 60 - 20));
    for hour in 4..7 * 24 {
        let looked_at = |it| json!({ "looked_at": it, "proven": 0, "expired": 0 });
        assert_eq!(scene.run_job().await, looked_at(1), "{hour}");
        scene.wait(Duration::from_mins(59));
        assert_eq!(scene.run_job().await, looked_at(0), "{hour}");
        scene.wait(Duration::from_mins(1));
    }
    assert_eq!(scene.run_job().await, json!({ "looked_at": 0, "proven": 0, "expired": 1 }));
    scene.sign_in_again().await;
    assert_eq!(scene.get("garden.org").await.problem(), (404, "domain-not-found"));
    let kinds: Vec<_> = scene.events().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["domain-added", "domain-removed"]);
}

#[tokio::test]
async fn the_job_finds_the_proofs_of_many_at_once() {
    let scene = Scene::new().await;
    for number in 0..10 {
        let (name, text) = proof(&scene.add(&format!("garden-{number}.org")).await, "TXT");
        scene.dns.add_text(&name, &text);
    }
    scene.wait(Duration::from_mins(1));
    assert_eq!(scene.run_job().await, json!({ "looked_at": 10, "proven": 10, "expired": 0 }));
    assert_eq!(scene.space().await["domains"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn only_the_cron_trigger_starts_the_job() {
    let scene = Scene::new().await;
    for bearer in [None, Some(&*scene.token), Some(ADMIN_KEY)] {
        let path = "/internal/cron/domains";
        let answer = scene.client.call(Method::POST, path, bearer, None).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"));
    }
}

#[tokio::test]
async fn one_space_has_a_domain_and_claims_block_nobody() {
    let scene = Scene::new().await;
    let (name, mine) = proof(&scene.add("garden.org").await, "TXT");
    let other = scene.add_for_another("garden.org").await;
    assert_eq!((other.status.as_u16(), &other.body["state"]), (201, &json!("pending")));
    let (_, theirs) = proof(&other, "TXT");
    assert_ne!(mine, theirs);

    scene.dns.add_text(&name, &mine);
    scene.dns.add_text(&name, &theirs);
    scene.wait(Duration::from_secs(5));
    assert_eq!(scene.get("garden.org").await.body["state"], "proven");

    let token = scene.client.sign_in(&TestWallet::new(2)).await;
    let path = "/v1/spaces/meadow/domains/garden.org";
    let other = scene.client.get(path, Some(&token)).await;
    assert_eq!(other.body["state"], "pending");
    assert!(other.text("problem").contains("another space has this domain"), "{}", other.body);
    assert_eq!(scene.add_for_another("garden.org").await.problem(), (409, "domain-taken"));
    assert_eq!(scene.add_for_another("www.garden.org").await.status, 201);

    // It is given back, and the other's proof is there.
    assert_eq!(scene.remove("garden.org").await.status, 204);
    scene.wait(Duration::from_secs(5));
    assert_eq!(scene.client.get(path, Some(&token)).await.body["state"], "proven");
    assert_eq!(scene.add("garden.org").await.problem(), (409, "domain-taken"));
    assert_eq!(scene.space().await["domains"], json!([]));
}

#[tokio::test]
async fn a_deleted_space_frees_its_domains() {
    let scene = Scene::new().await;
    scene.dns.add_alias("garden.org", &dns_name(&scene.id));
    scene.add("garden.org").await;
    scene.client.call(Method::DELETE, "/v1/spaces/garden", Some(&scene.token), None).await;
    let path = format!("/v1/spaces/{}", scene.id);
    let space = scene.client.get(&path, Some(&scene.token)).await;
    assert_eq!((&space.body["desired"], &space.body["domains"]), (&json!("deleted"), &json!([])));
    let path = format!("{path}/domains");
    let body = json!({ "domain": "garden.org" });
    let answer = scene.client.post(&path, Some(&scene.token), body).await;
    assert_eq!(answer.problem(), (409, "space-deleting"));

    // Its name is another space's now, which the domain does not point at.
    let id = scene.client.create(&scene.token, "garden").await;
    assert_ne!(id, scene.id);
    assert_eq!(scene.add("garden.org").await.body["state"], "pending");
}

#[tokio::test]
async fn a_space_has_ten_domains_at_most() {
    let scene = Scene::new().await;
    for number in 0..10 {
        assert_eq!(scene.add(&format!("garden-{number}.org")).await.status, 201);
    }
    let n_questions = scene.dns.n_questions();
    assert_eq!(scene.add("garden.org").await.problem(), (409, "too-many-domains"));
    assert_eq!(scene.dns.n_questions(), n_questions);
    // One that is there already is no eleventh.
    assert_eq!(scene.add("garden-0.org").await.status, 201);
    assert_eq!(scene.remove("GARDEN-0.org.").await.status, 204);
    assert_eq!(scene.remove("garden-0.org").await.problem(), (404, "domain-not-found"));
    assert_eq!(scene.add("garden.org").await.status, 201);
}

#[tokio::test]
async fn domains_are_their_owners_business() {
    let scene = Scene::new().await;
    scene.add("garden.org").await;
    let stranger = scene.client.sign_in(&TestWallet::new(2)).await;
    let (list, one) = ("/v1/spaces/garden/domains", "/v1/spaces/garden/domains/garden.org");
    let body = || Some(json!({ "domain": "meadow.org" }));
    #[rustfmt::skip]
    let rows = [
        (Method::GET,    list, None,   "space-not-found"),
        (Method::GET,    one,  None,   "space-not-found"),
        (Method::POST,   list, body(), "space-not-found"),
        (Method::DELETE, one,  None,   "space-not-found"),
    ];
    for (method, path, body, code) in rows {
        let call = |bearer| scene.client.call(method.clone(), path, bearer, body.clone());
        assert_eq!(call(Some(&*stranger)).await.problem(), (404, code), "{method} {path}");
        assert_eq!(call(None).await.problem(), (401, "unauthenticated"), "{method} {path}");
    }
    for domain in ["meadow.org", "nonsense", "*.org"] {
        assert_eq!(scene.get(domain).await.problem(), (404, "domain-not-found"), "{domain}");
        assert_eq!(scene.remove(domain).await.problem(), (404, "domain-not-found"), "{domain}");
    }
}

#[tokio::test]
async fn a_member_who_is_no_owner_only_reads() {
    use records::Database as _;
    let scene = Scene::new().await;
    scene.add("garden.org").await;
    let viewer = scene.client.sign_in(&TestWallet::new(2)).await;
    let insert = format!(
        "INSERT INTO members VALUES ('{}', '{}', 'viewer')",
        scene.id,
        TestWallet::new(2).wallet
    );
    scene.client.platform().open().execute(&insert, vec![]).await.unwrap();
    let path = "/v1/spaces/garden/domains";
    assert_eq!(scene.client.get(path, Some(&viewer)).await.status, 200);
    let body = json!({ "domain": "meadow.org" });
    let add = scene.client.post(path, Some(&viewer), body).await;
    assert_eq!(add.problem(), (403, "forbidden"));
    let path = "/v1/spaces/garden/domains/garden.org";
    assert_eq!(scene.client.get(path, Some(&viewer)).await.status, 200);
    let remove = scene.client.call(Method::DELETE, path, Some(&viewer), None).await;
    assert_eq!(remove.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let scene = Scene::new().await;
    let send = async |method: Method, path: &str, body: String| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", scene.token))
            .header("idempotency-key", format!("key-{}", path.len()))
            .header("content-type", "application/json");
        scene.client.send(request.body(Body::from(body)).unwrap()).await
    };
    let path = "/v1/spaces/garden/domains";
    let body = json!({ "domain": "garden.org" }).to_string();
    let first = send(Method::POST, path, body.clone()).await;
    assert_eq!(first.status, 201);
    let (name, text) = proof(&first, "TXT");
    scene.dns.add_text(&name, &text);
    let n_questions = scene.dns.n_questions();
    let again = send(Method::POST, path, body).await;
    assert_eq!((again.status, again.body), (first.status, first.body));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(scene.dns.n_questions(), n_questions);
    let other = send(Method::POST, path, json!({ "domain": "meadow.org" }).to_string()).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"));

    let path = "/v1/spaces/garden/domains/garden.org";
    for _ in 0..2 {
        assert_eq!(send(Method::DELETE, path, String::new()).await.status, 204);
    }
}

/// The worker hears of it, and has nothing to make anew.
#[tokio::test]
async fn a_host_is_told_of_domains_without_a_new_wish() {
    let scene = Scene::new().await;
    let changes = async |after: u64| {
        let path = format!("/fleet/v1/changes?after={after}");
        scene.client.get(&path, Some(&scene.host_key)).await.body
    };
    let first = changes(0).await;
    let (seq, made) = (first["next"].as_u64().unwrap(), &first["items"][0]["space"]);
    assert_eq!(made["domains"], json!([]));

    // A claim is nothing to a host.
    let (name, text) = proof(&scene.add("garden.org").await, "TXT");
    assert_eq!(changes(seq).await["items"], json!([]));

    scene.dns.add_text(&name, &text);
    scene.wait(Duration::from_secs(5));
    scene.get("garden.org").await;
    let proven = changes(seq).await;
    let mut want = made.clone();
    want["domains"] = json!(["garden.org"]);
    assert_eq!(proven["items"][0]["space"], want);

    scene.remove("garden.org").await;
    let removed = changes(proven["next"].as_u64().unwrap()).await;
    assert_eq!(removed["items"][0]["space"], *made);
    let kinds: Vec<_> = scene.events().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["domain-added", "domain-proven", "domain-removed"]);
}

#[tokio::test]
async fn no_domain_can_be_brought_along_where_dns_is_not_asked() {
    let scene = Scene::with(&[("dns_over_https_url", "off")]).await;
    assert_eq!(scene.add("garden.test").await.problem(), (503, "domains-unavailable"));
    let list = scene.client.get("/v1/spaces/garden/domains", Some(&scene.token)).await;
    assert_eq!(list.body["items"], json!([]));
    assert_eq!(scene.run_job().await, json!({ "looked_at": 0, "proven": 0, "expired": 0 }));
    assert_eq!(scene.dns.n_questions(), 0);
}

/// What stands in DNS holds as long as the key it was made with is listed.
#[tokio::test]
async fn a_proof_outlives_a_new_session_key() {
    let [old, new] = ["o", "n"].map(|it| it.repeat(32));
    let base = ("base_domain", "spaces.net");
    let scene = Scene::with(&[base, ("session_key", &old)]).await;
    let (name, text) = proof(&scene.add("garden.org").await, "TXT");
    scene.dns.add_text(&name, &text);
    for (previous, state) in [("", "pending"), (&*old, "proven")] {
        scene.wait(Duration::from_secs(5));
        let variables = [base, ("session_key", &*new), ("previous_session_keys", previous)];
        let client = Client::on(Arc::clone(scene.client.platform()), &variables);
        let token = client.sign_in(&TestWallet::new(1)).await;
        let answer = client.get("/v1/spaces/garden/domains/garden.org", Some(&token)).await;
        assert_eq!(answer.body["state"], state, "{}", answer.body);
        assert_ne!(proof(&answer, "TXT").1, text);
    }
}
