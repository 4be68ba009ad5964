//! What workers tell of use, and the job that charges it.

use std::time::Duration;

use domain::ObservedState;
use evm::Network as _;
use http::Method;
use serde_json::{Value, json};
use testkit::{ADMIN_KEY, Answer, CRON_KEY, Client, TestWallet};

struct Scene {
    client: Client,
    host_key: String,
    token: String,
    space: String,
}

impl Scene {
    /// A space that runs, where posts cost a dollar and nothing else does.
    async fn new() -> Self {
        let client = Client::default();
        let host_key = client.add_host("host-1", 1024).await;
        let token = client.sign_in(&TestWallet::new(1)).await;
        let space = client.create(&token, "garden").await;
        client.see(&host_key, &space, 1, ObservedState::Ready).await;
        Self { client, host_key, token, space }
    }

    async fn bill(&self) -> Value {
        let path = "/internal/cron/billing";
        let answer = self.client.post(path, Some(CRON_KEY), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    fn reading(&self, id: &str) -> Value {
        let now = self.client.platform().now();
        json!({ "id": id, "space": self.space, "from": now, "to": now, "seconds": 900,
            "running_seconds": 900, "hibernated_seconds": 0, "cpu_ms": 5, "memory_mib_seconds": 6,
            "network_rx_bytes": 7, "network_tx_bytes": 8, "disk_read_bytes": 9,
            "disk_write_bytes": 10, "storage_kib": 11, "posts": 12 })
    }

    async fn tell(&self, items: Value) -> Answer {
        let body = json!({ "items": items });
        self.client.post("/fleet/v1/readings", Some(&self.host_key), body).await
    }
}

#[tokio::test]
async fn a_reading_is_taken_before_any_job_ran_and_told_apart_by_its_id() {
    let scene = Scene::new().await;
    for _ in 0..2 {
        let told = scene.tell(json!([scene.reading("r-1"), scene.reading("r-2")])).await;
        assert_eq!((told.status.as_u16(), &told.body), (200, &json!({ "refused": [] })));
    }
    let database = scene.client.platform().open();
    let statement =
        "SELECT (SELECT count(*) FROM readings), sum(posts), sum(seconds) FROM usage_hours";
    let rows = records::Database::execute(&database, statement, vec![]).await.unwrap();
    assert_eq!([0, 1, 2].map(|it| rows[0].integer(it)), [2, 24, 1800]);
    let audit = scene.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
    assert_eq!(audit["books"]["balance"], true, "{audit}");
}

#[tokio::test]
async fn what_can_not_be_is_refused_and_the_rest_counts() {
    let scene = Scene::new().await;
    let with = |field: &str, value: Value| {
        let mut reading = scene.reading(&format!("bad-{}", field.replace('_', "-")));
        reading[field] = value;
        reading
    };
    let stranger = "spc_01JD9V6M1WZ0000000000000AB";
    let bad = [
        with("space", json!(stranger)),
        with("running_seconds", json!(901)),
        with("hibernated_seconds", json!(901)),
        with("seconds", json!(1_u64 << 23)),
        with("storage_kib", json!(1_u64 << 41)),
        with("posts", json!(u64::MAX)),
        with("to", json!("2020-01-01T00:00:00Z")),
        with("id", json!("UPPER")),
        with("id", json!("x")),
    ];
    let mut items = bad.to_vec();
    items.push(scene.reading("good"));
    let told = scene.tell(json!(items)).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let refused: Vec<_> = bad.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(told.body["refused"], json!(refused));

    let many: Vec<_> = (0..201).map(|it| scene.reading(&format!("r-{it}"))).collect();
    assert_eq!(scene.tell(json!(many)).await.problem(), (400, "invalid-body"));
    let unknown = scene.tell(json!([with("colour", json!("green"))])).await;
    assert_eq!(unknown.problem(), (400, "unknown-field"), "{}", unknown.body);
    let body = json!({ "items": [] });
    for bearer in [None, Some(&*scene.token), Some(ADMIN_KEY)] {
        let answer = scene.client.post("/fleet/v1/readings", bearer, body.clone()).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    for bearer in [None, Some(&*scene.token), Some(ADMIN_KEY), Some(&*scene.host_key)] {
        let answer = scene.client.post("/internal/cron/billing", bearer, json!({})).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
}

#[tokio::test]
async fn an_inventory_comes_in_parts_and_takes_the_place_of_the_last_one() {
    let scene = Scene::new().await;
    let item = |space: &str| {
        json!({ "space": space, "n_containers": 1, "n_running": 1, "n_volumes": 0, "n_networks": 1,
            "n_volumes_wanted": 0 })
    };
    let stray = "spc_01JD9V6M1WZ0000000000000AB";
    let tell = async |items: Value, is_last: bool| {
        let now = scene.client.platform().now();
        let body = json!({ "taken_at": now, "items": items, "is_last": is_last });
        let path = "/fleet/v1/inventory";
        let answer = scene.client.call(Method::PUT, path, Some(&scene.host_key), Some(body)).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    };
    let strays = async || {
        let audit = scene.client.get("/v1/admin/audit", Some(ADMIN_KEY)).await.body;
        audit["hosts"]["strays"].as_array().unwrap().len()
    };
    scene.client.platform().advance(Duration::from_mins(1));
    tell(json!([item(&scene.space)]), false).await;
    tell(json!([item(stray)]), true).await;
    assert_eq!(strays().await, 1);
    scene.client.platform().advance(Duration::from_mins(1));
    tell(json!([item(&scene.space)]), true).await;
    assert_eq!(strays().await, 0);
}

#[tokio::test]
async fn the_operator_s_prometheus_reads_how_things_stand() {
    let scene = Scene::new().await;
    scene.bill().await;
    let answer = scene.client.get("/metrics", Some(ADMIN_KEY)).await;
    assert_eq!(answer.status, 200);
    let text = answer.body.as_str().unwrap();
    for line in [
        "spaceport_edge_spaces{phase=\"running\"} 1.0",
        "spaceport_edge_stuck_spaces 0.0",
        "spaceport_edge_host_alive{host=\"host-1\"} 1.0",
        "spaceport_edge_host_memory_bytes{host=\"host-1\",kind=\"total\"} 1073741824.0",
        "spaceport_edge_owed_usd 0.0",
        "# EOF",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in:\n{text}");
    }
    for (bearer, want) in [(None, 401), (Some(&*scene.token), 403), (Some(&*scene.host_key), 401)] {
        assert_eq!(scene.client.get("/metrics", bearer).await.status, want, "{bearer:?}");
    }
}
