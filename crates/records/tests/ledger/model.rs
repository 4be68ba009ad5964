//! The records move money by the rules of `ledger::Ledger`, whatever is asked of them.
//!
//! Method: random requests go to the records, and what they mean for money goes to a ledger in
//! memory, with the little else that decides: which spaces live, and which have run. After each
//! request every account must have the same in both, and be the sum of its lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use domain::{ObservedState, Timestamp};
use ledger::{Account, HoldEnd, Kind, Ledger, Recorded, Transfer, TransferError};
use proptest::prelude::*;
use records::{Charge, Claim, NewPayment, PaidAnswer, Records, Serving};
use testkit::TestDatabase;

use crate::scene::{
    LEASE, START, create, delete, find, hash, key, micros, open, outside, payment, see, settle,
    space, space_id, top_up, wallet,
};

/// Spaces and payments are drawn by number: the space is that modulo how many there are.
#[derive(Clone, Debug)]
enum Request {
    /// Payment `number` is made, or made again.
    Pay { number: u8, payer: u8, amount: u64, into: Option<u8> },
    /// A space is made, if there is money for it.
    Create { owner: u8, asked: u64, honoured: Option<u64>, held_for_s: u64 },
    /// It runs.
    Ready { space: u8 },
    /// Its owner wants it deleted, and it has cost so much since it first ran.
    Delete { space: u8, used: u64 },
    /// Someone gives it money, with the key `number`.
    TopUp { number: u8, payer: u8, space: u8, amount: u64 },
    /// What payment `number` is for is done by a handler that keeps no books.
    Serve { number: u8 },
    /// Time goes on.
    Wait { seconds: u64 },
    /// What was held too long is let go of, and the space with it.
    Expire,
}

fn requests() -> impl Strategy<Value = Request> {
    use Request::{Create, Delete, Expire, Pay, Ready, Serve, TopUp, Wait};
    let wallet = || 1..3_u8;
    prop_oneof![
        4 => (0..10_u8, wallet(), 1..20_u64, prop::option::weighted(0.3, any::<u8>()))
            .prop_map(|(number, payer, amount, into)| Pay { number, payer, amount, into }),
        4 => (wallet(), 0..12_u64, prop::option::of(0..12_u64), 0..30_u64).prop_map(
            |(owner, asked, honoured, held_for_s)| Create { owner, asked, honoured, held_for_s }
        ),
        3 => any::<u8>().prop_map(|space| Ready { space }),
        2 => (any::<u8>(), 0..12_u64).prop_map(|(space, used)| Delete { space, used }),
        4 => (0..10_u8, wallet(), any::<u8>(), 1..12_u64)
            .prop_map(|(number, payer, space, amount)| TopUp { number, payer, space, amount }),
        2 => (0..10_u8).prop_map(|number| Serve { number }),
        2 => (1..20_u64).prop_map(|seconds| Wait { seconds }),
        2 => Just(Expire),
    ]
}

/// A space, as far as it decides about money.
struct Space {
    owner: u8,
    is_living: bool,
    has_run: bool,
}

/// Both sides, and what both are told.
struct Pair {
    records: Records<TestDatabase>,
    ledger: Ledger,
    now: Timestamp,
    spaces: Vec<Space>,
    payments: BTreeMap<u8, NewPayment>,
    /// Holds that have not ended, by their ids, and when they may expire.
    holds: BTreeMap<String, Timestamp>,
    top_ups: BTreeMap<u8, Transfer>,
    served: BTreeSet<u8>,
}

fn name(index: usize) -> String {
    format!("s{index}")
}

fn first_month(index: usize) -> String {
    format!("first-month:{}", space_id(&name(index)))
}

impl Pair {
    async fn new() -> Self {
        Self {
            records: open(Path::new(":memory:")).await,
            ledger: Ledger::default(),
            now: START,
            spaces: Vec::new(),
            payments: BTreeMap::new(),
            holds: BTreeMap::new(),
            top_ups: BTreeMap::new(),
            served: BTreeSet::new(),
        }
    }

    /// The space that `drawn` stands for.
    fn index(&self, drawn: u8) -> Option<usize> {
        usize::from(drawn).checked_rem(self.spaces.len())
    }

    fn available(&self, account: &Account) -> u64 {
        self.ledger.balance(account).unwrap().available.micros()
    }

    fn record(&mut self, id: &str, debit: Account, credit: Account, amount: u64, kind: Kind) {
        let (id, amount) = (id.to_owned(), micros(amount));
        let transfer = Transfer { id, debit, credit, amount, kind, expires_at: None };
        assert_eq!(self.ledger.record(transfer), Ok(Recorded::Created));
    }

    fn end(&mut self, hold: &str, outcome: HoldEnd) {
        if self.holds.remove(hold).is_some() {
            assert_eq!(self.ledger.end(hold, outcome, self.now), Ok(Recorded::Created));
        }
    }

    async fn take(&mut self, request: &Request) {
        match *request {
            Request::Pay { number, payer, amount, into } => {
                self.pay(number, payer, amount, into).await;
            }
            Request::Create { owner, asked, honoured, held_for_s } => {
                self.create(owner, asked, honoured, held_for_s).await;
            }
            Request::Ready { space } => self.ready(space).await,
            Request::Delete { space, used } => self.delete(space, used).await,
            Request::TopUp { number, payer, space, amount } => {
                self.top_up(number, payer, space, amount).await;
            }
            Request::Serve { number } => self.serve(number).await,
            Request::Wait { seconds } => self.now = self.now.plus(Duration::from_secs(seconds)),
            Request::Expire => self.expire().await,
        }
    }

    async fn pay(&mut self, number: u8, payer: u8, amount: u64, into: Option<u8>) {
        let into = into.and_then(|it| self.index(it));
        let account = into.map_or_else(|| wallet(payer), |it| space(&name(it)));
        let is_new = !self.payments.contains_key(&number);
        let drawn = NewPayment { account, ..payment(number, payer, amount) };
        let new = self.payments.entry(number).or_insert(drawn).clone();
        let claim = self.records.claim_payment(&new, START, LEASE).await.unwrap();
        assert_eq!(matches!(claim, Claim::Ours { .. }), is_new, "{claim:?}");
        // Whoever settles it again has heard of another transaction.
        let transaction = hash(if is_new { 1 } else { 2 });
        let record = settle(&self.records, &new, &transaction).await;
        assert_eq!(record.transaction, Some(hash(1)));
        if is_new {
            let is_gone = into.is_some_and(|it| !self.spaces[it].is_living);
            let account = if is_gone { wallet(payer) } else { new.account };
            self.record(&new.id.to_string(), outside(), account.clone(), amount, Kind::Payment);
            self.payments.entry(number).and_modify(|it| it.account = account);
        }
    }

    async fn create(&mut self, owner: u8, asked: u64, honoured: Option<u64>, held_for_s: u64) {
        let index = self.spaces.len();
        let hold_until = self.now.plus(Duration::from_secs(held_for_s));
        let charge = Charge { asked: micros(asked), honoured: honoured.map(micros), hold_until };
        let made = create(&self.records, &name(index), owner, Some(charge), None).await;
        let available = self.available(&wallet(owner));
        let good = [Some(asked), honoured].into_iter().flatten().filter(|it| *it <= available);
        let Some(amount) = good.max() else {
            assert!(made.is_err(), "{made:?} for {asked} or {honoured:?} of {available}");
            return;
        };
        assert!(made.is_ok(), "{made:?} for {asked} or {honoured:?} of {available}");
        self.spaces.push(Space { owner, is_living: true, has_run: false });
        let hold = Transfer {
            id: first_month(index),
            debit: wallet(owner),
            credit: space(&name(index)),
            amount: micros(amount),
            kind: Kind::FirstMonth,
            expires_at: Some(hold_until),
        };
        if amount != 0 {
            self.holds.insert(hold.id.clone(), hold_until);
            assert_eq!(self.ledger.record(hold), Ok(Recorded::Created));
        }
    }

    async fn ready(&mut self, drawn: u8) {
        let Some(index) = self.index(drawn) else { return };
        let space = &mut self.spaces[index];
        see(&self.records, space.owner, &name(index), ObservedState::Ready).await;
        if space.is_living && !space.has_run {
            space.has_run = true;
            self.end(&first_month(index), HoldEnd::Posted);
        }
    }

    async fn delete(&mut self, drawn: u8, used: u64) {
        let Some(index) = self.index(drawn) else { return };
        delete(&self.records, &name(index), used).await.unwrap();
        self.end(&first_month(index), HoldEnd::Voided);
        self.settle_up(index, used);
    }

    /// A space is gone: what it has cost is earned, and its owner has the rest.
    fn settle_up(&mut self, index: usize, used: u64) {
        if !std::mem::replace(&mut self.spaces[index].is_living, false) {
            return;
        }
        let (account, owner) = (space(&name(index)), wallet(self.spaces[index].owner));
        let left = self.available(&account);
        let earned = used.min(left);
        if earned != 0 {
            let id = format!("usage:{index}");
            self.record(&id, account.clone(), Account::Revenue, earned, Kind::Usage);
        }
        if earned != left {
            self.record(&format!("refund:{index}"), account, owner, left - earned, Kind::Refund);
        }
    }

    async fn top_up(&mut self, number: u8, payer: u8, drawn: u8, amount: u64) {
        let Some(index) = self.index(drawn) else { return };
        let (id, key) = (format!("top-up-{number}"), key(&number.to_string(), "b"));
        let done = top_up(&self.records, &name(index), payer, amount, &id, Some(&key)).await;
        if let Some(first) = self.top_ups.get(&number) {
            assert_eq!(done.unwrap().body, id, "it was done");
            assert_eq!(self.ledger.record(first.clone()), Ok(Recorded::Exists));
            return;
        }
        let transfer = Transfer {
            id,
            debit: wallet(payer),
            credit: space(&name(index)),
            amount: micros(amount),
            kind: Kind::TopUp,
            expires_at: None,
        };
        let is_taken = self.spaces[index].is_living && self.ledger.record(transfer.clone()).is_ok();
        assert_eq!(done.is_ok(), is_taken, "{done:?} for {transfer:?}");
        if is_taken {
            self.top_ups.insert(number, transfer);
        }
    }

    async fn serve(&mut self, number: u8) {
        let Some(new) = self.payments.get(&number).cloned() else { return };
        if !matches!(new.account, Account::Wallet(_)) {
            return;
        }
        let record = self.records.payment(&new.id).await.unwrap().unwrap();
        let serving = self.records.begin_serving(&record, self.now, LEASE).await.unwrap();
        let charge = Transfer {
            id: format!("charge:{}", new.id),
            debit: new.account.clone(),
            credit: Account::Revenue,
            amount: new.amount,
            kind: Kind::Charge,
            expires_at: None,
        };
        let answer =
            PaidAnswer { status: 200, headers: "[]".to_owned(), body_base64: String::new() };
        if self.served.contains(&number) {
            assert_eq!(serving, Serving::Answered(answer));
            return;
        }
        match serving {
            Serving::Ours(hold) => {
                assert_eq!(self.ledger.record(charge), Ok(Recorded::Created));
                self.records.finish_serving(&new.id, &hold, &answer, self.now).await.unwrap();
                self.served.insert(number);
            }
            other => {
                assert_eq!(other, Serving::Spent);
                assert_eq!(self.ledger.record(charge), Err(TransferError::NotEnough));
            }
        }
    }

    async fn expire(&mut self) {
        let ended = self.records.expire_holds(self.now).await.unwrap();
        let over = self.holds.iter().filter(|it| *it.1 <= self.now);
        let over: Vec<_> = over.map(|it| it.0.clone()).collect();
        assert_eq!(ended, over.len());
        for hold in over {
            self.end(&hold, HoldEnd::Expired);
            let index = (0..self.spaces.len()).find(|it| first_month(*it) == hold);
            self.settle_up(index.unwrap(), 0);
        }
    }

    async fn compare(&self) {
        let spaces = (0..self.spaces.len()).map(|it| space(&name(it)));
        let inside = [wallet(1), wallet(2), Account::Revenue].into_iter().chain(spaces);
        for account in inside {
            let found = self.records.balance(&account).await.unwrap();
            let found = (found.available, found.held, found.incoming);
            let want = self.ledger.balance(&account).unwrap();
            assert_eq!(found, (want.available, want.held, want.incoming), "{account}");
            self.compare_lines(&account).await;
        }
        self.compare_lines(&outside()).await;
        for (index, space) in self.spaces.iter().enumerate() {
            let shown = find(&self.records, space.owner, &name(index)).await.balance.micros();
            assert_eq!(shown.cast_signed(), self.ledger.worth(&crate::scene::space(&name(index))));
        }
        let audit = self.records.audit(START).await.unwrap();
        assert!(audit.is_balanced(), "{audit:?}");
    }

    async fn compare_lines(&self, account: &Account) {
        let entries = self.records.entries(account, None, 1000).await.unwrap();
        let lines = entries.iter().map(|it| {
            let amount = it.amount.micros().cast_signed();
            if it.credit == *account { amount } else { -amount }
        });
        assert_eq!(lines.sum::<i64>(), self.ledger.worth(account), "{account}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_records_keep_to_the_rules(requests in prop::collection::vec(requests(), 1..40)) {
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        executor.block_on(async {
            let mut pair = Pair::new().await;
            for request in &requests {
                pair.take(request).await;
                pair.compare().await;
            }
        });
    }
}
