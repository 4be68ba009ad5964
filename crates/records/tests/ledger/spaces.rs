//! What a space costs, from its first month to what is given back.

use domain::{
    Desired,
    ObservedState::{self, Converging, Failed, Ready},
};
use ledger::Account;
use records::{Answer, Charge, CreateError, Wish};

use crate::scene::{
    Scene, charge, create, delete, find, key, micros, payment, seconds, see, space, top_up, wallet,
    want,
};

#[tokio::test]
async fn a_first_month_is_held_if_there_is_enough() {
    #[rustfmt::skip]
    let rows = [
        // balance  asked  honoured   held
        (10,        10,    None,      Ok(10)),
        (9,         10,    None,      Err(9)),
        (0,         10,    None,      Err(0)),
        (0,         0,     None,      Ok(0)),
        // The dearer of those that the balance covers.
        (9,         10,    Some(9),   Ok(9)),
        (8,         10,    Some(9),   Err(8)),
        (10,        9,     Some(10),  Ok(10)),
        (10,        10,    Some(9),   Ok(10)),
    ];
    for (balance, asked, honoured, want) in rows {
        let what = format!("{asked} or {honoured:?} of {balance}");
        let scene = Scene::new().await;
        if balance != 0 {
            scene.pay(&payment(1, 1, balance)).await;
        }
        let made = create(&scene.records, "a", 1, Some(charge(asked, honoured)), None).await;
        match made {
            Ok(Answer { body, .. }) => {
                assert_eq!(Ok(body), want.map(|it| micros(it).to_string()), "{what}");
            }
            Err(CreateError::NotEnough(left)) => assert_eq!(Err(left.micros()), want, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
        let held = want.unwrap_or(0);
        assert_eq!(scene.balance(&wallet(1)).await, (balance - held, held, 0), "{what}");
        assert_eq!(scene.balance(&space("a")).await, (0, 0, held), "{what}");
        assert!(scene.is_balanced().await, "{what}");
    }
}

#[tokio::test]
async fn what_is_not_made_is_not_paid_for() {
    let scene = Scene::new().await;
    scene.pay(&payment(1, 1, 10)).await;
    let create = async |name, charge, key| create(&scene.records, name, 1, charge, key).await;
    let (repeated, reused, other) = (key("k", "b"), key("k", "c"), key("l", "d"));
    let first = create("a", Some(charge(4, None)), Some(&repeated)).await.unwrap();
    // The same request again, another under its key, and another space that is too dear.
    let again = create("a", Some(charge(4, None)), Some(&repeated)).await.unwrap();
    assert_eq!(again, first);
    let reused = create("b", Some(charge(4, None)), Some(&reused)).await;
    assert!(matches!(reused, Err(CreateError::KeyReused(_))), "{reused:?}");
    let taken = create("a", Some(charge(4, None)), None).await;
    assert!(matches!(taken, Err(CreateError::NameTaken)), "{taken:?}");
    let dear = create("b", Some(charge(7, None)), Some(&other)).await;
    assert!(matches!(dear, Err(CreateError::NotEnough(left)) if left == micros(6)), "{dear:?}");
    assert_eq!(scene.balance(&wallet(1)).await, (6, 4, 0));
    // Whoever pays then gets the space with the request that was refused.
    scene.pay(&payment(2, 1, 1)).await;
    create("b", Some(charge(7, None)), Some(&other)).await.unwrap();
    assert_eq!(scene.balance(&wallet(1)).await, (0, 11, 0));
}

/// What may happen to a space of wallet 1, which has 10 and of which 4 are held for it.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The host sees it so.
    Seen(ObservedState),
    /// It has published so many posts, and its owner wants it deleted.
    Deleted(u64),
    /// Its owner wants it made anew.
    Restarted,
    /// The job that ends holds runs at this second. They expire at 60.
    Looked(u64),
    /// Wallet 2 gives it so much.
    Given(u64),
}
use Event::{Deleted, Given, Looked, Restarted, Seen};

/// What happens; and then what the wallet has available and held, what the space has available and
/// incoming, and what was earned.
type Row = (&'static [Event], (u64, u64), (u64, u64), u64);

#[tokio::test]
async fn a_first_month_is_paid_once_it_has_run_and_else_given_back() {
    #[rustfmt::skip]
    let rows: &[Row] = &[
        (&[],                                           (6, 4),  (0, 4), 0),
        (&[Seen(Converging)],                           (6, 4),  (0, 4), 0),
        (&[Seen(Failed)],                               (6, 4),  (0, 4), 0),
        (&[Restarted],                                  (6, 4),  (0, 4), 0),
        (&[Seen(Ready)],                                (6, 0),  (4, 0), 0),
        (&[Seen(Failed), Seen(Ready)],                  (6, 0),  (4, 0), 0),
        (&[Seen(Failed), Restarted, Seen(Ready)],       (6, 0),  (4, 0), 0),
        (&[Seen(Ready), Seen(Ready)],                   (6, 0),  (4, 0), 0),
        (&[Seen(Ready), Seen(Failed), Seen(Ready)],     (6, 0),  (4, 0), 0),
        (&[Seen(Ready), Restarted, Seen(Ready)],        (6, 0),  (4, 0), 0),
        (&[Seen(Ready), Looked(1000)],                  (6, 0),  (4, 0), 0),
        (&[Looked(59)],                                 (6, 4),  (0, 4), 0),
        // It is given up with its hold, and does not run for nothing.
        (&[Looked(60)],                                 (10, 0), (0, 0), 0),
        (&[Looked(60), Looked(61)],                     (10, 0), (0, 0), 0),
        (&[Looked(60), Seen(Ready)],                    (10, 0), (0, 0), 0),
        (&[Seen(Failed), Looked(60)],                   (10, 0), (0, 0), 0),
        // As long as nobody has looked, it is not too late.
        (&[Looked(59), Seen(Ready)],                    (6, 0),  (4, 0), 0),
        (&[Deleted(0)],                                 (10, 0), (0, 0), 0),
        (&[Deleted(0), Looked(60)],                     (10, 0), (0, 0), 0),
        (&[Deleted(0), Deleted(0)],                     (10, 0), (0, 0), 0),
        (&[Looked(60), Deleted(0)],                     (10, 0), (0, 0), 0),
        // What it has cost is paid out of what it has, and no more.
        (&[Deleted(1)],                                 (10, 0), (0, 0), 0),
        (&[Seen(Ready), Deleted(0)],                    (10, 0), (0, 0), 0),
        (&[Seen(Ready), Deleted(1)],                    (9, 0),  (0, 0), 1),
        (&[Seen(Ready), Deleted(4)],                    (6, 0),  (0, 0), 4),
        (&[Seen(Ready), Deleted(5)],                    (6, 0),  (0, 0), 4),
        (&[Seen(Ready), Deleted(1), Deleted(2)],        (9, 0),  (0, 0), 1),
        // What others gave for it is the owner's in the end.
        (&[Given(3)],                                   (6, 4),  (3, 4), 0),
        (&[Given(3), Seen(Ready)],                      (6, 0),  (7, 0), 0),
        (&[Given(3), Looked(60)],                       (13, 0), (0, 0), 0),
        (&[Given(3), Deleted(0)],                       (13, 0), (0, 0), 0),
        (&[Given(3), Deleted(2)],                       (11, 0), (0, 0), 2),
        (&[Seen(Ready), Given(3), Deleted(5)],          (8, 0),  (0, 0), 5),
    ];
    for (events, (available, held), (of_space, incoming), earned) in rows {
        let scene = Scene::new().await;
        let records = &scene.records;
        scene.pay(&payment(1, 1, 10)).await;
        scene.pay(&payment(2, 2, 3)).await;
        create(records, "a", 1, Some(charge(4, None)), None).await.unwrap();
        for event in *events {
            match *event {
                Seen(state) => see(records, 1, "a", state).await,
                Deleted(used) => drop(delete(records, "a", used).await.unwrap()),
                Restarted => drop(want(records, "a", Wish::Restart).await.unwrap()),
                Looked(second) => drop(records.expire_holds(seconds(second)).await.unwrap()),
                Given(amount) => drop(top_up(records, "a", 2, amount, "t", None).await.unwrap()),
            }
        }
        assert_eq!(scene.balance(&wallet(1)).await, (*available, *held, 0), "{events:?}");
        assert_eq!(scene.balance(&space("a")).await, (*of_space, 0, *incoming), "{events:?}");
        assert_eq!(scene.balance(&Account::Revenue).await, (*earned, 0, 0), "{events:?}");
        let found = find(records, 1, "a").await;
        assert_eq!(found.balance.micros(), of_space + incoming, "{events:?}");
        let is_gone = events.iter().any(|it| matches!(it, Deleted(_) | Looked(60)));
        assert_eq!(found.desired == Desired::Deleted, is_gone, "{events:?}");
        assert!(scene.is_balanced().await, "{events:?}");
    }
}

#[tokio::test]
async fn each_hold_expires_at_its_own_time() {
    let scene = Scene::new().await;
    scene.pay(&payment(1, 1, 10)).await;
    for (name, second) in [("a", 60), ("b", 61), ("c", 60)] {
        let charge = Charge { hold_until: seconds(second), ..charge(2, None) };
        create(&scene.records, name, 1, Some(charge), None).await.unwrap();
    }
    for (second, n_ended, held) in [(59, 0, 6), (60, 2, 2), (60, 0, 2), (61, 1, 0), (90, 0, 0)] {
        let ended = scene.records.expire_holds(seconds(second)).await.unwrap();
        assert_eq!(ended, n_ended, "at {second}");
        assert_eq!(scene.balance(&wallet(1)).await, (10 - held, held, 0), "at {second}");
    }
}
