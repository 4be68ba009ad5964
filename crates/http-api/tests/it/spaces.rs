//! Spaces: making, reading, deleting.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use testkit::{Answer, Client, TestWallet};

async fn ready_client() -> (Client, String) {
    let client = Client::default();
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    (client, token)
}

#[tokio::test]
async fn a_wallet_makes_a_space() {
    let (client, token) = ready_client().await;
    let body = json!({ "name": "garden", "app": "hello", "title": "Garden Collective" });
    let answer = client.post("/v1/spaces", Some(&token), body).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.text("id");
    assert_eq!(answer.headers["location"], format!("/v1/spaces/{id}"));
    let address = TestWallet::new(1).wallet.to_string();
    let want = json!({
        "id": id,
        "name": "garden",
        "url": "http://garden.localhost:8080",
        "app": "hello",
        "version": "1.0",
        "update": null,
        "title": "Garden Collective",
        "owner": address,
        "members": [{ "address": address, "role": "owner" }],
        "phase": "pending",
        "desired": "running",
        "generation": 1,
        "observed_generation": 0,
        "reason": null,
        "steps": [],
        "domains": [],
        "host": "host-1",
        "balance": "0.00",
        "paid_until": null,
        "next_wake_at": null,
        "created_at": "2026-11-18T11:06:40Z",
        "updated_at": "2026-11-18T11:06:40Z",
    });
    assert_eq!(answer.body, want);
    for id_or_name in [&*id, "garden"] {
        let shown = client.get(&format!("/v1/spaces/{id_or_name}"), Some(&token)).await;
        assert_eq!((shown.status.as_u16(), shown.body), (200, want.clone()));
    }
    let list = client.get("/v1/spaces", Some(&token)).await;
    assert_eq!(list.body, json!({ "items": [want], "next": null }));
}

#[tokio::test]
async fn each_wrong_wish_is_named_and_changes_nothing() {
    let (client, token) = ready_client().await;
    client.create(&token, "taken").await;
    let long = "a".repeat(41);
    let long_title = "t".repeat(101);
    #[rustfmt::skip]
    let rows = [
        (json!({ "name": "ab",      "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": long,      "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": "Garden",  "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": "gar_den", "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": "-garden", "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": "gar--den", "app": "hello" }),                         400, "invalid-name"),
        (json!({ "name": "xn--abc", "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": "admin",   "app": "hello" }),                          400, "invalid-name"),
        (json!({ "name": "garden",  "app": "hello", "title": "" }),             400, "invalid-title"),
        (json!({ "name": "garden",  "app": "hello", "title": long_title }),     400, "invalid-title"),
        (json!({ "name": "garden",  "app": "hello", "title": "a\nb" }),         400, "invalid-title"),
        (json!({ "name": "garden",  "app": "nothing" }),                        404, "app-not-found"),
        (json!({ "name": "garden",  "app": "hello", "settings": { "x": 1 } }),  400, "invalid-settings"),
        (json!({ "name": "garden",  "app": "hello", "settings": [] }),          400, "invalid-settings"),
        (json!({ "name": "garden",  "app": "hello", "settings": { "greeting": "123456789012345678901" } }), 400, "invalid-settings"),
        (json!({ "name": "taken",   "app": "hello" }),                          409, "name-taken"),
    ];
    for (body, status, code) in rows {
        let answer = client.post("/v1/spaces", Some(&token), body.clone()).await;
        assert_eq!(answer.problem(), (status, code), "{body}");
    }
    let list = client.get("/v1/spaces", Some(&token)).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn names_say_whether_they_can_be_had() {
    let (client, token) = ready_client().await;
    client.create(&token, "taken").await;
    #[rustfmt::skip]
    let rows = [
        ("garden", true,  Value::Null),
        ("taken",  false, json!("taken")),
        ("www",    false, json!("reserved")),
        ("Ab",     false, json!("invalid")),
        ("a%20b",  false, json!("invalid")),
    ];
    for (name, available, reason) in rows {
        let answer = client.get(&format!("/v1/names/{name}"), None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            (&answer.body["available"], &answer.body["reason"]),
            (&json!(available), &reason)
        );
    }
}

#[tokio::test]
async fn a_space_is_nobody_elses_business() {
    let (client, token) = ready_client().await;
    let id = client.create(&token, "garden").await;
    let stranger = client.sign_in(&TestWallet::new(2)).await;
    for path in [
        format!("/v1/spaces/{id}"),
        "/v1/spaces/garden".to_owned(),
        format!("/v1/spaces/{id}/events"),
        format!("/v1/spaces/{id}/logs"),
    ] {
        let answer = client.get(&path, Some(&stranger)).await;
        assert_eq!(answer.problem(), (404, "space-not-found"), "{path}");
        let nobody = client.get(&path, None).await;
        assert_eq!(nobody.problem(), (401, "unauthenticated"), "{path}");
    }
    let delete = client.call(Method::DELETE, "/v1/spaces/garden", Some(&stranger), None).await;
    assert_eq!(delete.problem(), (404, "space-not-found"));
    let list = client.get("/v1/spaces", Some(&stranger)).await;
    assert_eq!(list.body["items"], json!([]));
}

#[tokio::test]
async fn a_full_fleet_says_so() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    client.add_host("host-1", 64).await;
    client.create(&token, "one").await;
    client.create(&token, "two").await;
    let body = json!({ "name": "three", "app": "hello" });
    let full = client.post("/v1/spaces", Some(&token), body.clone()).await;
    assert_eq!(full.problem(), (503, "no-capacity"));
    assert!(full.headers.contains_key("retry-after"));
    client.add_host("host-2", 64).await;
    let made = client.post("/v1/spaces", Some(&token), body).await;
    assert_eq!(made.text("host"), "host-2");
    // A host that was not heard of for long is no place for a space.
    client.platform().advance(Duration::from_secs(91));
    let body = json!({ "name": "four", "app": "hello" });
    let silent = client.post("/v1/spaces", Some(&token), body).await;
    assert_eq!(silent.problem(), (503, "no-capacity"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_one_name_one_gets_it() {
    let (client, token) = ready_client().await;
    let body = json!({ "name": "garden", "app": "hello" });
    let asks = (0..12).map(|_| client.post("/v1/spaces", Some(&token), body.clone()));
    let answers = futures::future::join_all(asks).await;
    let count = |status: u16| answers.iter().filter(|it| it.status == status).count();
    assert_eq!((count(202), count(409)), (1, 11));
}

async fn create_with_key(client: &Client, token: &str, key: &str, body: &Value) -> Answer {
    let request = Request::post("/v1/spaces")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_string()))
        .unwrap();
    client.send(request).await
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let (client, token) = ready_client().await;
    let body = json!({ "name": "garden", "app": "hello" });
    let first = create_with_key(&client, &token, "key-1", &body).await;
    assert_eq!(first.status, 202);
    client.platform().advance(Duration::from_hours(11));
    let again = create_with_key(&client, &token, "key-1", &body).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.headers["location"], first.headers["location"]);

    let other = json!({ "name": "meadow", "app": "hello" });
    let reused = create_with_key(&client, &token, "key-1", &other).await;
    assert_eq!(reused.problem(), (422, "idempotency-key-reused"));
    for key in ["", "with space", &"k".repeat(129)] {
        let answer = create_with_key(&client, &token, key, &other).await;
        assert_eq!(answer.problem(), (400, "invalid-idempotency-key"), "{key}");
    }
    // Keys of different wallets have nothing to do with each other.
    let stranger = client.sign_in(&TestWallet::new(2)).await;
    let conflict = create_with_key(&client, &stranger, "key-1", &body).await;
    assert_eq!(conflict.problem(), (409, "name-taken"));
    // A day later the key is new again.
    let token = {
        client.platform().advance(Duration::from_hours(13));
        client.sign_in(&TestWallet::new(1)).await
    };
    let late = create_with_key(&client, &token, "key-1", &body).await;
    assert_eq!(late.problem(), (409, "name-taken"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_sent_many_times_at_once_gets_one_answer() {
    let (client, token) = ready_client().await;
    let body = json!({ "name": "garden", "app": "hello" });
    let asks = (0..8).map(|_| create_with_key(&client, &token, "key-1", &body));
    let answers = futures::future::join_all(asks).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.body), (202, &answers[0].body));
    }
}

#[tokio::test]
async fn a_space_is_made_only_where_its_settings_were_checked() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    client.add_host("big", 4096).await;
    client.platform().advance(Duration::from_secs(1));
    // The newer host offers hello with more memory: another offer, so `big` is not asked.
    client.add_host_offering("small", 64, 64).await;
    client.create(&token, "one").await;
    let body = json!({ "name": "two", "app": "hello" });
    let full = client.post("/v1/spaces", Some(&token), body).await;
    assert_eq!(full.problem(), (503, "no-capacity"));
}

#[tokio::test]
async fn a_deleted_space_frees_its_name_at_once() {
    let (client, token) = ready_client().await;
    let id = client.create(&token, "garden").await;
    let deleted = client.call(Method::DELETE, "/v1/spaces/garden", Some(&token), None).await;
    assert_eq!(deleted.status, 202, "{}", deleted.body);
    assert_eq!(
        (deleted.text("phase"), deleted.text("desired")),
        ("deleting".into(), "deleted".into())
    );
    assert_eq!(deleted.body["generation"], 2);
    assert_eq!(deleted.headers["location"], format!("/v1/spaces/{id}"));

    let by_name = client.get("/v1/spaces/garden", Some(&token)).await;
    assert_eq!(by_name.problem(), (404, "space-not-found"));
    let by_id = client.get(&format!("/v1/spaces/{id}"), Some(&token)).await;
    assert_eq!(by_id.text("phase"), "deleting");
    // Once more is the same.
    let again = client.call(Method::DELETE, &format!("/v1/spaces/{id}"), Some(&token), None).await;
    assert_eq!((again.status.as_u16(), &again.body["generation"]), (202, &json!(2)));

    let second = client.create(&token, "garden").await;
    assert_ne!(second, id);
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let (client, token) = ready_client().await;
    for name in ["one", "two", "three"] {
        client.create(&token, name).await;
        client.platform().advance(Duration::from_secs(1));
    }
    let names = |answer: &Answer| -> Vec<String> {
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = client.get("/v1/spaces?limit=2", Some(&token)).await;
    assert_eq!(names(&first), ["three", "two"]);
    let next = first.text("next");
    let second = client.get(&format!("/v1/spaces?limit=2&after={next}"), Some(&token)).await;
    assert_eq!(names(&second), ["one"]);
    assert_eq!(second.body["next"], Value::Null);
    for query in ["limit=0", "limit=201", "limit=x", "after=garden", "phase=asleep"] {
        let answer = client.get(&format!("/v1/spaces?{query}"), Some(&token)).await;
        assert_eq!(answer.problem(), (400, "invalid-query"), "{query}");
    }
    let running = client.get("/v1/spaces?phase=running", Some(&token)).await;
    assert_eq!(running.body["items"], json!([]));
    let pending = client.get("/v1/spaces?phase=pending", Some(&token)).await;
    assert_eq!(names(&pending), ["three", "two", "one"]);
}

#[tokio::test]
async fn events_tell_what_happened() {
    let (client, token) = ready_client().await;
    let id = client.create(&token, "garden").await;
    client.call(Method::DELETE, "/v1/spaces/garden", Some(&token), None).await;
    let path = format!("/v1/spaces/{id}/events");
    let events = client.get(&path, Some(&token)).await;
    let items = events.body["items"].as_array().unwrap();
    let kinds: Vec<_> = items.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["created", "desired-changed"]);
    assert_eq!(items[0]["actor"], TestWallet::new(1).wallet.to_string());
    assert_eq!(items[0]["detail"]["name"], "garden");
    let page = client.get(&format!("{path}?limit=1"), Some(&token)).await;
    let next = page.text("next");
    let rest = client.get(&format!("{path}?after={next}"), Some(&token)).await;
    assert_eq!(rest.body["items"][0]["kind"], "desired-changed");

    let stream = Request::get(&path)
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "text/event-stream")
        .header("last-event-id", next);
    let streamed = client.send(stream.body(Body::empty()).unwrap()).await;
    assert_eq!(streamed.headers["content-type"], "text/event-stream");
    let text = streamed.body.as_str().unwrap();
    assert!(text.contains("event: desired-changed\n") && text.contains("id: "), "{text}");
    assert!(!text.contains("event: created"), "{text}");
}

#[tokio::test]
async fn logs_are_at_the_hosts_gateway() {
    let (client, token) = ready_client().await;
    let id = client.create(&token, "garden").await;
    let path = format!("/v1/spaces/{id}/logs");
    let answer = client.get(&format!("{path}?service=web&tail=5&follow=true"), Some(&token)).await;
    assert_eq!(answer.status, 307);
    let location = answer.headers["location"].to_str().unwrap();
    assert!(location.starts_with("http://127.0.0.1:8080/_spaceport/v1/logs?ticket="), "{location}");
    let many = client.get(&format!("{path}?tail=1001"), Some(&token)).await;
    assert_eq!(many.problem(), (400, "invalid-query"));
}

#[tokio::test]
async fn the_catalogue_lists_what_hosts_offer() {
    let client = Client::default();
    assert_eq!(client.get("/v1/apps", None).await.body, json!({ "items": [], "next": null }));
    client.add_host("host-1", 1024).await;
    client.add_host("host-2", 1024).await;
    let apps = client.get("/v1/apps", None).await;
    let items = apps.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["id"], "hello");
    assert_eq!(items[0]["resources"], json!({ "memory_mib": 32, "cpus": 0.5, "disk_mib": 16 }));
    assert_eq!(items[0]["settings_schema"]["type"], "object");
}
