//! Each rule of the ledger, on both sides of its limit.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use domain::{Money, SpaceId, Timestamp};
use ledger::{
    Account, Balance, EndError, HoldEnd, Kind, Ledger, Recorded, Transfer, TransferError,
};

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(NOW.unix_ms() + ms)
}

fn micros(micros: u64) -> Money {
    Money::from_micros(micros).unwrap()
}

fn wallet() -> Account {
    Account::Wallet(format!("0x{:040x}", 1).parse().unwrap())
}

fn space() -> Account {
    Account::Space(SpaceId::new(NOW, [1; 10]))
}

fn payments() -> Account {
    Account::Payments { chain_id: 8453, asset: format!("0x{:040x}", 2).parse().unwrap() }
}

fn transfer(id: &str, debit: Account, credit: Account, amount: u64) -> Transfer {
    let amount = micros(amount);
    Transfer { id: id.to_owned(), debit, credit, amount, kind: Kind::TopUp, expires_at: None }
}

fn hold(id: &str, amount: u64, expires_at: Timestamp) -> Transfer {
    let moved = transfer(id, wallet(), space(), amount);
    Transfer { kind: Kind::FirstMonth, expires_at: Some(expires_at), ..moved }
}

/// A ledger in which the wallet has 10, and 4 of them are held for the space until `at(100)`.
fn scene() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.record(transfer("paid", payments(), wallet(), 10)).unwrap();
    ledger.record(hold("held", 4, at(100))).unwrap();
    ledger
}

fn balance(ledger: &Ledger, account: &Account) -> (u64, u64, u64) {
    let Balance { available, held, incoming } = ledger.balance(account).unwrap();
    (available.micros(), held.micros(), incoming.micros())
}

#[test]
fn a_transfer_is_recorded_once_if_there_is_enough() {
    use Recorded::{Created, Exists};
    use TransferError::{ExistsDifferent, NotEnough, Nothing, SameAccount};
    let again = || transfer("paid", payments(), wallet(), 10);
    let other_kind = Transfer { kind: Kind::Payment, ..again() };
    let no_hold = Transfer { expires_at: None, ..hold("held", 4, at(100)) };
    #[rustfmt::skip]
    let rows = [
        ("of all that is available",        transfer("t", wallet(), space(), 6),        Ok(Created)),
        ("of one more",                     transfer("t", wallet(), space(), 7),        Err(NotEnough)),
        ("a hold of all that is available", hold("t", 6, at(100)),                      Ok(Created)),
        ("a hold of one more",              hold("t", 7, at(100)),                      Err(NotEnough)),
        ("of what is still incoming",       transfer("t", space(), wallet(), 1),        Err(NotEnough)),
        ("from what is earned",             transfer("t", Account::Revenue, wallet(), 9), Ok(Created)),
        ("from outside",                    transfer("t", payments(), space(), 9),      Ok(Created)),
        ("back to the outside",             transfer("t", wallet(), payments(), 7),     Err(NotEnough)),
        ("of nothing",                      transfer("t", wallet(), space(), 0),        Err(Nothing)),
        ("to where it comes from",          transfer("t", wallet(), wallet(), 1),       Err(SameAccount)),
        ("the same again",                  again(),                                    Ok(Exists)),
        ("the same hold again",             hold("held", 4, at(100)),                   Ok(Exists)),
        ("another amount",                  transfer("paid", payments(), wallet(), 9),  Err(ExistsDifferent)),
        ("another debit",                   transfer("paid", Account::Revenue, wallet(), 10), Err(ExistsDifferent)),
        ("another credit",                  transfer("paid", payments(), space(), 10),  Err(ExistsDifferent)),
        ("another reason",                  other_kind,                                 Err(ExistsDifferent)),
        ("another time",                    hold("held", 4, at(101)),                   Err(ExistsDifferent)),
        ("a transfer for a hold",           no_hold,                                    Err(ExistsDifferent)),
        ("a known id and not enough",       transfer("paid", space(), wallet(), 10),    Err(ExistsDifferent)),
    ];
    for (what, transfer, want) in rows {
        let mut ledger = scene();
        assert_eq!(ledger.record(transfer), want, "{what}");
        assert!(ledger != scene() || want != Ok(Created), "{what}");
        assert!(ledger == scene() || want == Ok(Created), "{what}");
    }
}

#[test]
fn a_repeated_transfer_exists_even_when_the_money_is_gone() {
    let mut ledger = scene();
    let spend = || transfer("spent", wallet(), space(), 6);
    assert_eq!(ledger.record(spend()), Ok(Recorded::Created));
    assert_eq!(ledger.record(spend()), Ok(Recorded::Exists));
    assert_eq!(balance(&ledger, &wallet()), (0, 4, 0));
    assert_eq!(balance(&ledger, &space()), (6, 0, 4));
}

#[test]
fn a_hold_ends_once() {
    use EndError::{EndedDifferently, NoSuchHold, TooEarly};
    use HoldEnd::{Expired, Posted, Voided};
    use Recorded::{Created, Exists};
    #[rustfmt::skip]
    let rows = [
        // before         id      outcome  at   want                    wallet      space
        (None,            "held", Posted,  0,   Ok(Created),            (6, 0, 0),  (4, 0, 0)),
        (None,            "held", Voided,  0,   Ok(Created),            (10, 0, 0), (0, 0, 0)),
        (None,            "held", Expired, 99,  Err(TooEarly),          (6, 4, 0),  (0, 0, 4)),
        (None,            "held", Expired, 100, Ok(Created),            (10, 0, 0), (0, 0, 0)),
        // As long as it has not ended, it is not too late.
        (None,            "held", Posted,  101, Ok(Created),            (6, 0, 0),  (4, 0, 0)),
        (None,            "held", Voided,  101, Ok(Created),            (10, 0, 0), (0, 0, 0)),
        (Some(Posted),    "held", Posted,  200, Ok(Exists),             (6, 0, 0),  (4, 0, 0)),
        (Some(Posted),    "held", Voided,  200, Err(EndedDifferently),  (6, 0, 0),  (4, 0, 0)),
        (Some(Posted),    "held", Expired, 200, Err(EndedDifferently),  (6, 0, 0),  (4, 0, 0)),
        (Some(Voided),    "held", Posted,  200, Err(EndedDifferently),  (10, 0, 0), (0, 0, 0)),
        (Some(Expired),   "held", Posted,  200, Err(EndedDifferently),  (10, 0, 0), (0, 0, 0)),
        (Some(Expired),   "held", Voided,  200, Err(EndedDifferently),  (10, 0, 0), (0, 0, 0)),
        // It has expired, whatever the clock says by now.
        (Some(Expired),   "held", Expired, 0,   Ok(Exists),             (10, 0, 0), (0, 0, 0)),
        (None,            "paid", Posted,  0,   Err(NoSuchHold),        (6, 4, 0),  (0, 0, 4)),
        (None,            "none", Posted,  0,   Err(NoSuchHold),        (6, 4, 0),  (0, 0, 4)),
    ];
    for (before, id, outcome, ms, want, of_wallet, of_space) in rows {
        let what = format!("{id} {outcome:?} after {before:?} at {ms}");
        let mut ledger = scene();
        if let Some(before) = before {
            ledger.end(id, before, at(150)).unwrap();
        }
        assert_eq!(ledger.end(id, outcome, at(ms)), want, "{what}");
        assert_eq!(balance(&ledger, &wallet()), of_wallet, "{what}");
        assert_eq!(balance(&ledger, &space()), of_space, "{what}");
    }
}

#[test]
fn only_the_outside_is_below_zero() {
    let ledger = scene();
    assert_eq!(ledger.balance(&payments()), None);
    assert_eq!(ledger.balance(&Account::Revenue), Some(Balance::default()));
    #[rustfmt::skip]
    let rows = [(payments(), -10), (wallet(), 6), (space(), 4), (Account::Revenue, 0)];
    for (account, worth) in rows {
        assert_eq!(ledger.worth(&account), worth, "{account}");
    }
    assert_eq!(ledger.accounts().count(), 3);
}

#[test]
fn totals_that_cannot_be_counted_are_refused() {
    let most = Money::MAX.micros();
    let fit = u64::try_from(i64::MAX).unwrap() / most;
    #[rustfmt::skip]
    let rows = [
        // Held or moved, on the side that gives and on the side that gets.
        ("moved", None,           payments(),       Account::Revenue),
        ("held",  Some(at(100)),  Account::Revenue, payments()),
    ];
    for (what, expires_at, debit, credit) in rows {
        let mut ledger = Ledger::default();
        let some = |number: u64| Transfer {
            expires_at,
            ..transfer(&number.to_string(), debit.clone(), credit.clone(), most)
        };
        for number in 0..fit {
            assert_eq!(ledger.record(some(number)), Ok(Recorded::Created), "{what}");
        }
        let before = ledger.clone();
        assert_eq!(ledger.record(some(fit)), Err(TransferError::Overflow), "{what}");
        assert_eq!(ledger, before, "{what}");
        // Too much for anybody to have, and still counted.
        assert_eq!(ledger.balance(&credit), None, "{what}");
        assert_eq!(ledger.worth(&credit), -ledger.worth(&debit), "{what}");
    }
    // A total may fill up while a hold waits: it can then be let go of, and not be posted.
    let mut ledger = Ledger::default();
    let held = Transfer {
        expires_at: Some(at(100)),
        ..transfer("held", payments(), Account::Revenue, most)
    };
    ledger.record(held).unwrap();
    for number in 0..fit {
        let back_and_forth = [
            transfer(&format!("{number}"), wallet(), payments(), most),
            transfer(&format!("{number} back"), payments(), wallet(), most),
        ];
        for moved in back_and_forth.into_iter().rev() {
            ledger.record(moved).unwrap();
        }
    }
    let before = ledger.clone();
    assert_eq!(ledger.end("held", HoldEnd::Posted, NOW), Err(EndError::Overflow));
    assert_eq!(ledger, before);
    assert_eq!(ledger.end("held", HoldEnd::Voided, NOW), Ok(Recorded::Created));
}
