//! Each planted fault is found, alone, and nothing is found where there is none.

use domain::{ObservedState, Timestamp};
use fleet::{Inventory, InventoryItem, Reading};
use records::{Audit, Wish};

use crate::scene::{LEASE, START, Scene, create, payment, seconds, see, space_id, top_up, want};

/// A day after the month in which the scene plays was closed.
fn later() -> Timestamp {
    seconds(1_200_000)
}

fn inventory(taken_at: Timestamp, names: &[&str]) -> Inventory {
    let items = names.iter().map(|name| InventoryItem {
        space: space_id(name),
        n_containers: 1,
        n_running: 1,
        n_volumes: 1,
        n_networks: 1,
        n_volumes_wanted: Some(1),
    });
    Inventory { taken_at, items: items.collect(), is_last: true }
}

fn reading(id: &str, from: Timestamp, posts: u64) -> Reading {
    Reading {
        id: id.to_owned(),
        space: space_id("one"),
        from,
        to: from,
        seconds: 900,
        running_seconds: 900,
        hibernated_seconds: 0,
        cpu_ms: 7,
        memory_mib_seconds: 8,
        network_rx_bytes: 9,
        network_tx_bytes: 10,
        disk_read_bytes: 11,
        disk_write_bytes: 12,
        storage_kib: 13,
        posts,
    }
}

/// A space that ran, was charged in two months, and has an invoice of the first.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    let records = &scene.records;
    scene.pay(&payment(1, 1, 1000)).await;
    create(records, "one", 1, None, None).await.unwrap();
    top_up(records, "one", 1, 500, "top-up:1", None).await.unwrap();
    see(records, 1, "one", ObservedState::Ready).await;
    records.take_inventory("host-1", &inventory(seconds(60), &["one"]), seconds(60)).await.unwrap();
    let first = [reading("r-1", START, 20)];
    assert!(records.take_readings("host-1", &first, seconds(1000)).await.unwrap().is_empty());
    records.accrue_due(seconds(8000), 10).await.unwrap();
    assert_eq!(records.close_months(later(), 10).await.unwrap(), 1);
    let second = [reading("r-2", seconds(1_199_000), 30)];
    assert!(records.take_readings("host-1", &second, later()).await.unwrap().is_empty());
    records.accrue_due(seconds(1_210_000), 10).await.unwrap();
    scene.run("UPDATE hosts SET seen_at = 3000000000000").await;
    scene
}

/// The kinds of what was found, and how many there are of each.
fn found(audit: &Audit) -> Vec<(&'static str, usize)> {
    let all = [
        ("account", audit.bad_accounts.len()),
        ("credit", audit.bad_credits.len()),
        ("ownerless", audit.ownerless_spaces.len()),
        ("orphaned", audit.orphaned_money.len()),
        ("hold", audit.overdue_holds.len()),
        ("hour", audit.usage.bad_hours.len()),
        ("line", audit.usage.bad_lines.len()),
        ("charge", audit.usage.bad_charges.len()),
        ("invoice", audit.usage.bad_invoices.len()),
        ("period", audit.usage.bad_periods.len()),
        ("stray", audit.hosts.strays.len()),
        ("stack", audit.hosts.missing_stacks.len()),
        ("volume", audit.hosts.missing_volumes.len()),
        ("stuck", audit.hosts.stuck_spaces.len()),
        ("silent", audit.hosts.silent_hosts.len()),
        ("payment", audit.unresolved_payments.len()),
    ];
    all.into_iter().filter(|it| it.1 != 0).collect()
}

#[tokio::test]
async fn a_scene_without_faults_is_clean() {
    let scene = scene().await;
    let audit = scene.records.audit(seconds(1_210_000)).await.unwrap();
    assert_eq!(found(&audit), []);
    assert!(audit.is_clean());
}

#[tokio::test]
async fn each_planted_fault_is_found_alone() {
    const LINES: &str = "DROP TRIGGER lines_only_grow; DROP TRIGGER lines_of_an_invoice_stay; ";
    let lines = |change: &str| {
        format!("{LINES}UPDATE lines SET {change} WHERE month = '2026-11' AND meter = 'posts'")
    };
    let hours =
        |column: &str| format!("UPDATE usage_hours SET {column} = {column} - 1 WHERE posts = 20");
    #[rustfmt::skip]
    let rows = [
        ("INSERT INTO inventories VALUES ('host-1', 'ghost', 1, 1, 1, 1, 1, NULL)".to_owned(), "stray", 1),
        ("UPDATE inventories SET containers = 0, running = 0".to_owned(), "stack", 1),
        ("UPDATE inventories SET volumes = 0".to_owned(), "volume", 1),
        // Both ends of it.
        ("DROP TRIGGER transfers_are_not_changed; UPDATE transfers SET amount = amount + 1 \
          WHERE kind = 'top-up'".to_owned(), "account", 2),
        ("DROP TRIGGER invoices_are_not_changed; UPDATE invoices SET total = total + 1".to_owned(), "invoice", 1),
        (lines("quantity = quantity + 1"), "line", 1),
        (lines("charged = charged - 1"), "charge", 1),
        (hours("posts"), "hour", 1),
        (hours("seconds"), "hour", 1),
        (hours("running_seconds"), "hour", 1),
        (hours("hibernated_seconds"), "hour", 1),
        (hours("cpu_ms"), "hour", 1),
        (hours("memory_mib_seconds"), "hour", 1),
        (hours("network_rx_bytes"), "hour", 1),
        (hours("network_tx_bytes"), "hour", 1),
        (hours("disk_read_bytes"), "hour", 1),
        (hours("disk_write_bytes"), "hour", 1),
        (hours("storage_kib_s"), "hour", 1),
        ("UPDATE spaces SET phase = 'suspended'".to_owned(), "period", 1),
        ("UPDATE spaces SET phase = 'waking'".to_owned(), "stuck", 1),
        ("UPDATE spaces SET generation = generation + 1, desired = 'deleted', phase = 'deleted', deleted_at = 3000000000000; \
          UPDATE periods SET to_s = 3000000000 WHERE to_s IS NULL".to_owned(), "orphaned", 1),
        ("UPDATE hosts SET seen_at = 0".to_owned(), "silent", 1),
        ("DROP TRIGGER the_last_owner_stays; DROP TRIGGER the_last_owner_stays_owner; DELETE FROM members".to_owned(), "ownerless", 1),
    ];
    for (fault, kind, n) in rows {
        let scene = scene().await;
        for statement in fault.split("; ") {
            scene.run(statement).await;
        }
        let audit = scene.records.audit(seconds(1_210_000)).await.unwrap();
        assert_eq!(found(&audit), [(kind, n)], "{fault}");
        assert!(!audit.is_clean());
    }
}

#[tokio::test]
async fn a_payment_without_an_end_and_one_without_a_credit_are_found() {
    let scene = scene().await;
    scene.records.claim_payment(&payment(2, 1, 5), START, LEASE).await.unwrap();
    let audit = scene.records.audit(seconds(1_210_000)).await.unwrap();
    assert_eq!(found(&audit), [("payment", 1)]);
    let id = payment(2, 1, 5).id.to_string();
    scene
        .run(&format!(
            "UPDATE payments SET state = 'settled', lease_until = NULL, settled_at = 1, \
        transaction_hash = '0x{:064x}' WHERE id = '{id}'",
            2
        ))
        .await;
    let audit = scene.records.audit(seconds(1_210_000)).await.unwrap();
    assert_eq!(found(&audit), [("credit", 1)]);
    assert_eq!(audit.bad_credits, [id]);
}

#[tokio::test]
async fn what_was_looked_at_before_a_space_ran_says_nothing_of_it() {
    let scene = Scene::new().await;
    let records = &scene.records;
    create(records, "one", 1, None, None).await.unwrap();
    // The worker looks, the space runs, and only then does the edge hear of the look.
    let before = Timestamp::from_unix_ms(START.unix_ms() - 1000);
    see(records, 1, "one", ObservedState::Ready).await;
    records.take_inventory("host-1", &inventory(before, &[]), seconds(5)).await.unwrap();
    assert_eq!(found(&records.audit(seconds(10)).await.unwrap()), []);
    // A look after it does say something.
    records.take_inventory("host-1", &inventory(seconds(20), &[]), seconds(21)).await.unwrap();
    assert_eq!(found(&records.audit(seconds(30)).await.unwrap()), [("stack", 1)]);
}

#[tokio::test]
async fn what_was_looked_at_before_a_space_was_deleted_says_nothing_of_it() {
    let scene = Scene::new().await;
    let records = &scene.records;
    create(records, "one", 1, None, None).await.unwrap();
    see(records, 1, "one", ObservedState::Ready).await;
    let before = Timestamp::from_unix_ms(START.unix_ms() - 1000);
    want(records, "one", Wish::Delete).await.unwrap();
    see(records, 1, "one", ObservedState::Gone).await;
    records.take_inventory("host-1", &inventory(before, &["one"]), seconds(5)).await.unwrap();
    assert_eq!(found(&records.audit(seconds(10)).await.unwrap()), []);
    records.take_inventory("host-1", &inventory(seconds(20), &["one"]), seconds(21)).await.unwrap();
    assert_eq!(found(&records.audit(seconds(30)).await.unwrap()), [("stray", 1)]);
}
