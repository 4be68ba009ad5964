//! The link to the workers, and the operator's hosts.

use domain::{Generation, ObservedState, SpaceId, StepRecord, StepState, Timestamp};
use evm::Network as _;
use fleet::{Changes, Observation, Observations};
use http::Method;
use serde_json::{Value, json};
use testkit::{ADMIN_KEY, Answer, Client, TestWallet};

struct Scene {
    client: Client,
    token: String,
    host_key: String,
    space: SpaceId,
}

impl Scene {
    async fn new() -> Self {
        let client = Client::default();
        let host_key = client.add_host("host-1", 1024).await;
        let token = client.sign_in(&TestWallet::new(1)).await;
        let space = client.create(&token, "garden").await.parse().unwrap();
        Self { client, token, host_key, space }
    }

    async fn changes(&self, after: u64) -> Changes {
        let path = format!("/fleet/v1/changes?after={after}");
        let answer = self.client.get(&path, Some(&self.host_key)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_value(answer.body).unwrap()
    }

    fn observation(&self, generation: u64, state: ObservedState) -> Observation {
        Observation {
            space: self.space.clone(),
            generation: Generation(generation),
            state,
            release: None,
            reason: None,
            steps: Vec::new(),
        }
    }

    async fn observe(&self, key: &str, observation: Observation) -> Answer {
        let body = json!(Observations { items: vec![observation] });
        self.client.post("/fleet/v1/observations", Some(key), body).await
    }

    async fn see(&self, generation: u64, state: ObservedState) {
        let answer = self.observe(&self.host_key, self.observation(generation, state)).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    async fn show(&self) -> Value {
        let path = format!("/v1/spaces/{}", self.space);
        self.client.get(&path, Some(&self.token)).await.body
    }

    async fn event_kinds(&self) -> Vec<String> {
        let path = format!("/v1/spaces/{}/events", self.space);
        let answer = self.client.get(&path, Some(&self.token)).await;
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_space_lives_as_its_worker_sees_it() {
    let scene = Scene::new().await;
    let changes = scene.changes(0).await;
    assert_eq!(changes.items.len(), 1);
    let wanted = &changes.items[0].space;
    assert_eq!((wanted.id.clone(), wanted.generation), (scene.space.clone(), Generation(1)));
    assert_eq!(wanted.url, "http://garden.localhost:8080");
    assert!(!wanted.has_data && !wanted.gave_up);
    assert_eq!(scene.changes(changes.next).await.items, []);

    #[rustfmt::skip]
    let rows = [
        (ObservedState::Converging, "provisioning", 0),
        (ObservedState::Ready,      "running",      1),
        (ObservedState::Ready,      "running",      1),
        (ObservedState::Failed,     "failed",       1),
        (ObservedState::Ready,      "running",      1),
    ];
    for (state, phase, observed_generation) in rows {
        scene.see(1, state).await;
        let space = scene.show().await;
        assert_eq!(space["phase"], phase, "{state:?}");
        assert_eq!(space["observed_generation"], observed_generation, "{state:?}");
    }
    assert!(scene.changes(0).await.items[0].space.has_data);

    scene.client.call(Method::DELETE, "/v1/spaces/garden", Some(&scene.token), None).await;
    let changes = scene.changes(changes.next).await;
    assert_eq!(changes.items[0].space.generation, Generation(2));
    scene.see(2, ObservedState::Gone).await;
    assert_eq!(scene.show().await["phase"], "deleted");
    assert_eq!(scene.changes(0).await.items, [], "what is gone is nobody's work");
}

#[tokio::test]
async fn what_is_stale_or_foreign_changes_nothing() {
    let scene = Scene::new().await;
    let other_key = scene.client.add_host("host-2", 1024).await;
    scene.client.call(Method::DELETE, "/v1/spaces/garden", Some(&scene.token), None).await;
    let before = scene.show().await;

    scene.see(1, ObservedState::Ready).await;
    scene.see(2, ObservedState::Ready).await;
    scene.see(9, ObservedState::Gone).await;
    let foreign = scene.observation(2, ObservedState::Gone);
    assert_eq!(scene.observe(&other_key, foreign).await.status, 204);
    let mut unknown = scene.observation(1, ObservedState::Ready);
    unknown.space = SpaceId::new(Timestamp::from_unix_ms(1), [1; 10]);
    assert_eq!(scene.observe(&scene.host_key, unknown).await.status, 204);

    assert_eq!(scene.show().await, before);
}

#[tokio::test]
async fn steps_and_reasons_are_shown_once_each() {
    let scene = Scene::new().await;
    let now = scene.client.platform().now();
    let step = |name: &str, state| StepRecord {
        name: name.to_owned(),
        state,
        started_at: now,
        ended_at: Some(now),
    };
    let mut observation = scene.observation(1, ObservedState::Converging);
    observation.steps =
        vec![step("create-network", StepState::Done), step("create-web", StepState::Running)];
    for _ in 0..2 {
        scene.observe(&scene.host_key, observation.clone()).await;
    }
    observation.state = ObservedState::Failed;
    observation.reason = Some(format!("image not found: {}", "x".repeat(600)));
    observation.steps[1].state = StepState::Failed;
    for _ in 0..2 {
        scene.observe(&scene.host_key, observation.clone()).await;
    }
    let space = scene.show().await;
    assert_eq!(space["phase"], "failed");
    assert!(space["reason"].as_str().unwrap().starts_with("image not found"));
    assert_eq!(space["reason"].as_str().unwrap().len(), 500);
    assert_eq!(space["steps"].as_array().unwrap().len(), 2);
    let kinds = scene.event_kinds().await;
    assert_eq!(kinds, ["created", "step", "phase-changed", "step", "phase-changed"]);
    assert!(scene.changes(0).await.items[0].space.gave_up);
    // A worker that was started again has forgotten them; the edge has not.
    scene.see(1, ObservedState::Ready).await;
    assert_eq!(scene.show().await["steps"], space["steps"]);
}

#[tokio::test]
async fn an_owner_has_a_failed_space_tried_again() {
    let scene = Scene::new().await;
    let path = format!("/v1/spaces/{}/restart", scene.space);
    scene.see(1, ObservedState::Failed).await;
    assert!(scene.changes(0).await.items[0].space.gave_up);

    let stranger = scene.client.sign_in(&TestWallet::new(2)).await;
    let refused = scene.client.call(Method::POST, &path, Some(&stranger), None).await;
    assert_eq!(refused.problem(), (404, "space-not-found"));
    let again = scene.client.call(Method::POST, &path, Some(&scene.token), None).await;
    assert_eq!((again.status.as_u16(), &again.body["phase"]), (202, &json!("provisioning")));
    let wanted = scene.changes(0).await.items.remove(0).space;
    assert_eq!((wanted.generation, wanted.gave_up), (Generation(2), false));
    scene.see(2, ObservedState::Ready).await;

    // A running one is made anew.
    let anew = scene.client.call(Method::POST, &path, Some(&scene.token), None).await;
    assert_eq!((&anew.body["phase"], &anew.body["generation"]), (&json!("running"), &json!(3)));
    scene.client.call(Method::DELETE, "/v1/spaces/garden", Some(&scene.token), None).await;
    let late = scene.client.call(Method::POST, &path, Some(&scene.token), None).await;
    assert_eq!(late.problem(), (409, "space-deleting"));
}

#[tokio::test]
async fn a_worker_needs_its_hosts_key() {
    let scene = Scene::new().await;
    for key in [None, Some("sph_wrong"), Some(ADMIN_KEY), Some(&*scene.token)] {
        let answer = scene.client.get("/fleet/v1/changes", key).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{key:?}");
    }
    let spaces = scene.client.get("/v1/spaces", Some(&scene.host_key)).await;
    assert_eq!(spaces.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_held_answer_ends_without_news() {
    let scene = Scene::new().await;
    let after = scene.changes(0).await.next;
    let before = scene.client.platform().now();
    let path = format!("/fleet/v1/changes?after={after}&wait_seconds=600");
    let answer = scene.client.get(&path, Some(&scene.host_key)).await;
    assert_eq!(answer.body, json!({ "items": [], "next": after, "more": false }));
    assert_eq!(scene.client.platform().now().since(before).as_secs(), 20, "the longest wait");
}

#[tokio::test]
async fn the_operator_adds_hosts() {
    let client = Client::default();
    let tenant = client.sign_in(&TestWallet::new(1)).await;
    let admin = client.sign_in(&TestWallet::new(99)).await;
    let body = json!({ "name": "netcup-1" });
    #[rustfmt::skip]
    let rows = [
        (None,            401, "unauthenticated"),
        (Some("wrong"),   401, "unauthenticated"),
        (Some(&*tenant),  403, "forbidden"),
    ];
    for (bearer, status, code) in rows {
        let answer = client.post("/v1/admin/hosts", bearer, body.clone()).await;
        assert_eq!(answer.problem(), (status, code));
    }
    for name in ["", "Netcup", "-a", "a-", "a b", &"h".repeat(64)] {
        let answer = client.post("/v1/admin/hosts", Some(&admin), json!({ "name": name })).await;
        assert_eq!(answer.problem(), (400, "invalid-host"), "{name}");
    }
    // Until a worker uses the key it may have been lost: then there is a new one.
    let first = client.post("/v1/admin/hosts", Some(&admin), body.clone()).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.headers["cache-control"], "no-store");
    let key = client.add_host("netcup-1", 2048).await;
    assert_ne!(first.text("key"), key);
    let lost = client.get("/fleet/v1/changes", Some(&first.text("key"))).await;
    assert_eq!(lost.problem(), (401, "unauthenticated"));
    let used = client.post("/v1/admin/hosts", Some(ADMIN_KEY), body).await;
    assert_eq!(used.problem(), (409, "host-exists"));

    let hosts = client.get("/v1/admin/hosts", Some(ADMIN_KEY)).await;
    let host = &hosts.body["items"][0];
    assert_eq!((&host["name"], &host["is_alive"]), (&json!("netcup-1"), &json!(true)));
    assert_eq!((&host["memory_mib"], &host["n_spaces"]), (&json!(2048), &json!(0)));
    assert!(!hosts.body.to_string().contains(&key));
}
