//! A space's way from its balance to its end.

use std::time::Duration;

use billing::{DunningPolicy, Rates};
use domain::ObservedState;
use records::Contact;

use crate::scene::{
    START, Scene, address, create, micros, payment, seconds, see, space_id, top_up,
};

/// What a space costs a day in November.
const DAY_MICROS: u64 = 1_000_000;

const POLICY: DunningPolicy =
    DunningPolicy { grace: Duration::from_hours(72), retention: Duration::from_hours(720) };

/// A space that runs and has money for ten days.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    let records = &scene.records;
    let rates = Rates { base_month: micros(30 * DAY_MICROS), ..Rates::FREE };
    records.note_price(&rates, seconds(1)).await.unwrap();
    scene.pay(&payment(1, 1, 60 * DAY_MICROS)).await;
    create(records, "one", 1, None, None).await.unwrap();
    top_up(records, "one", 1, 10 * DAY_MICROS, "top-up:1", None).await.unwrap();
    let contact = Contact { webhook: None, email: Some("one@example.org".to_owned()) };
    records.set_contact(&address(1), &contact, START).await.unwrap();
    see(records, 1, "one", ObservedState::Ready).await;
    scene
}

/// Does each hour, twice, what is done each hour.
async fn pass(scene: &Scene, from_day: u64, to_day: u64) {
    for hour in from_day * 24..to_day * 24 {
        for _ in 0..2 {
            scene.records.accrue_due(seconds(hour * 3600), 10).await.unwrap();
            scene.records.mind_money(&POLICY, seconds(hour * 3600)).await.unwrap();
        }
    }
}

/// What the space's owners were told, and on which day of its life.
async fn told(scene: &Scene) -> Vec<(String, i64)> {
    const KINDS: [&str; 6] = [
        "balance-low",
        "balance-used-up",
        "suspended",
        "resumed",
        "deletion-near",
        "deleted-unpaid",
    ];
    let events = scene.records.events(&space_id("one"), 0, 1000).await.unwrap();
    let events = events.into_iter().filter(|it| KINDS.contains(&it.kind.as_str()));
    events.map(|it| (it.kind, (it.at.unix_s() - START.unix_s()) / 86_400)).collect()
}

fn days(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(kind, day)| ((*kind).to_owned(), *day)).collect()
}

#[tokio::test]
async fn a_space_that_nobody_pays_is_warned_suspended_and_deleted() {
    let scene = scene().await;
    pass(&scene, 0, 60).await;
    let want = days(&[
        ("balance-low", 3),
        ("balance-low", 7),
        ("balance-low", 9),
        ("balance-used-up", 10),
        ("suspended", 13),
        ("deletion-near", 36),
        ("deletion-near", 42),
        ("deleted-unpaid", 43),
    ]);
    assert_eq!(told(&scene).await, want);
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn a_payment_of_what_is_owed_has_a_suspended_space_run_again() {
    let scene = scene().await;
    pass(&scene, 0, 20).await;
    // Three days of grace are owed, less a part of a day is not enough.
    top_up(&scene.records, "one", 1, 2 * DAY_MICROS, "top-up:2", None).await.unwrap();
    pass(&scene, 20, 21).await;
    assert_eq!(told(&scene).await.last(), days(&[("suspended", 13)]).last());
    top_up(&scene.records, "one", 1, 20 * DAY_MICROS, "top-up:3", None).await.unwrap();
    pass(&scene, 21, 22).await;
    assert_eq!(told(&scene).await.last(), days(&[("resumed", 21)]).last());
    assert!(scene.is_balanced().await);
}
