//! Where a wallet wants to be told what happens to its spaces.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestPlatform, TestWallet};

const PATH: &str = "/v1/wallet/contact";

async fn put(client: &Client, token: &str, body: Value) -> Answer {
    client.call(Method::PUT, PATH, Some(token), Some(body)).await
}

#[tokio::test]
async fn it_is_set_shown_replaced_and_removed_and_its_secret_shown_once() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    let nothing = json!({ "webhook_url": null, "email": null });
    assert_eq!(client.get(PATH, Some(&token)).await.body, nothing);

    let hook = "https://hooks.example/spaceport?of=garden";
    let both = json!({ "webhook_url": hook, "email": "treasurer@garden.example" });
    let set = put(&client, &token, both.clone()).await;
    assert_eq!(
        (set.status.as_u16(), &set.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    let secret = set.text("webhook_secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    assert_eq!(client.get(PATH, Some(&token)).await.body, both);
    let again = put(&client, &token, both).await;
    assert_ne!(again.text("webhook_secret"), secret);

    let mail = json!({ "email": "treasurer@garden.example" });
    let set = put(&client, &token, mail).await;
    let want = json!({ "webhook_url": null, "email": "treasurer@garden.example" });
    assert_eq!((&set.body, &client.get(PATH, Some(&token)).await.body), (&want, &want));

    let other = client.sign_in(&TestWallet::new(2)).await;
    assert_eq!(client.get(PATH, Some(&other)).await.body, nothing);
    for _ in 0..2 {
        let removed = client.call(Method::DELETE, PATH, Some(&token), None).await;
        assert_eq!(removed.status, 204);
        assert_eq!(client.get(PATH, Some(&token)).await.body, nothing);
    }
}

#[tokio::test]
async fn what_is_no_contact_changes_nothing() {
    let site = [("public_url", "http://edge.example"), ("base_domain", "edge.example")];
    let client = Client::on(Arc::new(TestPlatform::default()), &site);
    let token = client.sign_in(&TestWallet::new(1)).await;
    let kept = json!({ "webhook_url": "https://hooks.example/", "email": null });
    put(&client, &token, json!({ "webhook_url": "https://hooks.example/" })).await;
    let long = format!("https://hooks.example/{}", "a".repeat(2000));
    #[rustfmt::skip]
    let rows = [
        (json!({}),                                                "invalid-contact"),
        (json!({ "email": null }),                                 "invalid-contact"),
        (json!({ "email": "" }),                                   "invalid-contact"),
        (json!({ "email": "a@b.example, c@d.example" }),           "invalid-contact"),
        (json!({ "email": "a@b.example\r\nBcc: c@d.example" }),    "invalid-contact"),
        (json!({ "webhook_url": "" }),                             "invalid-contact"),
        (json!({ "webhook_url": "http://hooks.example/" }),        "invalid-contact"),
        (json!({ "webhook_url": "ftp://hooks.example/" }),         "invalid-contact"),
        (json!({ "webhook_url": "//hooks.example/" }),             "invalid-contact"),
        (json!({ "webhook_url": "/hooks" }),                       "invalid-contact"),
        (json!({ "webhook_url": "https://a:b@hooks.example/" }),   "invalid-contact"),
        (json!({ "webhook_url": "https://hooks.example/ x" }),     "invalid-contact"),
        (json!({ "webhook_url": "https://hooks.example/#x" }),     "invalid-contact"),
        (json!({ "webhook_url": long }),                           "invalid-contact"),
        (json!({ "webhook_url": "https://hooks.example/", "email": "x" }), "invalid-contact"),
        (json!({ "webhook_url": 5 }),                              "invalid-body"),
        (json!({ "phone": "1" }),                                  "unknown-field"),
    ];
    for (body, code) in rows {
        let answer = put(&client, &token, body.clone()).await;
        assert_eq!(answer.problem(), (400, code), "{body}");
        assert_eq!(client.get(PATH, Some(&token)).await.body, kept, "{body}");
    }
}

#[tokio::test]
async fn only_its_wallet_reads_and_writes_it() {
    let client = Client::default();
    let token = client.sign_in(&TestWallet::new(1)).await;
    let reads = client.make_key(&token, "spaces:read").await;
    let writes = client.make_key(&token, "spaces:write").await;
    let body = json!({ "email": "treasurer@garden.example" });
    #[rustfmt::skip]
    let rows = [
        (None,          Method::GET,    401),
        (None,          Method::PUT,    401),
        (None,          Method::DELETE, 401),
        (Some(&reads),  Method::PUT,    403),
        (Some(&reads),  Method::DELETE, 403),
        (Some(&writes), Method::GET,    403),
        (Some(&writes), Method::PUT,    200),
        (Some(&reads),  Method::GET,    200),
    ];
    for (bearer, method, want) in rows {
        let body = (method == Method::PUT).then(|| body.clone());
        let answer = client.call(method.clone(), PATH, bearer.map(String::as_str), body).await;
        assert_eq!(answer.status, want, "{method} {bearer:?}");
    }
}
