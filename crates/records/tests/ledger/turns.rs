//! Many at once, each with a connection of its own, as requests have them.

use records::{Claim, Records};
use testkit::TestDatabase;

use crate::scene::{
    LEASE, Scene, charge, create, hash, key, payment, seconds, settle, space, top_up, wallet,
};

const N: u8 = 8;

/// Does `work` N times at once, and returns what each came to.
fn at_once<T: Send + 'static>(
    scene: &Scene,
    work: impl AsyncFn(u8, Records<TestDatabase>) -> T + Copy + Send + 'static,
) -> Vec<T> {
    let threads: Vec<_> = (0..N)
        .map(|number| {
            let records = scene.connect();
            std::thread::spawn(move || {
                let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
                executor.block_on(work(number, records))
            })
        })
        .collect();
    threads.into_iter().map(|it| it.join().unwrap()).collect()
}

#[tokio::test]
async fn it_is_one_callers_turn_and_the_money_is_credited_once() {
    let scene = Scene::new().await;
    for round in 0..2 {
        let claims = at_once(&scene, async move |_, records: Records<TestDatabase>| {
            let now = seconds(round * 60);
            records.claim_payment(&payment(1, 1, 10), now, LEASE).await.unwrap()
        });
        let is_ours = |it: &&Claim| matches!(it, Claim::Ours { .. });
        assert_eq!(claims.iter().filter(is_ours).count(), 1, "{claims:?}");
        let is_busy = |it: &&Claim| matches!(it, Claim::Busy(_));
        assert_eq!(claims.iter().filter(is_busy).count(), usize::from(N) - 1, "{claims:?}");
    }
    // All of them say that it was settled, each by another transaction.
    let settled = at_once(&scene, async |number: u8, records: Records<TestDatabase>| {
        settle(&records, &payment(1, 1, 10), &hash(number)).await
    });
    assert!(settled.iter().all(|it| *it == settled[0]), "{settled:?}");
    assert_eq!(scene.balance(&wallet(1)).await, (10, 0, 0));
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn money_is_spent_once() {
    let scene = Scene::new().await;
    create(&scene.records, "z", 2, None, None).await.unwrap();
    scene.pay(&payment(1, 1, 10)).await;
    // Four want 3 for a space of their own and four give 3 to another.
    let done = at_once(&scene, async |number: u8, records: Records<TestDatabase>| {
        let name = number.to_string();
        if number.is_multiple_of(2) {
            create(&records, &name, 1, Some(charge(3, None)), None).await.is_ok()
        } else {
            top_up(&records, "z", 1, 3, &name, None).await.is_ok()
        }
    });
    assert_eq!(done.iter().filter(|it| **it).count(), 3, "{done:?}");
    let (available, held, _) = scene.balance(&wallet(1)).await;
    let n_given = scene.balance(&space("z")).await.0 / 3;
    assert_eq!((available, held), (1, (3 - n_given) * 3));
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn one_request_sent_often_is_one_transfer() {
    let scene = Scene::new().await;
    create(&scene.records, "a", 2, None, None).await.unwrap();
    scene.pay(&payment(1, 1, 10)).await;
    let answers = at_once(&scene, async |number: u8, records: Records<TestDatabase>| {
        let key = key("k", "b");
        top_up(&records, "a", 1, 3, &number.to_string(), Some(&key)).await.unwrap()
    });
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    assert_eq!(scene.balance(&space("a")).await, (3, 0, 0));
}
