//! What proxies ask: whether a certificate may be made, and where the routes lead.

use http::Method;
use records::Database as _;
use serde_json::{Value, json};
use testkit::{ADMIN_KEY, Client, TestWallet, dns::Dns};

const VARIABLES: [(&str, &str); 3] = [
    ("base_domain", "spaces.net"),
    ("public_url", "http://app.operator.net"),
    ("rate_general_per_min", "1"),
];

/// An edge as it is on the internet, with the living spaces `garden` (which has the domain
/// `garden.org` and claims `meadow.org`) and `pond`, and the deleted space `marsh`.
async fn scene(more: &[(&str, &str)]) -> Client {
    let client = Client::with(&[more, &VARIABLES[..2]].concat());
    client.add_host("host-1", 1024).await;
    let token = client.sign_in(&TestWallet::new(1)).await;
    let id = client.create(&token, "garden").await;
    client.create(&token, "pond").await;
    client.create(&token, "marsh").await;
    client.call(Method::DELETE, "/v1/spaces/marsh", Some(&token), None).await;
    let dns = Dns::of(client.platform());
    let target = format!("{}.spaces.net", id.replace('_', "-").to_lowercase());
    dns.add_alias("garden.org", &target);
    for domain in ["garden.org", "meadow.org"] {
        let body = json!({ "domain": domain });
        client.post("/v1/spaces/garden/domains", Some(&token), body).await;
    }
    client
}

#[tokio::test]
async fn a_certificate_is_made_for_what_is_ours_only() {
    let client = scene(&[]).await;
    let long = "a".repeat(5000);
    #[rustfmt::skip]
    let rows = [
        ("garden.spaces.net",    200),
        ("GARDEN.spaces.net",    200),
        ("garden.spaces.net.",   200),
        ("pond.spaces.net",      200),
        ("app.operator.net",     200),
        ("garden.org",           200),
        ("Garden.Org",           200),
        ("meadow.org",           404), // claimed, not proven
        ("www.garden.org",       404),
        ("marsh.spaces.net",     404), // deleted
        ("shed.spaces.net",      404), // never was
        ("a.garden.spaces.net",  404),
        ("spaces.net",           404),
        ("operator.net",         404),
        ("gardenspaces.net",     404),
        (".spaces.net",          404),
        ("*.spaces.net",         404),
        ("127.0.0.1",            404),
        ("gar%20den.spaces.net", 404),
        ("garden'--.spaces.net", 404),
        ("g%00.spaces.net",      404),
        ("%C3%A4.org",           404),
        (&*long,                 404),
    ];
    for (domain, status) in rows {
        let path = format!("/internal/tls/ask?domain={domain}");
        let answer = client.get(&path, None).await;
        assert_eq!(answer.status, status, "{domain}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{domain}");
    }
    for path in ["/internal/tls/ask", "/internal/tls/ask?domain=", "/internal/tls/ask?name=x"] {
        assert_eq!(client.get(path, None).await.problem(), (400, "invalid-query"), "{path}");
    }
}

#[tokio::test]
async fn proxies_ask_as_often_as_they_like() {
    let client = Client::with(&VARIABLES);
    for _ in 0..20 {
        assert_eq!(client.get("/internal/tls/ask?domain=x.org", None).await.status, 404);
        let answer = client.get("/internal/traefik", None).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.contains_key("ratelimit"));
    }
}

#[tokio::test]
async fn traefik_gets_a_route_for_each_space() {
    let client = scene(&[]).await;
    let router = |rule: &str| {
        json!({
            "entryPoints": ["websecure"],
            "rule": rule,
            "priority": 200,
            "service": "host-host-1",
        })
    };
    let want = json!({ "http": {
        "routers": {
            "domain-garden.org": router("Host(`garden.org`)"),
            "space-garden": router("Host(`garden.spaces.net`)"),
            "space-pond": router("Host(`pond.spaces.net`)"),
        },
        "services": {
            "host-host-1": { "loadBalancer": {
                "servers": [{ "url": "http://127.0.0.1:8080" }],
                "passHostHeader": true,
            } },
        },
    } });
    for path in ["/internal/traefik", "/internal/traefik?host=host-1"] {
        let answer = client.get(path, None).await;
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.body, want, "{path}");
    }
    let path = "/internal/traefik?host=host-1&gateway=http://10.0.0.7:8080";
    let servers =
        |it: &Value| it["http"]["services"]["host-host-1"]["loadBalancer"]["servers"].clone();
    let answer = client.get(path, None).await;
    assert_eq!(servers(&answer.body), json!([{ "url": "http://10.0.0.7:8080" }]));
    #[rustfmt::skip]
    let rows = [
        "gateway=http://10.0.0.7:8080",
        "host=host-1&gateway=10.0.0.7:8080",
        "host=host-1&gateway=ftp://10.0.0.7",
        "host=host-1&gateway=http://10.0.0.7/path",
    ];
    for query in rows {
        let answer = client.get(&format!("/internal/traefik?{query}"), None).await;
        assert_eq!(answer.problem(), (400, "invalid-query"), "{query}");
    }
}

/// Traefik refuses maps that are there and empty, and would keep the routes it had.
#[tokio::test]
async fn no_spaces_are_no_document() {
    let client = Client::with(&VARIABLES);
    assert_eq!(client.get("/internal/traefik", None).await.body, json!({}));
    let client = scene(&[]).await;
    assert_eq!(client.get("/internal/traefik?host=host-2", None).await.body, json!({}));
    // A host that no worker has run on has no gateway.
    let forget = "UPDATE hosts SET gateway_url = NULL";
    client.platform().open().execute(forget, vec![]).await.unwrap();
    assert_eq!(client.get("/internal/traefik", None).await.body, json!({}));
}

#[tokio::test]
async fn each_host_has_a_service_and_its_own_routes() {
    let client = scene(&[]).await;
    let added = client.post("/v1/admin/hosts", Some(ADMIN_KEY), json!({ "name": "host-2" })).await;
    assert_eq!(added.status, 201);
    for statement in [
        "UPDATE hosts SET gateway_url = 'https://two.operator.net' WHERE name = 'host-2'",
        "UPDATE spaces SET host = 'host-2' WHERE name = 'pond'",
    ] {
        client.platform().open().execute(statement, vec![]).await.unwrap();
    }
    let keys = |it: &Value| -> Vec<String> { it.as_object().unwrap().keys().cloned().collect() };
    let all = client.get("/internal/traefik", None).await.body;
    assert_eq!(keys(&all["http"]["services"]), ["host-host-1", "host-host-2"]);
    assert_eq!(all["http"]["routers"]["space-pond"]["service"], "host-host-2");
    let second = client.get("/internal/traefik?host=host-2", None).await.body;
    assert_eq!(keys(&second["http"]["routers"]), ["space-pond"]);
    assert_eq!(keys(&second["http"]["services"]), ["host-host-2"]);
}

#[tokio::test]
async fn the_operator_says_how_traefik_is_set_up() {
    let client = scene(&[
        ("traefik_priority", "7"),
        ("traefik_entrypoints", "web, websecure"),
        ("traefik_cert_resolver", "letsencrypt"),
    ])
    .await;
    let document = client.get("/internal/traefik", None).await.body;
    let want = json!({
        "entryPoints": ["web", "websecure"],
        "rule": "Host(`pond.spaces.net`)",
        "priority": 7,
        "service": "host-host-1",
        "tls": { "certResolver": "letsencrypt" },
    });
    assert_eq!(document["http"]["routers"]["space-pond"], want);
}
