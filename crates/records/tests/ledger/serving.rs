//! Payments for handlers that keep no books.

use ledger::Account;
use records::{PaidAnswer, Records, Serving};
use testkit::TestDatabase;

use crate::scene::{LEASE, START, Scene, create, hash, payment, seconds, settle, top_up, wallet};

fn answer(status: u16) -> PaidAnswer {
    PaidAnswer { status, headers: "[]".to_owned(), body_base64: "aGk=".to_owned() }
}

/// What requests do that use payment 1, by their number.
#[derive(Clone, Copy, Debug)]
enum Do {
    Begin(usize),
    Stop(usize),
    /// Finishes, and answers 200 and its number.
    Finish(usize),
}
use Do::{Begin, Finish, Stop};

/// What they are told.
#[derive(Debug, PartialEq)]
enum Told {
    Ours,
    Busy,
    Answered(u16),
    Spent,
    Done,
    Failed,
}
use Told::{Answered, Busy, Done, Failed, Ours, Spent};

/// Requests, and what is held for each.
struct Requests<'a> {
    records: &'a Records<TestDatabase>,
    holds: [String; 3],
}

impl Requests<'_> {
    async fn act(&mut self, what: Do, second: u64) -> Told {
        let (now, id) = (seconds(second), payment(1, 1, 10).id);
        let done = match what {
            Begin(number) => {
                let record = self.records.payment(&id).await.unwrap().unwrap();
                return match self.records.begin_serving(&record, now, LEASE).await.unwrap() {
                    Serving::Ours(hold) => {
                        self.holds[number] = hold;
                        Ours
                    }
                    Serving::Busy => Busy,
                    Serving::Answered(answer) => Answered(answer.status),
                    Serving::Spent => Spent,
                };
            }
            Stop(number) => self.records.stop_serving(&id, &self.holds[number], now).await,
            Finish(number) => {
                let answer = answer(200 + u16::try_from(number).unwrap());
                self.records.finish_serving(&id, &self.holds[number], &answer, now).await
            }
        };
        if done.is_ok() { Done } else { Failed }
    }
}

/// What is done and when, what is told, and what the payer then has available and held.
type Row = (Do, u64, Told, (u64, u64));

#[tokio::test]
async fn one_request_at_a_time_is_served_until_one_has_its_answer() {
    #[rustfmt::skip]
    let rows: &[&[Row]] = &[
        // what        at         told           the payer's balance: available, held
        &[
            (Begin(0), 0,         Ours,          (0, 10)),
            (Begin(1), 59,        Busy,          (0, 10)),
            (Finish(0), 60,       Done,          (0, 0)),
            (Begin(1), 60,        Answered(200), (0, 0)),
            (Begin(1), 1_000_000, Answered(200), (0, 0)),
            (Finish(0), 61,       Failed,        (0, 0)),
            (Stop(0),  61,        Done,          (0, 0)),
        ],
        // It was not served, and is tried again within a tick of the clock.
        &[
            (Begin(0), 0,         Ours,          (0, 10)),
            (Stop(0),  0,         Done,          (10, 0)),
            (Stop(0),  0,         Done,          (10, 0)),
            (Finish(0), 0,        Failed,        (10, 0)),
            (Begin(1), 0,         Ours,          (0, 10)),
            (Stop(1),  0,         Done,          (10, 0)),
            (Begin(2), 0,         Ours,          (0, 10)),
            (Finish(2), 1,        Done,          (0, 0)),
        ],
        // The first is late, and nobody has minded.
        &[
            (Begin(0), 0,         Ours,          (0, 10)),
            (Finish(0), 100,      Done,          (0, 0)),
        ],
        // The first is late, and the second has its turn.
        &[
            (Begin(0), 0,         Ours,          (0, 10)),
            (Begin(1), 60,        Ours,          (0, 10)),
            (Finish(0), 61,       Failed,        (0, 10)),
            (Stop(0),  62,        Done,          (0, 10)),
            (Begin(2), 63,        Busy,          (0, 10)),
            (Finish(1), 64,       Done,          (0, 0)),
            (Begin(2), 65,        Answered(201), (0, 0)),
        ],
    ];
    for row in rows {
        let scene = Scene::new().await;
        scene.pay(&payment(1, 1, 10)).await;
        let mut requests = Requests { records: &scene.records, holds: Default::default() };
        for (what, second, want, (available, held)) in *row {
            let at = format!("{what:?} at {second} of {row:?}");
            assert_eq!(requests.act(*what, *second).await, *want, "{at}");
            assert_eq!(scene.balance(&wallet(1)).await, (*available, *held, 0), "{at}");
            let earned = 10 - available - held;
            assert_eq!(scene.balance(&Account::Revenue).await, (earned, 0, *held), "{at}");
        }
        assert!(scene.is_balanced().await);
    }
}

#[tokio::test]
async fn what_is_not_settled_is_used_for_nothing() {
    let scene = Scene::new().await;
    // There is money, but it is another's.
    scene.pay(&payment(2, 1, 10)).await;
    scene.records.claim_payment(&payment(1, 1, 10), START, LEASE).await.unwrap();
    let mut requests = Requests { records: &scene.records, holds: Default::default() };
    assert_ne!(requests.act(Begin(0), 0).await, Ours);
    assert_eq!(scene.balance(&wallet(1)).await, (10, 0, 0));
    settle(&scene.records, &payment(1, 1, 10), &hash(1)).await;
    assert_eq!(requests.act(Begin(0), 0).await, Ours);
}

#[tokio::test]
async fn what_is_being_served_is_not_spent_elsewhere() {
    let scene = Scene::new().await;
    let records = &scene.records;
    create(records, "a", 2, None, None).await.unwrap();
    scene.pay(&payment(1, 1, 10)).await;
    let mut requests = Requests { records, holds: Default::default() };
    assert_eq!(requests.act(Begin(0), 0).await, Ours);
    top_up(records, "a", 1, 10, "t1", None).await.unwrap_err();
    assert_eq!(requests.act(Stop(0), 0).await, Done);
    top_up(records, "a", 1, 1, "t2", None).await.unwrap();
    assert_eq!(requests.act(Begin(0), 1).await, Spent);
    // With enough again it is served at once.
    scene.pay(&payment(2, 1, 1)).await;
    assert_eq!(requests.act(Begin(1), 2).await, Ours);
    assert_eq!(requests.act(Finish(1), 3).await, Done);
    assert!(scene.is_balanced().await);
}

#[tokio::test]
async fn nothing_is_held_for_ever() {
    let scene = Scene::new().await;
    scene.pay(&payment(1, 1, 10)).await;
    let mut requests = Requests { records: &scene.records, holds: Default::default() };
    requests.act(Begin(0), 0).await;
    // After twice its lease it can be spent again.
    for (second, held) in [(119, 10), (120, 0)] {
        scene.records.expire_holds(seconds(second)).await.unwrap();
        assert_eq!(scene.balance(&wallet(1)).await, (10 - held, held, 0), "at {second}");
    }
    assert_eq!(requests.act(Finish(0), 121).await, Failed);
    assert_eq!(requests.act(Begin(1), 122).await, Ours);
    assert_eq!(requests.act(Finish(1), 123).await, Done);
    assert_eq!(scene.balance(&Account::Revenue).await, (10, 0, 0));
    assert!(scene.is_balanced().await);
}
