//! The way to the credentials of a space's first admin.

use evm::Network as _;
use fleet::{Ticket, TicketKind};
use serde_json::{Value, json};
use testkit::{Client, TestWallet};

/// The particulars of the events of this kind.
async fn reads(client: &Client, session: &str, space: &str) -> Vec<(String, Value)> {
    let events = client.get(&format!("/v1/spaces/{space}/events"), Some(session)).await;
    let items = events.body["items"].as_array().unwrap().clone();
    let reads = items.into_iter().filter(|it| it["kind"] == "credentials-read");
    reads.map(|it| (it["actor"].as_str().unwrap().to_owned(), it["detail"].clone())).collect()
}

#[tokio::test]
async fn credentials_are_at_the_hosts_gateway_and_each_look_is_an_event() {
    let client = Client::default();
    client.add_host("host-1", 1024).await;
    let wallet = TestWallet::new(1);
    let session = client.sign_in(&wallet).await;
    let id = client.create(&session, "garden").await;
    let writer = client.make_key(&session, "spaces:write").await;

    let paths = [format!("/v1/spaces/{id}/credentials"), "/v1/spaces/garden/credentials".into()];
    for (path, caller) in paths.iter().zip([&session, &writer]) {
        let answer = client.get(path, Some(caller)).await;
        assert_eq!(answer.status, 307, "{}", answer.body);
        assert_eq!(answer.headers["cache-control"], "no-store");
        let location = answer.headers["location"].to_str().unwrap();
        let gateway = "http://127.0.0.1:8080/_spaceport/v1/credentials?ticket=";
        let ticket = location.strip_prefix(gateway).expect(location);
        let key = client.edge().config.keys.ticket_key("host-1");
        let ticket = Ticket::verify(ticket, &key, client.platform().now()).unwrap();
        assert_eq!((ticket.space.to_string(), ticket.kind), (id.clone(), TicketKind::Credentials));
        assert_eq!(ticket.until.since(client.platform().now()).as_secs(), 60);
    }
    let by_owner = (wallet.wallet.to_string(), json!({}));
    assert_eq!(reads(&client, &session, &id).await, [by_owner.clone(), by_owner]);
}

#[tokio::test]
async fn only_an_owner_who_may_change_the_space_is_shown_the_way() {
    let client = Client::default();
    client.add_host("host-1", 1024).await;
    let session = client.sign_in(&TestWallet::new(1)).await;
    let id = client.create(&session, "garden").await;
    let reader = client.make_key(&session, "spaces:read").await;
    let stranger = client.sign_in(&TestWallet::new(2)).await;
    let path = format!("/v1/spaces/{id}/credentials");
    #[rustfmt::skip]
    let rows = [
        (path.as_str(),                     Some(&stranger), 404, "space-not-found"),
        (path.as_str(),                     None,            401, "unauthenticated"),
        (path.as_str(),                     Some(&reader),   403, "insufficient-scope"),
        ("/v1/spaces/meadow/credentials",   Some(&session),  404, "space-not-found"),
    ];
    for (path, caller, status, code) in rows {
        let answer = client.get(path, caller.map(String::as_str)).await;
        assert_eq!(answer.problem(), (status, code), "{path}");
    }
    let made = client.post(&path, Some(&session), Value::Null).await;
    assert_eq!(made.problem(), (405, "method-not-allowed"));
    assert_eq!(reads(&client, &session, &id).await, []);

    // A space that goes takes them along.
    client.call(http::Method::DELETE, &format!("/v1/spaces/{id}"), Some(&session), None).await;
    let answer = client.get(&path, Some(&session)).await;
    assert_eq!(answer.problem(), (404, "space-not-found"));
}

#[tokio::test]
async fn looks_are_counted_as_nothing_else_below_a_space() {
    let client = Client::with(&[("rate_general_per_min", "10")]);
    client.add_host("host-1", 1024).await;
    let session = client.sign_in(&TestWallet::new(1)).await;
    let id = client.create(&session, "garden").await;
    let counted = |path: String| {
        let (client, session) = (&client, &session);
        async move { client.get(&path, Some(session)).await.headers.contains_key("ratelimit") }
    };
    assert!(counted(format!("/v1/spaces/{id}/credentials")).await);
    assert!(!counted(format!("/v1/spaces/{id}/logs")).await);
}
