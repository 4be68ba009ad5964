//! What only the operator does, each with a reason that is kept.

use domain::ObservedState;
use http::{Method, Request};
use serde_json::{Value, json};
use testkit::{ADMIN_KEY, Answer, CRON_KEY, Client, TestWallet};

struct Scene {
    client: Client,
    token: String,
    host_key: String,
    space: String,
}

impl Scene {
    async fn new() -> Self {
        let client = Client::default();
        let host_key = client.add_host("host-1", 1024).await;
        let token = client.sign_in(&TestWallet::new(1)).await;
        let space = client.create(&token, "garden").await;
        let scene = Self { client, token, host_key, space };
        scene.see(1, ObservedState::Ready).await;
        scene
    }

    async fn see(&self, generation: u64, state: ObservedState) {
        self.client.see(&self.host_key, &self.space, generation, state).await;
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/admin/spaces/{}/{what}", self.space)
    }

    async fn want(&self, what: &str, body: Value) -> Answer {
        self.client.post(&self.path(what), Some(ADMIN_KEY), body).await
    }

    /// The events of all spaces, by kind, each with what it says.
    async fn events(&self) -> Vec<(String, Value)> {
        let page = self.client.get("/v1/admin/events?limit=200", Some(ADMIN_KEY)).await.body;
        let items = page["items"].as_array().unwrap().iter();
        items.map(|it| (it["kind"].as_str().unwrap().to_owned(), it.clone())).collect()
    }

    async fn show(&self) -> Value {
        self.client.get(&format!("/v1/spaces/{}", self.space), Some(&self.token)).await.body
    }
}

#[tokio::test]
async fn a_space_is_suspended_resumed_and_torn_down_with_reasons_that_are_kept() {
    let scene = Scene::new().await;
    let reason = |text: &str| json!({ "reason": text });
    let suspended = scene.want("suspend", reason(" spam ")).await;
    assert_eq!((suspended.status.as_u16(), &suspended.body["phase"]), (202, &json!("suspending")));
    // Twice is once.
    assert_eq!(scene.want("suspend", reason("spam")).await.body["generation"], 2);
    scene.see(2, ObservedState::Stopped).await;
    assert_eq!(scene.show().await["phase"], "suspended");
    let path = format!("/v1/spaces/{}/restart", scene.space);
    let restart = scene.client.post(&path, Some(&scene.token), json!({})).await;
    assert_eq!(restart.problem(), (409, "suspended"));

    assert_eq!(scene.want("resume", reason("they apologised")).await.status, 202);
    scene.see(3, ObservedState::Ready).await;
    assert_eq!(scene.show().await["phase"], "running");
    assert_eq!(scene.want("teardown", reason("again")).await.status, 202);
    for what in ["suspend", "resume", "teardown"] {
        let late = scene.want(what, reason("too late")).await;
        assert_eq!(late.problem(), (404, "space-not-found"), "{what}");
    }

    let events = scene.events().await;
    let mut said = Vec::new();
    for (kind, event) in &events {
        if let Some(reason) = event["detail"]["reason"].as_str() {
            assert_eq!(
                (&event["actor"], &event["space"]),
                (&json!("operator"), &json!(scene.space))
            );
            said.push((kind.as_str(), reason));
        }
    }
    let want = [("suspended", "spam"), ("resumed", "they apologised"), ("torn-down", "again")];
    assert_eq!(said, want, "{events:#?}");
}

#[tokio::test]
async fn a_grant_is_money_of_the_operator_s_and_given_once_a_key() {
    let scene = Scene::new().await;
    let grant = async |key: Option<&str>, body: Value| {
        let mut request = Request::post(scene.path("grants"))
            .header("authorization", format!("Bearer {ADMIN_KEY}"))
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        scene.client.send(request.body(body.to_string().into()).unwrap()).await
    };
    let given = json!({ "amount": "2.50", "reason": "an outage" });
    for _ in 0..2 {
        let granted = grant(Some("outage-1"), given.clone()).await;
        assert_eq!((granted.status.as_u16(), &granted.body["amount"]), (201, &json!("2.50")));
    }
    assert_eq!(scene.show().await["balance"], "2.50");
    assert_eq!(grant(None, given).await.status, 201);
    assert_eq!(scene.show().await["balance"], "5.00");
    let other = json!({ "amount": "3.50", "reason": "an outage" });
    assert_eq!(grant(Some("outage-1"), other).await.problem(), (422, "idempotency-key-reused"));
    #[rustfmt::skip]
    let rows = [
        (json!({ "amount": "0", "reason": "x" }),         "invalid-amount"),
        (json!({ "amount": "0.0000001", "reason": "x" }), "invalid-body"),
        (json!({ "amount": "-1", "reason": "x" }),        "invalid-body"),
        (json!({ "amount": 1, "reason": "x" }),           "invalid-body"),
        (json!({ "amount": "1", "reason": "" }),          "invalid-reason"),
        (json!({ "amount": "1" }),                        "invalid-body"),
    ];
    for (body, code) in rows {
        assert_eq!(grant(None, body.clone()).await.problem(), (400, code), "{body}");
    }
    assert_eq!(scene.show().await["balance"], "5.00");
    let ledger =
        scene.client.get(&format!("/v1/spaces/{}/ledger", scene.space), Some(&scene.token)).await;
    let items = ledger.body["items"].as_array().unwrap();
    assert!(items.iter().all(|it| it["kind"] == "grant") && items.len() == 2, "{}", ledger.body);
    let audit = scene.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
    assert_eq!(audit["books"]["balance"], true, "{audit}");
}

#[tokio::test]
async fn a_drained_host_takes_no_new_spaces_until_it_is_undrained() {
    let scene = Scene::new().await;
    let path = "/v1/admin/hosts/host-1/drain";
    let body = Some(json!({ "reason": "a new disk" }));
    let set = async |method| scene.client.call(method, path, Some(ADMIN_KEY), body.clone()).await;
    let create = async |name: &str| {
        let body = json!({ "name": name, "app": "hello" });
        scene.client.post("/v1/spaces", Some(&scene.token), body).await
    };
    assert_eq!(set(Method::POST).await.status, 204);
    assert_eq!(create("orchard").await.problem(), (503, "no-capacity"));
    assert_eq!(scene.show().await["phase"], "running");
    let hosts = scene.client.get("/v1/admin/hosts", Some(ADMIN_KEY)).await.body;
    assert_eq!(hosts["items"][0]["drained_at"], "2026-11-18T11:06:40Z", "{hosts}");
    assert_eq!(set(Method::DELETE).await.status, 204);
    assert_eq!(create("orchard").await.status, 202);
    let nowhere = "/v1/admin/hosts/nowhere/drain";
    let answer = scene.client.call(Method::POST, nowhere, Some(ADMIN_KEY), body.clone()).await;
    assert_eq!(answer.problem(), (404, "host-not-found"));
}

#[tokio::test]
async fn the_operator_sees_all_spaces_a_page_at_a_time() {
    let scene = Scene::new().await;
    let other = scene.client.sign_in(&TestWallet::new(2)).await;
    scene.client.create(&other, "orchard").await;
    let names = async |query: &str| {
        let path = format!("/v1/admin/spaces{query}");
        let page = scene.client.get(&path, Some(ADMIN_KEY)).await.body;
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        let names: Vec<_> =
            items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        (names.join(" "), page["next"].as_str().map(str::to_owned))
    };
    let owner = TestWallet::new(2).wallet;
    #[rustfmt::skip]
    let rows = [
        (String::new(),                             "orchard garden"),
        ("?phase=running".to_owned(),               "garden"),
        ("?phase=suspended".to_owned(),             ""),
        (format!("?owner={owner}"),                 "orchard"),
        (format!("?owner={owner}&phase=running"),   ""),
    ];
    for (query, want) in rows {
        assert_eq!(names(&query).await, (want.to_owned(), None), "{query}");
    }
    let (first, next) = names("?limit=1").await;
    let next = next.expect("there is another page");
    let (second, end) = names(&format!("?limit=1&after={next}")).await;
    assert_eq!((&*first, &*second, end), ("orchard", "garden", None));
    for query in ["?phase=asleep", "?owner=me", "?limit=0", "?limit=201", "?after=x"] {
        let answer = scene.client.get(&format!("/v1/admin/spaces{query}"), Some(ADMIN_KEY)).await;
        assert_eq!(answer.problem(), (400, "invalid-query"), "{query}");
    }
}

#[tokio::test]
async fn a_reason_is_a_line_and_what_has_none_changes_nothing() {
    let scene = Scene::new().await;
    let long = "a".repeat(501);
    for reason in ["", "  ", "two\nlines", &long] {
        for what in ["suspend", "resume", "teardown"] {
            let answer = scene.want(what, json!({ "reason": reason })).await;
            assert_eq!(answer.problem(), (400, "invalid-reason"), "{what} {reason:?}");
        }
        let drained = scene.client.post(
            "/v1/admin/hosts/host-1/drain",
            Some(ADMIN_KEY),
            json!({ "reason": reason }),
        );
        assert_eq!(drained.await.problem(), (400, "invalid-reason"), "{reason:?}");
    }
    assert_eq!(scene.want("suspend", json!({})).await.problem(), (400, "invalid-body"));
    assert_eq!(scene.show().await["generation"], 1);
}

#[tokio::test]
async fn nobody_else_is_the_operator() {
    let scene = Scene::new().await;
    let body = json!({ "reason": "because", "amount": "1" });
    #[rustfmt::skip]
    let rows = [
        (Method::GET,    "/v1/admin/spaces".to_owned()),
        (Method::GET,    "/v1/admin/events".to_owned()),
        (Method::GET,    "/v1/admin/audit".to_owned()),
        (Method::POST,   scene.path("suspend")),
        (Method::POST,   scene.path("resume")),
        (Method::POST,   scene.path("teardown")),
        (Method::POST,   scene.path("grants")),
        (Method::POST,   "/v1/admin/hosts/host-1/drain".to_owned()),
        (Method::DELETE, "/v1/admin/hosts/host-1/drain".to_owned()),
    ];
    for (method, path) in rows {
        let body = (method != Method::GET).then(|| body.clone());
        let ask =
            async |bearer| scene.client.call(method.clone(), &path, bearer, body.clone()).await;
        assert_eq!(ask(None).await.problem(), (401, "unauthenticated"), "{method} {path}");
        assert_eq!(ask(Some(&*scene.token)).await.problem(), (403, "forbidden"), "{method} {path}");
        for key in [&*scene.host_key, CRON_KEY] {
            assert_eq!(ask(Some(key)).await.status, 401, "{method} {path}");
        }
    }
    assert_eq!(scene.show().await["generation"], 1);
}
