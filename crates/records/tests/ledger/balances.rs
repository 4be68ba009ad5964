//! Giving prepaid money to a space, and reading what has moved.

use ledger::{HoldEnd, Kind};
use records::TopUpError;

use crate::scene::{
    Scene, charge, create, delete, key, payment, seconds, see, space, top_up, wallet,
};

#[tokio::test]
async fn a_space_is_topped_up_from_what_the_wallet_has() {
    let scene = Scene::new().await;
    let records = &scene.records;
    for name in ["a", "b"] {
        create(records, name, 2, None, None).await.unwrap();
    }
    delete(records, "b", 0).await.unwrap();
    scene.pay(&payment(1, 1, 10)).await;
    let (first, other) = (key("k", "b"), key("k", "c"));
    #[rustfmt::skip]
    let rows = [
        // id   space  amount  key             what                              left
        ("t1",  "a",   11,     None,           Err("the wallet's balance is too low"), 10),
        ("t1",  "a",   4,      Some(&first),   Ok("t1"),                         6),
        ("t2",  "a",   4,      Some(&first),   Ok("t1"),                         6),
        ("t3",  "a",   4,      Some(&other),   Err("this Idempotency-Key was used for another request"), 6),
        ("t3",  "b",   4,      None,           Err("the space is gone"),         6),
        ("t3",  "c",   4,      None,           Err("the space is gone"),         6),
        ("t3",  "a",   7,      None,           Err("the wallet's balance is too low"), 6),
        ("t3",  "a",   6,      None,           Ok("t3"),                         0),
        // The first answer is true, whatever there is by now.
        ("t4",  "a",   4,      Some(&first),   Ok("t1"),                         0),
    ];
    for (id, name, amount, key, want, left) in rows {
        let done = top_up(records, name, 1, amount, id, key).await;
        let said = done.as_ref().map(|it| it.body.clone()).map_err(ToString::to_string);
        let want = want.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(said, want, "{id} of {amount}");
        assert_eq!(scene.balance(&wallet(1)).await, (left, 0, 0), "{id} of {amount}");
    }
    assert_eq!(scene.balance(&space("a")).await, (10, 0, 0));
    // A transfer happens once, whoever asks for it.
    scene.pay(&payment(2, 1, 10)).await;
    let again = top_up(records, "a", 1, 6, "t3", None).await;
    assert!(matches!(again, Err(TopUpError::Database(_))), "{again:?}");
    assert_eq!(scene.balance(&wallet(1)).await, (10, 0, 0));
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn lines_tell_what_a_balance_is_made_of() {
    let scene = Scene::new().await;
    let records = &scene.records;
    scene.pay(&payment(1, 1, 20)).await;
    for (name, asked) in [("a", 4), ("b", 5), ("c", 6)] {
        create(records, name, 1, Some(charge(asked, None)), None).await.unwrap();
    }
    top_up(records, "a", 1, 3, "given", None).await.unwrap();
    see(records, 1, "a", domain::ObservedState::Ready).await;
    delete(records, "b", 0).await.unwrap();
    records.expire_holds(seconds(60)).await.unwrap();
    delete(records, "a", 2).await.unwrap();

    let (voided, expired) = (Some(HoldEnd::Voided), Some(HoldEnd::Expired));
    #[rustfmt::skip]
    let want = [
        // Newest first. A hold that was posted has its line from when it began.
        (Kind::Refund,     None,    5),
        (Kind::FirstMonth, expired, 6),
        (Kind::FirstMonth, voided,  5),
        (Kind::TopUp,      None,    -3),
        (Kind::FirstMonth, None,    -6),
        (Kind::FirstMonth, None,    -5),
        (Kind::FirstMonth, None,    -4),
        (Kind::Payment,    None,    20),
    ];
    let account = wallet(1);
    let line = |it: &records::Entry| {
        let amount = i64::try_from(it.amount.micros()).unwrap();
        assert_ne!(it.credit == account, it.debit == account);
        (it.kind, it.outcome, if it.credit == account { amount } else { -amount })
    };
    let entries = records.entries(&account, None, 100).await.unwrap();
    assert_eq!(entries.iter().map(line).collect::<Vec<_>>(), want);
    assert_eq!(scene.balance(&account).await, (18, 0, 0));

    // Page by page it is the same.
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = records.entries(&account, before, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        paged.extend(page);
    }
    assert_eq!(paged, entries);
}
