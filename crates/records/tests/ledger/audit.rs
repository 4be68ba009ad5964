//! The audit finds what the schema lets somebody break.

use records::{Audit, BadAccount, News};
use x402::PaymentEvent;

use crate::scene::{
    LEASE, Scene, charge, create, delete, hash, outside, payment, seconds, space, space_id, top_up,
    wallet,
};

/// Wallet 1 has 6, and 4 are held for the space `a` until second 60. Wallet 2 gave 2 of its 3 to the
/// space `b`. The space `c` is gone. Payment 3 is settled by nobody yet.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    let records = &scene.records;
    scene.pay(&payment(1, 1, 10)).await;
    scene.pay(&payment(2, 2, 3)).await;
    create(records, "a", 1, Some(charge(4, None)), None).await.unwrap();
    for name in ["b", "c"] {
        create(records, name, 1, None, None).await.unwrap();
    }
    top_up(records, "b", 2, 2, "t", None).await.unwrap();
    delete(records, "c", 0).await.unwrap();
    records.claim_payment(&payment(3, 1, 10), seconds(0), LEASE).await.unwrap();
    scene
}

fn is_only(audit: &Audit, found: Audit) -> bool {
    let unresolved_payments = audit.unresolved_payments.clone();
    *audit == Audit { unresolved_payments, ..found }
}

#[tokio::test]
async fn books_that_nobody_touched_are_in_order() {
    let scene = scene().await;
    assert_eq!(scene.records.audit(seconds(59)).await.unwrap(), Audit::default());
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_found() {
    let bad = |account: &ledger::Account, kept, sum| Audit {
        bad_accounts: vec![BadAccount { account: account.to_string(), kept, sum }],
        ..Audit::default()
    };
    let set = |what: &str, account: &ledger::Account| {
        format!("UPDATE accounts SET {what} WHERE account = '{account}'")
    };
    let third = payment(3, 1, 10).id;
    let uncredited = format!(
        "UPDATE payments SET state = 'settled', settled_at = 1, lease_until = NULL, \
         transaction_hash = '{}' WHERE id = '{third}'",
        hash(9)
    );
    let given = |account: &ledger::Account| {
        format!(
            "INSERT INTO transfers (id, debit, credit, amount, kind, at) \
             VALUES ('u', '{}', '{account}', 1, 'top-up', 1)",
            wallet(1)
        )
    };
    let orphaned = |account: &ledger::Account| Audit {
        orphaned_money: vec![account.to_string()],
        ..Audit::default()
    };
    #[rustfmt::skip]
    let rows = [
        // what                        done by                              found
        ("money made",                 set("credits = credits + 1", &wallet(1)),    bad(&wallet(1), 7, 6)),
        ("money lost",                 set("debits = debits + 1", &space("b")),     bad(&space("b"), 1, 2)),
        ("money on its way made",      set("incoming = incoming + 1", &space("a")), bad(&space("a"), 5, 4)),
        ("less held",                  set("held = held - 1", &wallet(1)),          bad(&wallet(1), 7, 6)),
        ("the outside altered",        set("debits = debits - 1", &outside()),      bad(&outside(), -12, -13)),
        ("an account forgotten",       format!("DELETE FROM accounts WHERE account = '{}'", wallet(1)), bad(&wallet(1), 0, 6)),
        ("an account of nowhere",      format!("INSERT INTO accounts (account, credits) VALUES ('{}', 5)", wallet(3)), bad(&wallet(3), 5, 0)),
        ("settled and not credited",   uncredited, Audit { bad_credits: vec![third.to_string()], ..Audit::default() }),
        ("money on a space that is gone", given(&space("c")),                       orphaned(&space("c"))),
        ("money on a space that never was", given(&space("x")),                     orphaned(&space("x"))),
    ];
    for (what, statement, want) in rows {
        let scene = scene().await;
        scene.run(&statement).await;
        let audit = scene.records.audit(seconds(59)).await.unwrap();
        assert_eq!(audit, want, "{what}");
        assert!(!audit.is_balanced(), "{what}");
    }
}

#[tokio::test]
async fn a_space_without_an_owner_is_found() {
    let scene = scene().await;
    let id = space_id("d");
    scene
        .run(&format!(
            "INSERT INTO spaces (id, name, title, app, settings, owner, host, memory_mib, \
             desired, generation, phase, change_seq, created_at, updated_at) \
             SELECT '{id}', 'nobodys', title, app, settings, owner, host, memory_mib, \
             desired, generation, phase, change_seq, created_at, updated_at FROM spaces \
             WHERE id = '{}'",
            space_id("a")
        ))
        .await;
    let audit = scene.records.audit(seconds(59)).await.unwrap();
    assert!(is_only(&audit, Audit { ownerless_spaces: vec![id], ..Audit::default() }), "{audit:?}");
    assert!(audit.is_balanced(), "no money is wrong");
}

#[tokio::test]
async fn what_waits_too_long_is_found() {
    let scene = scene().await;
    let (held, third) = (format!("first-month:{}", space_id("a")), payment(3, 1, 10).id);
    #[rustfmt::skip]
    let rows = [
        // second  unresolved  overdue: ten minutes after it could have ended
        (59,       false,      false),
        (60,       true,       false),
        (660,      true,       false),
        (661,      true,       true),
    ];
    for (second, is_unresolved, is_overdue) in rows {
        let audit = scene.records.audit(seconds(second)).await.unwrap();
        let unresolved: Vec<_> = audit.unresolved_payments.iter().map(|it| it.payment.id).collect();
        assert_eq!(unresolved, Vec::from_iter(is_unresolved.then_some(third)), "{second}");
        assert_eq!(
            audit.overdue_holds,
            Vec::from_iter(is_overdue.then_some(held.clone())),
            "{second}"
        );
        // Not knowing is no fault of the books.
        assert_eq!(audit.is_balanced(), !is_overdue, "{second}");
    }
    let news = News { event: PaymentEvent::OutcomeUnknown, reason: "", transaction: None };
    scene.records.note_payment(&third, news, seconds(5)).await.unwrap();
    scene.records.postpone_payment(&third, Some(seconds(1000))).await.unwrap();
    scene.records.expire_holds(seconds(661)).await.unwrap();
    let audit = scene.records.audit(seconds(661)).await.unwrap();
    assert_eq!(audit.unresolved_payments.len(), 1, "nobody knows, whenever it is looked into");
    assert!(is_only(&audit, Audit::default()), "{audit:?}");
    let news = News { event: PaymentEvent::ChainExpired, reason: "late", transaction: None };
    scene.records.note_payment(&third, news, seconds(661)).await.unwrap();
    assert_eq!(scene.records.audit(seconds(661)).await.unwrap(), Audit::default());
}
