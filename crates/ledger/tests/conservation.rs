//! No money comes from nowhere or gets lost, whatever is asked of the ledger, and how often.
//!
//! Method: every request may be repeated, refused or nonsense. The oracle keeps a list of what was
//! taken and adds it up anew each time; it has no totals that could go wrong.

use std::{collections::BTreeMap, time::Duration};

use domain::{Money, SpaceId, Timestamp};
use ledger::{Account, HoldEnd, Kind, Ledger, Recorded, Transfer};
use proptest::prelude::*;

const START: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

#[derive(Clone, Debug)]
enum Request {
    Record(Transfer),
    End { hold: String, outcome: HoldEnd },
}

/// What was taken: transfers, and how those that are holds ended.
#[derive(Default)]
struct Taken {
    transfers: Vec<Transfer>,
    ends: BTreeMap<String, HoldEnd>,
}

impl Taken {
    /// What `account` has available and held, by adding it all up.
    fn of(&self, account: &Account) -> (i64, i64) {
        let (mut available, mut held) = (0, 0);
        for transfer in &self.transfers {
            let amount = i64::try_from(transfer.amount.micros()).unwrap_or(i64::MAX);
            let is_moved = transfer.expires_at.is_none()
                || self.ends.get(&transfer.id) == Some(&HoldEnd::Posted);
            let is_held = !is_moved && !self.ends.contains_key(&transfer.id);
            if transfer.debit == *account && (is_moved || is_held) {
                available -= amount;
            }
            if transfer.debit == *account && is_held {
                held += amount;
            }
            if transfer.credit == *account && is_moved {
                available += amount;
            }
        }
        (available, held)
    }

    fn find(&self, id: &str) -> Option<&Transfer> {
        self.transfers.iter().find(|it| it.id == id)
    }

    /// Whether the ledger is to take it, and whether it is new then.
    fn judge(&self, request: &Request, now: Timestamp) -> Option<Recorded> {
        match request {
            Request::Record(transfer) => {
                let is_sound = transfer.debit != transfer.credit && !transfer.amount.is_zero();
                let is_covered = transfer.debit.may_be_negative()
                    || transfer.amount.micros().cast_signed() <= self.of(&transfer.debit).0;
                match self.find(&transfer.id) {
                    Some(old) => (old == transfer).then_some(Recorded::Exists),
                    None => (is_sound && is_covered).then_some(Recorded::Created),
                }
            }
            Request::End { hold, outcome } => {
                let expires_at = self.find(hold)?.expires_at?;
                let is_time = *outcome != HoldEnd::Expired || expires_at <= now;
                match self.ends.get(hold) {
                    Some(old) => (old == outcome).then_some(Recorded::Exists),
                    None => is_time.then_some(Recorded::Created),
                }
            }
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Record(transfer) => self.transfers.push(transfer),
            Request::End { hold, outcome } => {
                assert_eq!(self.ends.insert(hold, outcome), None, "a hold ends once");
            }
        }
    }
}

/// Few accounts, so that they meet: two of wallets, two of spaces, two of the outside.
fn accounts() -> [Account; 6] {
    let wallet = |number| format!("0x{number:040x}").parse().expect("an address is 40 digits");
    [
        Account::Wallet(wallet(1)),
        Account::Wallet(wallet(2)),
        Account::Space(SpaceId::new(START, [1; 10])),
        Account::Space(SpaceId::new(START, [2; 10])),
        Account::Revenue,
        Account::Payments { chain_id: 8453, asset: wallet(3) },
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    // Few ids and few amounts, so that they come again. The outside gives more often than others.
    let id = || (0..24_u8).prop_map(|it| format!("t{it}"));
    let account = || prop::sample::select(accounts().to_vec());
    let debit = prop_oneof![1 => account(), 1 => Just(accounts()[5].clone())];
    let kind = prop_oneof![4 => Just(Kind::TopUp), 1 => Just(Kind::FirstMonth)];
    let expires_at =
        prop::option::of((0..40_u64).prop_map(|it| START.plus(Duration::from_secs(it))));
    let record = (id(), debit, account(), 0..6_u64, kind, expires_at).prop_map(
        |(id, debit, credit, micros, kind, expires_at)| {
            let amount = Money::from_micros(micros).unwrap_or_default();
            Request::Record(Transfer { id, debit, credit, amount, kind, expires_at })
        },
    );
    let outcome = prop::sample::select(vec![HoldEnd::Posted, HoldEnd::Voided, HoldEnd::Expired]);
    let end = (id(), outcome).prop_map(|(hold, outcome)| Request::End { hold, outcome });
    prop_oneof![2 => record, 1 => end]
}

/// Requests in some order, many of them more than once.
fn sequences() -> impl Strategy<Value = Vec<Request>> {
    prop::collection::vec(
        (requests(), prop::option::weighted(0.3, any::<prop::sample::Index>())),
        1..80,
    )
    .prop_map(|drawn| {
        let mut sequence: Vec<Request> = Vec::new();
        for (request, again) in drawn {
            let again = again.filter(|_| !sequence.is_empty());
            let again = again.map(|it| it.get(&sequence).clone());
            sequence.extend([Some(request), again].into_iter().flatten());
        }
        sequence
    })
}

fn check(ledger: &Ledger, taken: &Taken) -> Result<(), TestCaseError> {
    let sum: i64 = ledger.accounts().map(|it| ledger.worth(it)).sum();
    prop_assert_eq!(sum, 0, "all accounts together are nothing");
    for account in accounts() {
        let (available, held) = taken.of(&account);
        if !account.may_be_negative() {
            prop_assert!(0 <= available, "{} gives what it has not", account);
        }
        let balance = ledger.balance(&account);
        let found = balance.map(|it| (it.available.micros(), it.held.micros()));
        let want = u64::try_from(available).ok().zip(u64::try_from(held).ok());
        prop_assert_eq!(found, want, "{}", account);
        if let Some(balance) = balance {
            let incoming = ledger.worth(&account) - available;
            prop_assert_eq!(balance.incoming.micros().cast_signed(), incoming, "{}", account);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn money_is_conserved(sequence in sequences()) {
        let (mut ledger, mut taken) = (Ledger::default(), Taken::default());
        for (second, request) in (0..).zip(sequence) {
            let now = START.plus(Duration::from_secs(second));
            let before = ledger.clone();
            let recorded = match &request {
                Request::Record(transfer) => ledger.record(transfer.clone()).ok(),
                Request::End { hold, outcome } => ledger.end(hold, *outcome, now).ok(),
            };
            prop_assert_eq!(recorded, taken.judge(&request, now), "{:?}", request);
            if recorded == Some(Recorded::Created) {
                taken.take(request);
            } else {
                prop_assert_eq!(&ledger, &before, "{:?} changed something", request);
            }
            check(&ledger, &taken)?;
        }
    }
}
