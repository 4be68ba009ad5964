//! Killed anywhere between a 402 and the 202 that it leads to, and started again: the same payment gets
//! one space, and moves the money once.
//!
//! Method: the edge alone is killed at one named place after the other, as `kill -9` does, so that it
//! comes there after the same number of steps each time. Then the whole product starts again on the same
//! state, and the same payment is sent again until there is an answer. `SPACEPORT_KILLS` says how often;
//! how many runs there were of each place is printed.

use std::{collections::BTreeMap, time::Duration};

use e2e::{BadFacilitator, Client, Conduct, Payment, Payments, Process, Protocol};

use crate::shop::{Buyer, FUNDS, Shop};

/// How many runs there are if nobody says so.
const N_RUNS: usize = 20;
/// How long a killed process may take to be gone once its client lost it.
const DEATH_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a client waits after a kill before it turns to something else: whoever died while it asked
/// the facilitator has the payment for a minute.
const PATIENCE: Duration = Duration::from_secs(3);

/// The places, and how often one request may come there at most.
const PLACES: [(&str, usize); 8] = [
    ("edge:http:before", 8),
    ("edge:http:after", 8),
    ("edge:sql:before", 64),
    ("edge:sql:after", 64),
    ("edge:commit:before", 8),
    ("edge:commit:after", 8),
    ("edge:request", 1),
    ("edge:response", 1),
];

/// One place, and which of the times that a request comes there are still to be tried.
struct Sweep {
    place: &'static str,
    to_come: Vec<usize>,
    n_kills: usize,
    /// Runs that came to their end because the place is not reached so often.
    n_survived: usize,
}

/// A payment that was sent and may have had no answer.
struct Run {
    what: String,
    buyer: Buyer,
    name: String,
    payment: Payment,
}

struct Kills {
    shop: Shop,
    facilitator: BadFacilitator,
    n_runs: usize,
    /// Those whose payment somebody has who died.
    open: Vec<Run>,
    /// The buyers whose spaces are being deleted, and the spaces.
    leaving: Vec<(Buyer, String)>,
}

impl Sweep {
    /// All numbers up to `n_max`, so that any beginning of them is spread over all.
    fn new(place: &'static str, n_max: usize) -> Self {
        let bits = n_max.ilog2();
        let reversed =
            |it: usize| (0..bits).fold(0, |sum, bit| sum | (it >> bit & 1) << (bits - 1 - bit));
        let to_come = (0..n_max).rev().map(|it| reversed(it) + 1).collect();
        Self { place, to_come, n_kills: 0, n_survived: 0 }
    }
}

impl Kills {
    fn start() -> Self {
        let payments = Payments::start();
        let facilitator = BadFacilitator::before(&payments.facilitator(), Conduct::Forwards);
        let shop = Shop::with(payments, &facilitator.url());
        Self { shop, facilitator, n_runs: 0, open: Vec::new(), leaving: Vec::new() }
    }

    /// Pays for a space with an edge that is killed when it comes to `place` for the `n`-th time. Whether
    /// it came there.
    fn kill(&mut self, place: &str, n: usize) -> bool {
        self.n_runs += 1;
        let (buyer, name) = (self.shop.buyer(), format!("run-{}", self.n_runs));
        let protocol = [Protocol::V1, Protocol::V2][self.n_runs % 2];
        let payment = self.shop.payment(protocol, &buyer, &name);
        let run = Run { what: format!("{place}@{n}, {protocol:?}"), buyer, name, payment };
        self.shop.installation.stop();
        self.shop.installation.edge_to_failpoint(&format!("{place}@{n}"));
        // So the chain is asked, too.
        if place.starts_with("edge:http") {
            self.facilitator.becomes(Conduct::SettlesAndDrops);
        }
        let answer = run.buyer.try_ask(&self.shop.edge(), &run.name, &run.payment);
        self.facilitator.becomes(Conduct::Forwards);
        let is_killed = answer.is_none();
        if let Some(answer) = answer {
            assert_eq!(answer.status, 202, "{}: {}", run.what, answer.text);
        } else {
            let status = self.shop.installation.process().wait(DEATH_TIME_MAX);
            let status = status.unwrap_or_else(|| panic!("{}: no answer, and it runs", run.what));
            assert!(Process::was_killed(status), "{}: it ended with {status}", run.what);
        }
        self.shop.installation.kill();
        self.shop.installation.up();

        let hasty = Client::with_patience(self.shop.edge().origin(), PATIENCE);
        match run.buyer.try_ask(&hasty, &run.name, &run.payment) {
            Some(answer) if answer.status != 503 => self.finish(&run),
            _ => self.open.push(run),
        }
        is_killed
    }

    /// Sends the payment until there is an answer, and checks what came of it.
    fn finish(&mut self, run: &Run) {
        let Run { what, buyer, name, payment } = run;
        let made = Shop::insist(buyer, name, payment);
        assert_eq!(made.status, 202, "{what}: {}", made.text);
        assert_eq!(buyer.n_spaces(), 1, "{what}");
        let authorization = &payment.content["payload"]["authorization"];
        let price: u64 = authorization["value"].as_str().unwrap().parse().unwrap();
        let spent = FUNDS - self.shop.payments.balance(&buyer.key.address);
        assert_eq!((spent, buyer.credited()), (price, price), "{what}: on the chain, credited");
        assert_eq!(self.shop.audit()["books"]["balance"], true, "{what}");
        let again = buyer.ask(name, payment);
        assert_eq!((again.status.as_u16(), &again.text), (202, &made.text), "{what}");
        let gone = buyer.tenant.delete(&made.field("id"));
        assert_eq!(gone.status, 202, "{what}: {}", gone.text);
        self.leaving.push((buyer.clone(), made.field("id")));
    }
}

fn n_runs() -> usize {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the test says it so")]
    let said = std::env::var("SPACEPORT_KILLS");
    said.map_or(N_RUNS, |it| it.parse().expect("SPACEPORT_KILLS is a number"))
}

#[test]
fn a_payment_survives_the_death_of_the_edge_at_any_point() {
    let mut kills = Kills::start();
    let mut sweeps: Vec<Sweep> = PLACES.iter().map(|(place, n)| Sweep::new(place, *n)).collect();
    let n_runs = n_runs();
    // Those at which somebody dies who asks the facilitator come first: their minute passes meanwhile.
    let share = n_runs.div_ceil(sweeps.len());
    while kills.n_runs < n_runs && sweeps.iter().any(|it| !it.to_come.is_empty()) {
        for sweep in &mut sweeps {
            for _ in 0..share.min(n_runs - kills.n_runs) {
                let Some(n) = sweep.to_come.pop() else { break };
                if kills.kill(sweep.place, n) {
                    sweep.n_kills += 1;
                } else {
                    sweep.n_survived += 1;
                    sweep.to_come.retain(|it| *it < n);
                }
            }
        }
    }
    for run in std::mem::take(&mut kills.open) {
        kills.finish(&run);
    }
    let n_paid = u64::try_from(kills.n_runs).unwrap();
    assert_eq!(kills.shop.payments.n_transfers(), n_paid, "each payment moves the money once");
    kills.shop.check_books(0);
    for (buyer, space) in &kills.leaving {
        buyer.tenant.wait_for(space, "deleted");
    }

    let counts: BTreeMap<_, _> =
        sweeps.iter().map(|it| (it.place, (it.n_kills, it.n_survived))).collect();
    let n_kills: usize = sweeps.iter().map(|it| it.n_kills).sum();
    println!(
        "{n_kills} kills in {} runs; of each place (kills, not reached): {counts:?}",
        kills.n_runs
    );
    for sweep in sweeps {
        assert!(sweep.n_kills > 0, "never came to {}", sweep.place);
    }
}
