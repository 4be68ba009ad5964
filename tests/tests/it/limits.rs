//! How much one caller may ask for. Here the limits are those that the product has by itself.

use std::time::{Duration, Instant};

use e2e::{Answer, Client, Installation, SECOND_KEY, Signer, Tenant};
use http::Method;
use serde_json::json;

use crate::edge::{at_once, hello, refused};

const GENERAL: usize = 10;
/// A minute shared out: after this one more request is free.
const GENERAL_PERIOD: Duration = Duration::from_secs(6);

/// A caller from `address`, as the proxy before the edge says.
fn get_from(edge: &Client, path: &str, address: &str) -> Answer {
    edge.send(edge.request(Method::GET, path).header("x-forwarded-for", address), None)
}

/// Signs a wallet in, as somebody at `address`.
fn sign_in_from(edge: &Client, signer: &Signer, key: &str, address: &str) -> Tenant {
    let nonce = get_from(edge, "/v1/auth/nonce", address).field("nonce");
    let proof = signer.message(key, edge.origin(), &json!({ "nonce": nonce }));
    let body = json!({ "message": proof.message, "signature": proof.signature }).to_string();
    let request = edge.request(Method::POST, "/v1/auth/verify");
    let request =
        request.header("x-forwarded-for", address).header("content-type", "application/json");
    let answer = edge.send(request, Some(body.into_bytes()));
    assert_eq!(answer.status, 200, "{}", answer.text);
    Tenant::with_bearer(edge, &answer.field("token"), &proof.address)
}

/// An edge behind a proxy on this machine, whose first wallet is an admin.
fn behind_proxy(signer: &Signer) -> Installation {
    let admin = signer.text(e2e::ANVIL_KEY, "who is it?").address;
    let mut installation = Installation::with_default_limits()
        .with_variable("trusted_proxies", "127.0.0.1")
        .with_variable("admin_addresses", &admin);
    installation.up();
    installation
}

/// Checks that as many of `answers` as the limit lets through did pass, and what the others say.
fn check_limited(answers: &[Answer], since: Instant) {
    let n_passed = answers.iter().filter(|it| it.status != 429).count();
    // Time went by between the first and the last.
    let n_more = since.elapsed().as_secs() / GENERAL_PERIOD.as_secs();
    let most = GENERAL + usize::try_from(n_more).unwrap();
    assert!(GENERAL <= n_passed && n_passed <= most, "{n_passed}, not {GENERAL} to {most}");
    for answer in answers.iter().filter(|it| it.status == 429) {
        assert_eq!(answer.problem(), refused(429, "rate-limited"), "{}", answer.text);
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=GENERAL_PERIOD.as_secs()).contains(&seconds), "{answer:?}");
        assert_eq!(answer.header("ratelimit-policy"), "\"general\";q=10;w=60");
        assert_eq!(left(answer, "general"), 0, "{answer:?}");
    }
}

/// What `RateLimit` says is left of a limit; checks its form.
///
/// Source: draft-ietf-httpapi-ratelimit-headers, `"general";r=9;t=6`.
fn left(answer: &Answer, limit: &str) -> u64 {
    let mut limits = answer.header("ratelimit").split(',').map(str::trim);
    let found = limits.find_map(|it| it.strip_prefix(&format!("\"{limit}\";r=")));
    let (left, seconds) = found.and_then(|it| it.split_once(";t=")).unwrap_or_else(|| {
        panic!("no {limit} in {answer:?}");
    });
    let _: u64 = seconds.parse().unwrap();
    left.parse().unwrap()
}

#[test]
fn a_caller_is_let_through_ten_times_a_minute() {
    let signer = Signer::start();
    let installation = behind_proxy(&signer);
    let edge = installation.edge();
    let wallet = sign_in_from(&edge, &signer, SECOND_KEY, "192.0.2.1");
    let other = sign_in_from(&edge, &signer, &signer.fresh().key, "192.0.2.2");
    let admin = sign_in_from(&edge, &signer, e2e::ANVIL_KEY, "192.0.2.3");

    let since = Instant::now();
    let answers: Vec<Answer> = (0..13).map(|_| wallet.get("/v1/spaces")).collect();
    check_limited(&answers, since);
    assert_eq!(answers[0].header("ratelimit-policy"), "\"general\";q=10;w=60");
    assert_eq!(left(&answers[0], "general"), 9, "{:?}", answers[0]);
    // Another path or method is the same caller.
    let since = Instant::now();
    let others: Vec<Answer> =
        (0..3).map(|_| wallet.post("/v1/keys", &json!({ "name": "", "scopes": [] }))).collect();
    let n_passed = others.iter().filter(|it| it.status != 429).count();
    let n_free = 1 + since.elapsed().as_secs() / GENERAL_PERIOD.as_secs();
    assert!(n_passed as u64 <= n_free, "{n_passed} of {others:?}");

    // 20 at once: no two of them are counted as one.
    assert_eq!(other.get("/v1/spaces").status, 200, "each wallet has its own limit");
    let since = Instant::now();
    check_limited(&at_once(20, |_| get_from(&edge, "/v1/apps", "192.0.2.9")), since);
    assert_eq!(get_from(&edge, "/v1/apps", "192.0.2.10").status, 200, "and each address");
    let since = Instant::now();
    let fresh = sign_in_from(&edge, &signer, &signer.fresh().key, "192.0.2.11");
    // And a wallet with a key is no two callers.
    let key = fresh.post("/v1/keys", &json!({ "name": "x", "scopes": ["spaces:read"] }));
    let program = Tenant::with_bearer(&edge, &key.field("key"), &fresh.address);
    let mut answers = vec![key];
    let callers = [&fresh, &program];
    answers.extend(at_once(20, |index| callers[index % 2].get("/v1/spaces")));
    check_limited(&answers, since);

    // A credential that does not hold is nobody's.
    let since = Instant::now();
    let guesses: Vec<Answer> = (0..12)
        .map(|index| {
            let request = edge.request(Method::GET, "/v1/spaces");
            let request = request.header("x-forwarded-for", "192.0.2.12");
            edge.send(request.header("authorization", format!("Bearer sp_{index}")), None)
        })
        .collect();
    check_limited(&guesses, since);

    // What is not counted: an admin, what a client polls, and what watches the machine.
    for _ in 0..30 {
        let answer = admin.get("/v1/spaces");
        assert_eq!((answer.status.as_u16(), answer.header("ratelimit")), (200, ""));
        let polled = wallet.get("/v1/spaces/spc_01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!((polled.status.as_u16(), polled.header("ratelimit")), (404, ""));
        for path in ["/healthz", "/readyz"] {
            assert_eq!(get_from(&edge, path, "192.0.2.9").status, 200);
        }
    }
}

#[test]
fn who_is_anonymous_is_told_apart_by_what_a_trusted_proxy_says_only() {
    let mut installation = Installation::with_default_limits();
    installation.up();
    let edge = installation.edge();
    let since = Instant::now();
    let pretenders: Vec<Answer> =
        (0..20).map(|index| get_from(&edge, "/v1/apps", &format!("192.0.2.{index}"))).collect();
    check_limited(&pretenders, since);

    installation.stop();
    installation.set_variable("trusted_proxies", "127.0.0.0/8, 10.1.1.1");
    installation.up();
    let edge = installation.edge();
    for index in 0..20 {
        let answer = get_from(&edge, "/v1/apps", &format!("192.0.2.{index}"));
        assert_eq!(answer.status, 200, "{index}");
    }
    // The caller writes to the left of what the proxies add, so it is read from the right.
    let since = Instant::now();
    let forged: Vec<Answer> = (0..20)
        .map(|index| {
            let chain = format!("192.0.2.{index}, 198.51.100.7, 10.1.1.1");
            get_from(&edge, "/v1/apps", &chain)
        })
        .collect();
    check_limited(&forged, since);
    // One customer of a provider has a /64 of addresses.
    let since = Instant::now();
    let neighbours: Vec<Answer> = (0..20)
        .map(|index| get_from(&edge, "/v1/apps", &format!("2001:db8:0:1::{index:x}")))
        .collect();
    check_limited(&neighbours, since);
    assert_eq!(get_from(&edge, "/v1/apps", "2001:db8:0:2::1").status, 200);
    for nonsense in ["", ",", "unknown", "192.0.2.300", "[2001:db8::1]:80", "<script>"] {
        let status = get_from(&edge, "/v1/apps", nonsense).status;
        assert!(status == 200 || status == 429, "{nonsense}: {status}");
    }
}

#[test]
fn a_wallet_makes_two_spaces_an_hour() {
    let signer = Signer::start();
    let installation = behind_proxy(&signer);
    let edge = installation.edge();
    let wallet = sign_in_from(&edge, &signer, SECOND_KEY, "192.0.2.1");
    let admin = sign_in_from(&edge, &signer, e2e::ANVIL_KEY, "192.0.2.2");
    for (name, code) in [("Bad_Name", 400), ("www", 400)] {
        let answer = wallet.post("/v1/spaces", &hello(name));
        assert_eq!(answer.status, code, "{}", answer.text);
    }
    let made = ["first", "second"].map(|name| wallet.post("/v1/spaces", &hello(name)));
    for answer in &made {
        assert_eq!(answer.status, 202, "what failed before did not count: {}", answer.text);
    }
    let policy = "\"general\";q=10;w=60, \"provision\";q=2;w=3600";
    assert_eq!(made[0].header("ratelimit-policy"), policy);
    assert_eq!([left(&made[0], "provision"), left(&made[1], "provision")], [1, 0]);

    let third = wallet.post("/v1/spaces", &hello("third"));
    assert_eq!(third.problem(), refused(429, "rate-limited"), "{}", third.text);
    let seconds: u64 = third.header("retry-after").parse().unwrap();
    assert!((60..=1800).contains(&seconds), "the limit of the hour, not of the minute: {third:?}");
    assert_eq!(edge.get("/v1/names/third", None).json["available"], true);
    for name in ["by-admin-1", "by-admin-2", "by-admin-3"] {
        let space = admin.create("hello", name);
        admin.wait_for(&space, "running");
    }
    // Nor are there more when all of them come at once.
    let other = sign_in_from(&edge, &signer, &signer.fresh().key, "192.0.2.3");
    let answers = at_once(6, |index| other.post("/v1/spaces", &hello(&format!("hasty-{index}"))));
    let (hasty, refusals): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|it| it.status == 202);
    assert_eq!(hasty.len(), 2, "{hasty:?} {refusals:?}");
    for answer in &refusals {
        assert_eq!(answer.problem(), refused(429, "rate-limited"));
    }
    for answer in &hasty {
        other.wait_for(&answer.field("id"), "running");
    }
    for answer in &made {
        wallet.wait_for(&answer.field("id"), "running");
    }
}
