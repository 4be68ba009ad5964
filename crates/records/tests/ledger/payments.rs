//! What becomes of payments: whose turn it is, and where the money goes.

use domain::Timestamp;
use records::{Claim, NewPayment, News};
use x402::{Effect, PaymentEvent as E, PaymentState};

use crate::scene::{
    LEASE, START, Scene, address, create, delete, hash, outside, payment, refuse, seconds, settle,
    space, wallet,
};

/// What may happen to a payment.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// It comes in at this second.
    Comes(u64),
    /// Somebody says this of it at second 5. What settles it is transaction 1.
    Says(E),
}
use Event::{Comes, Says};

const SETTLES: Event = Says(E::FacilitatorSettled);
const REFUSES: Event = Says(E::FacilitatorRefused);
const IS_UNCLEAR: Event = Says(E::OutcomeUnknown);

/// What a payment that comes in is told, in short.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Ours(Effect),
    Busy,
    Settled,
    IdentifierReused,
}

fn told(claim: &Claim) -> Told {
    match claim {
        Claim::Ours { effect, .. } => Told::Ours(*effect),
        Claim::Busy(_) => Told::Busy,
        Claim::Settled(_) => Told::Settled,
        Claim::IdentifierReused => Told::IdentifierReused,
    }
}

async fn claim(scene: &Scene, new: &NewPayment, now: Timestamp) -> Claim {
    scene.records.claim_payment(new, now, LEASE).await.unwrap()
}

async fn happen(scene: &Scene, event: Event) -> Option<Told> {
    let new = payment(1, 1, 10);
    let event = match event {
        Comes(second) => return Some(told(&claim(scene, &new, seconds(second)).await)),
        Says(event) => event,
    };
    let transaction = match event {
        E::FacilitatorSettled | E::ChainUsedForUs => Some(hash(1)),
        E::OutcomeUnknown => Some(hash(5)),
        _ => None,
    };
    let news = News { event, reason: "no", transaction: transaction.as_deref() };
    scene.records.note_payment(&new.id, news, seconds(5)).await.unwrap();
    None
}

/// What happened before, what happens then, what is told, and the state after it.
type Row = (&'static [Event], Event, Option<Told>, &'static str);

#[tokio::test]
async fn whatever_happens_a_payment_settles_once() {
    let (ask, look) = (Some(Told::Ours(Effect::Ask)), Some(Told::Ours(Effect::LookThenAsk)));
    let (busy, settled) = (Some(Told::Busy), Some(Told::Settled));
    let (early, late) = (E::Resumed { now: seconds(59) }, E::Resumed { now: seconds(60) });
    #[rustfmt::skip]
    let rows: &[Row] = &[
        // before                          then                          told     state
        (&[],                              Comes(0),                     ask,     "settling"),
        (&[Comes(0)],                      Comes(59),                    busy,    "settling"),
        (&[Comes(0)],                      Comes(60),                    look,    "settling"),
        (&[Comes(0)],                      SETTLES,                      None,    "settled"),
        (&[Comes(0)],                      REFUSES,                      None,    "refused"),
        (&[Comes(0)],                      Says(E::NothingSent),         None,    "refused"),
        (&[Comes(0)],                      IS_UNCLEAR,                   None,    "unknown"),
        (&[Comes(0)],                      Says(E::ChainUsedForUs),      None,    "settled"),
        (&[Comes(0)],                      Says(E::ChainUsedOtherwise),  None,    "refused"),
        (&[Comes(0)],                      Says(E::ChainExpired),        None,    "refused"),
        (&[Comes(0)],                      Says(E::ChainUnused),         None,    "settling"),
        (&[Comes(0)],                      Says(E::Hinted),              None,    "settling"),
        (&[Comes(0)],                      Says(early),                  None,    "settling"),
        (&[Comes(0)],                      Says(late),                   None,    "unknown"),
        // Whoever asked the first time may have been heard.
        (&[Comes(0), Comes(60)],           REFUSES,                      None,    "unknown"),
        (&[Comes(0), Comes(60)],           Says(E::NothingSent),         None,    "unknown"),
        (&[Comes(0), Comes(60)],           SETTLES,                      None,    "settled"),
        // It is left alone for two seconds.
        (&[Comes(0), IS_UNCLEAR],          Comes(6),                     busy,    "unknown"),
        (&[Comes(0), IS_UNCLEAR],          Comes(7),                     look,    "settling"),
        (&[Comes(0), IS_UNCLEAR],          SETTLES,                      None,    "settled"),
        (&[Comes(0), IS_UNCLEAR],          REFUSES,                      None,    "unknown"),
        (&[Comes(0), IS_UNCLEAR],          Says(E::ChainUsedForUs),      None,    "settled"),
        (&[Comes(0), IS_UNCLEAR],          Says(E::ChainUsedOtherwise),  None,    "refused"),
        (&[Comes(0), IS_UNCLEAR],          Says(E::ChainExpired),        None,    "refused"),
        (&[Comes(0), IS_UNCLEAR],          Says(E::Hinted),              None,    "unknown"),
        (&[Comes(0), REFUSES],             Comes(5),                     look,    "settling"),
        (&[Comes(0), REFUSES],             SETTLES,                      None,    "settled"),
        (&[Comes(0), REFUSES],             REFUSES,                      None,    "refused"),
        (&[Comes(0), REFUSES],             IS_UNCLEAR,                   None,    "unknown"),
        (&[Comes(0), REFUSES],             Says(E::ChainUsedForUs),      None,    "settled"),
        (&[Comes(0), REFUSES],             Says(E::Hinted),              None,    "refused"),
        (&[Comes(0), REFUSES],             Says(late),                   None,    "refused"),
        (&[Comes(0), SETTLES],             Comes(9999),                  settled, "settled"),
        (&[Comes(0), SETTLES],             SETTLES,                      None,    "settled"),
        (&[Comes(0), SETTLES],             REFUSES,                      None,    "settled"),
        (&[Comes(0), SETTLES],             IS_UNCLEAR,                   None,    "settled"),
        (&[Comes(0), SETTLES],             Says(E::NothingSent),         None,    "settled"),
        (&[Comes(0), SETTLES],             Says(E::ChainUsedForUs),      None,    "settled"),
        (&[Comes(0), SETTLES],             Says(E::ChainUsedOtherwise),  None,    "settled"),
        (&[Comes(0), SETTLES],             Says(E::ChainExpired),        None,    "settled"),
        (&[Comes(0), SETTLES],             Says(late),                   None,    "settled"),
    ];
    for (before, then, want, state) in rows {
        let what = format!("{before:?}, then {then:?}");
        let scene = Scene::new().await;
        for event in *before {
            happen(&scene, *event).await;
        }
        assert_eq!(happen(&scene, *then).await, *want, "{what}");
        let id = payment(1, 1, 10).id;
        let record = scene.records.payment(&id).await.unwrap().unwrap();
        assert_eq!(record.state_name(), *state, "{what}");
        assert_eq!(record.reason.is_some(), *state == "refused", "{what}");
        let is_settled = *state == "settled";
        let balance = if is_settled { 10 } else { 0 };
        assert_eq!(scene.balance(&wallet(1)).await, (balance, 0, 0), "{what}");
        let credit = scene.records.credit_of(&id).await.unwrap();
        let credited = credit.map(|it| (it.debit, it.credit, it.amount.micros(), it.payment));
        let want = (outside(), wallet(1), 10, Some(id));
        assert_eq!(credited, is_settled.then_some(want), "{what}");
        assert_eq!(record.transaction == Some(hash(1)), is_settled, "{what}");
        assert!(scene.is_balanced().await, "{what}");
    }
}

#[tokio::test]
async fn the_first_transaction_that_settled_it_did() {
    let scene = Scene::new().await;
    let new = payment(1, 1, 10);
    let first = scene.pay(&new).await;
    assert_eq!(settle(&scene.records, &new, &hash(7)).await, first);
    assert_eq!(first.transaction, Some(hash(1)));
}

/// It can be no payment of ours that nobody has brought.
#[tokio::test]
async fn what_was_not_asked_for_is_not_settled() {
    let scene = Scene::new().await;
    let news = News { event: E::ChainUsedForUs, reason: "", transaction: Some(&hash(1)) };
    scene.records.note_payment(&payment(1, 1, 10).id, news, START).await.unwrap_err();
    // Nor is anything without a transaction.
    claim(&scene, &payment(1, 1, 10), START).await;
    let news = News { transaction: None, ..news };
    scene.records.note_payment(&payment(1, 1, 10).id, news, START).await.unwrap_err();
    assert_eq!(scene.balance(&wallet(1)).await, (0, 0, 0));
}

#[tokio::test]
async fn only_what_was_refused_may_be_for_something_else() {
    let other = || NewPayment {
        account: wallet(2),
        fingerprint: "e".repeat(64),
        question: "[]".to_owned(),
        ..payment(1, 1, 10)
    };
    #[rustfmt::skip]
    let rows = [
        // before    is for the other purpose
        (Comes(0),   false),
        (IS_UNCLEAR, false),
        (REFUSES,    true),
        (SETTLES,    false),
    ];
    for (before, is_other) in rows {
        let scene = Scene::new().await;
        for event in [Comes(0), before] {
            happen(&scene, event).await;
        }
        let record = match claim(&scene, &other(), seconds(60)).await {
            Claim::Ours { record, .. } => {
                assert_eq!(
                    record.payment,
                    payment(1, 1, 10),
                    "until it is known that it was not taken"
                );
                scene.records.change_purpose(&record, &other()).await.unwrap()
            }
            Claim::Settled(record) => {
                let record = scene.records.change_purpose(&record, &other()).await.unwrap();
                assert_eq!(record.state, PaymentState::Settled);
                record
            }
            claim => panic!("nobody is about it after {before:?}: {claim:?}"),
        };
        let want = if is_other { other() } else { payment(1, 1, 10) };
        assert_eq!(record.payment, want, "{before:?}");
        happen(&scene, SETTLES).await;
        assert_eq!(scene.balance(&wallet(2)).await.0, if is_other { 10 } else { 0 });
    }
}

#[tokio::test]
async fn one_identifier_is_one_purchase() {
    let named = |number, payer, name: &str, digit: &str| NewPayment {
        identifier: Some(name.to_owned()),
        fingerprint: digit.repeat(64),
        ..payment(number, payer, 10)
    };
    let (ask, look) = (Told::Ours(Effect::Ask), Told::Ours(Effect::LookThenAsk));
    #[rustfmt::skip]
    let rows = [
        // the first    comes again as               at    told                    as payment
        (Comes(0),      named(2, 1, "order", "f"),   59,   Told::Busy,             Some(1)),
        (Comes(0),      named(2, 1, "order", "f"),   60,   look,                   Some(1)),
        (IS_UNCLEAR,    named(2, 1, "order", "f"),   60,   look,                   Some(1)),
        (SETTLES,       named(2, 1, "order", "f"),   0,    Told::Settled,          Some(1)),
        // That one was not taken, so this one may be.
        (REFUSES,       named(2, 1, "order", "f"),   0,    ask,                    Some(2)),
        (Comes(0),      named(2, 1, "order", "e"),   60,   Told::IdentifierReused, None),
        (SETTLES,       named(2, 1, "order", "e"),   60,   Told::IdentifierReused, None),
        // Others have nothing to do with it.
        (Comes(0),      named(2, 1, "other", "e"),   0,    ask,                    Some(2)),
        (Comes(0),      named(2, 2, "order", "e"),   0,    ask,                    Some(2)),
        (Comes(0),      payment(2, 1, 10),           0,    ask,                    Some(2)),
    ];
    for (before, again, second, want, as_payment) in rows {
        let what = format!("{again:?} after {before:?}");
        let scene = Scene::new().await;
        claim(&scene, &named(1, 1, "order", "f"), START).await;
        if !matches!(before, Comes(_)) {
            happen(&scene, before).await;
        }
        let found = claim(&scene, &again, seconds(second)).await;
        assert_eq!(told(&found), want, "{what}");
        let record = match found {
            Claim::Ours { record, .. } | Claim::Busy(record) | Claim::Settled(record) => {
                Some(record.payment.id)
            }
            Claim::IdentifierReused => None,
        };
        assert_eq!(record, as_payment.map(|it| payment(it, 1, 10).id), "{what}");
    }
}

/// It was refused, another payment took its place, and then it comes again.
#[tokio::test]
async fn a_purchase_is_not_paid_for_twice_by_a_payment_that_was_refused() {
    let named =
        |number| NewPayment { identifier: Some("order".to_owned()), ..payment(number, 1, 10) };
    let scene = Scene::new().await;
    claim(&scene, &named(1), START).await;
    happen(&scene, REFUSES).await;
    scene.pay(&named(2)).await;
    let again = claim(&scene, &named(1), seconds(5)).await;
    let Claim::Settled(record) = again else { panic!("it is paid for: {again:?}") };
    assert_eq!(record.payment.id, named(2).id);
}

/// A payment that was refused may come again under a name, or for what has another.
#[tokio::test]
async fn a_refused_payment_has_the_name_it_came_with_last() {
    let scene = Scene::new().await;
    happen(&scene, Comes(0)).await;
    happen(&scene, REFUSES).await;
    let named = NewPayment { identifier: Some("order".to_owned()), ..payment(1, 1, 10) };
    let Claim::Ours { record, .. } = claim(&scene, &named, seconds(5)).await else {
        panic!("it may be tried again");
    };
    let record = scene.records.change_purpose(&record, &named).await.unwrap();
    assert_eq!(record.payment, named);
    let next = NewPayment { identifier: Some("order".to_owned()), ..payment(2, 1, 10) };
    assert_eq!(told(&claim(&scene, &next, seconds(6)).await), Told::Busy);
}

#[tokio::test]
async fn money_for_a_space_that_is_gone_is_the_payers() {
    for is_gone in [false, true] {
        let scene = Scene::new().await;
        create(&scene.records, "a", 2, None, None).await.unwrap();
        let new = NewPayment { account: space("a"), ..payment(1, 1, 10) };
        claim(&scene, &new, START).await;
        if is_gone {
            delete(&scene.records, "a", 0).await.unwrap();
        }
        let record = settle(&scene.records, &new, &hash(1)).await;
        let (account, other) =
            if is_gone { (wallet(1), space("a")) } else { (space("a"), wallet(1)) };
        assert_eq!(record.payment.account, account);
        assert_eq!(scene.balance(&account).await, (10, 0, 0));
        assert_eq!(scene.balance(&other).await, (0, 0, 0));
        assert_eq!(scene.balance(&wallet(2)).await, (0, 0, 0));
        assert!(scene.is_balanced().await);
    }
    // The same of one that never was.
    let scene = Scene::new().await;
    let new = NewPayment { account: space("b"), ..payment(1, 1, 10) };
    assert_eq!(scene.pay(&new).await.payment.account, wallet(1));
}

#[tokio::test]
async fn a_payment_is_looked_into_until_nothing_can_come_of_it() {
    // It is valid for 600 seconds, and is looked into for the last time 120 seconds later.
    #[rustfmt::skip]
    let rows: &[(&[Event], Option<u64>)] = &[
        (&[Comes(0)],                      Some(60)),
        (&[Comes(0), IS_UNCLEAR],          Some(5)),
        (&[Comes(0), REFUSES],             Some(720)),
        (&[Comes(0), REFUSES, Comes(5)],   Some(65)),
        (&[Comes(0), SETTLES],             None),
    ];
    for (events, want) in rows {
        let scene = Scene::new().await;
        for event in *events {
            happen(&scene, *event).await;
        }
        let looked_into = async |second| {
            !scene.records.payments_to_look_into(seconds(second), 10).await.unwrap().is_empty()
        };
        match want {
            Some(second) => {
                assert!(!looked_into(second - 1).await, "{events:?}");
                assert!(looked_into(*second).await, "{events:?}");
            }
            None => assert!(!looked_into(1_000_000).await, "{events:?}"),
        }
        let id = payment(1, 1, 10).id;
        let news = News { event: E::ChainExpired, reason: "late", transaction: None };
        scene.records.note_payment(&id, news, seconds(720)).await.unwrap();
        assert!(!looked_into(1_000_000).await, "{events:?}, and its time is over");
    }
}

#[tokio::test]
async fn looking_into_a_payment_can_wait() {
    #[rustfmt::skip]
    let rows: &[(&[Event], u64, u64)] = &[
        // before                  due  due if it was put off until 99
        (&[Comes(0), IS_UNCLEAR],  5,   99),
        (&[Comes(0), REFUSES],     720, 99),
        // Somebody is about it.
        (&[Comes(0)],              60,  60),
    ];
    for (events, due, put_off) in rows {
        let scene = Scene::new().await;
        for event in *events {
            happen(&scene, *event).await;
        }
        let id = payment(1, 1, 10).id;
        let is_due = async |second| {
            !scene.records.payments_to_look_into(seconds(second), 10).await.unwrap().is_empty()
        };
        assert!(is_due(*due).await && !is_due(due - 1).await, "{events:?}");
        scene.records.postpone_payment(&id, Some(seconds(99))).await.unwrap();
        assert!(is_due(*put_off).await && !is_due(put_off - 1).await, "{events:?}");
        scene.records.postpone_payment(&id, None).await.unwrap();
        assert_eq!(is_due(1_000_000).await, *put_off != 99, "{events:?}");
    }
}

#[tokio::test]
async fn a_payment_that_is_valid_for_ever_can_be_refused() {
    for valid_before_s in [u64::MAX, i64::MAX.cast_unsigned(), i64::MAX.cast_unsigned() / 1000] {
        let scene = Scene::new().await;
        let new = NewPayment { valid_before_s, ..payment(1, 1, 10) };
        claim(&scene, &new, START).await;
        assert_eq!(refuse(&scene.records, &new).await.state, PaymentState::Refused);
        assert_eq!(scene.records.payments_to_look_into(seconds(720), 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_hint_finds_what_is_in_doubt() {
    let scene = Scene::new().await;
    let records = &scene.records;
    let id = |number| payment(number, 1, 10).id;
    for (number, payer) in [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1), (6, 1)] {
        claim(&scene, &payment(number, payer, 10), seconds(number.into())).await;
    }
    let unclear = News { event: E::OutcomeUnknown, reason: "", transaction: Some(&hash(5)) };
    records.note_payment(&id(2), unclear, START).await.unwrap();
    // Nothing is to be found out about what is settled, or was looked into for the last time.
    settle(records, &payment(4, 1, 10), &hash(6)).await;
    refuse(records, &payment(5, 1, 10)).await;
    let late = News { event: E::ChainExpired, reason: "late", transaction: None };
    records.note_payment(&id(6), late, seconds(720)).await.unwrap();
    #[rustfmt::skip]
    let rows: [(_, _, _, &[u8]); 9] = [
        // payer   nonce    at most  finds, newest first
        (None,     None,    10,      &[5, 3, 2, 1]),
        (None,     None,    2,       &[5, 3]),
        (Some(1),  None,    10,      &[5, 2, 1]),
        (Some(2),  None,    10,      &[3]),
        (Some(3),  None,    10,      &[]),
        (Some(1),  Some(1), 10,      &[1]),
        (Some(2),  Some(1), 10,      &[]),
        (None,     Some(3), 10,      &[3]),
        (None,     Some(4), 10,      &[]),
    ];
    for (payer, nonce, limit, want) in rows {
        let (of_payer, of_nonce) = (payer.map(address), nonce.map(hash));
        let (of_payer, of_nonce) = (of_payer.as_ref(), of_nonce.as_deref());
        let found = records.payments_in_doubt(of_payer, of_nonce, limit).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|it| it.payment.id).collect();
        let want: Vec<_> = want.iter().map(|it| id(*it)).collect();
        assert_eq!(found, want, "{payer:?} {nonce:?}");
    }
}
