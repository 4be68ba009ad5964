//! From one release of an app to another, on the owner's or the operator's word.

use domain::{Generation, ObservedState};
use fleet::{AppOffer, Changes, Observation, Observations};
use serde_json::{Value, json};
use testkit::{ADMIN_KEY, Answer, Client, TestWallet};

struct Scene {
    client: Client,
    host_key: String,
    token: String,
    space: String,
}

impl Scene {
    /// A space that runs the first release.
    async fn new() -> Self {
        let client = Client::default();
        let host_key = client.add_host("host-1", 64).await;
        let token = client.sign_in(&TestWallet::new(1)).await;
        let space = client.create(&token, "garden").await;
        let scene = Self { client, host_key, token, space };
        scene.see(1, "one", None).await;
        scene
    }

    async fn offer(&self, change: impl FnOnce(&mut AppOffer)) {
        let mut offer = Client::offer(32);
        (offer.release, offer.version) = ("two".to_owned(), "2.0".to_owned());
        change(&mut offer);
        self.client.hello_with(&self.host_key, 64, offer).await;
    }

    async fn see(&self, generation: u64, release: &str, reason: Option<&str>) {
        let observation = Observation {
            space: self.space.parse().unwrap(),
            generation: Generation(generation),
            state: ObservedState::Ready,
            release: Some(release.to_owned()),
            reason: reason.map(str::to_owned),
            steps: Vec::new(),
        };
        let body = json!(Observations { items: vec![observation] });
        let answer = self.client.post("/fleet/v1/observations", Some(&self.host_key), body).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    async fn update(&self) -> Answer {
        let path = format!("/v1/spaces/{}/update", self.space);
        self.client.post(&path, Some(&self.token), Value::Null).await
    }

    async fn wanted_release(&self) -> String {
        let answer = self.client.get("/fleet/v1/changes?after=0", Some(&self.host_key)).await;
        let changes: Changes = serde_json::from_value(answer.body).unwrap();
        changes.items[0].space.release.clone()
    }

    async fn show(&self) -> Value {
        self.client.get(&format!("/v1/spaces/{}", self.space), Some(&self.token)).await.body
    }

    async fn kinds(&self) -> Vec<String> {
        let path = format!("/v1/spaces/{}/events", self.space);
        let answer = self.client.get(&path, Some(&self.token)).await;
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_space_keeps_its_release_until_somebody_asks_for_the_next() {
    let scene = Scene::new().await;
    let space = scene.show().await;
    assert_eq!((&space["version"], &space["update"]), (&json!("1.0"), &Value::Null));
    scene.offer(|_| ()).await;
    let space = scene.show().await;
    assert_eq!((&space["version"], &space["update"]), (&json!("1.0"), &json!({"version": "2.0"})));
    assert_eq!(scene.wanted_release().await, "one");

    let answer = scene.update().await;
    assert_eq!((answer.status.as_u16(), &answer.body["generation"]), (202, &json!(2)));
    assert_eq!((&answer.body["version"], &answer.body["update"]), (&json!("2.0"), &Value::Null));
    assert_eq!(scene.wanted_release().await, "two");
    // Once more changes nothing.
    assert_eq!(scene.update().await.body["generation"], 2);
    scene.see(2, "two", None).await;
    assert_eq!(scene.show().await["observed_generation"], 2);
    assert_eq!(scene.kinds().await.iter().filter(|it| *it == "update-wanted").count(), 1);
}

#[tokio::test]
async fn a_space_that_went_back_can_be_updated_again() {
    let scene = Scene::new().await;
    scene.offer(|_| ()).await;
    scene.update().await;
    scene.see(2, "one", Some("the update was undone: web exited with code 3")).await;
    let space = scene.show().await;
    assert_eq!((&space["version"], &space["update"]), (&json!("1.0"), &json!({"version": "2.0"})));
    assert_eq!(space["reason"], "the update was undone: web exited with code 3");
    assert_eq!(scene.wanted_release().await, "one");
    assert!(scene.kinds().await.contains(&"update-failed".to_owned()));
    assert_eq!(scene.update().await.body["generation"], 3);
    assert_eq!(scene.wanted_release().await, "two");
}

type Change = Box<dyn FnOnce(&mut AppOffer)>;

#[tokio::test]
async fn an_update_that_can_not_be_is_refused_and_changes_nothing() {
    let required = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "additionalProperties": false, "required": ["mail"],
        "properties": { "mail": { "type": "string", "maxLength": 20 } },
    });
    let rows: [(&str, u16, &str, Change); 3] = [
        ("more memory than there is", 503, "no-capacity", Box::new(|it| it.memory_mib = 65)),
        (
            "a setting that it needs",
            400,
            "invalid-settings",
            Box::new(move |it| it.settings_schema = required),
        ),
        ("another app", 404, "app-not-found", Box::new(|it| "other".clone_into(&mut it.id))),
    ];
    for (what, status, code, change) in rows {
        let scene = Scene::new().await;
        scene.offer(change).await;
        assert_eq!(scene.update().await.problem(), (status, code), "{what}");
        assert_eq!(scene.wanted_release().await, "one", "{what}");
        assert_eq!(scene.show().await["generation"], 1, "{what}");
    }
}

#[tokio::test]
async fn an_owner_or_the_operator_may_ask_and_nobody_else() {
    let scene = Scene::new().await;
    scene.offer(|_| ()).await;
    let stranger = scene.client.sign_in(&TestWallet::new(2)).await;
    let own = format!("/v1/spaces/{}/update", scene.space);
    let admin = format!("/v1/admin/spaces/{}/update", scene.space);
    #[rustfmt::skip]
    let rows = [
        (&own,   Some(&*stranger), 404),
        (&own,   None,             401),
        (&admin, Some(&*stranger), 403),
        (&admin, None,             401),
        (&admin, Some(ADMIN_KEY),  202),
    ];
    for (path, bearer, status) in rows {
        let answer = scene.client.post(path, bearer, Value::Null).await;
        assert_eq!(answer.status, status, "{path} {bearer:?}");
    }
    assert_eq!(scene.wanted_release().await, "two");
}
