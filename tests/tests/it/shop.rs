//! An installation that is paid, and those who pay it.

use std::{thread, time::Duration};

use e2e::{
    ANVIL_KEY, Answer, Client, Installation, Key, Payment, Payments, Protocol, Signer, Tenant,
    within,
};
use http::Method;
use serde_json::{Value, json};

use crate::edge::hello;

/// What a buyer has in the beginning, in µUSD.
pub(crate) const FUNDS: u64 = 100_000_000;
/// With what the cron trigger calls, in tests.
pub(crate) const CRON_KEY: &str = "the key of a cron trigger, in tests only";
/// What webhooks are signed with, in tests. It is base64, too.
pub(crate) const WEBHOOK_SECRET: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
/// The longest it may take until a payment is resolved: somebody who asked a facilitator and died has
/// it for a minute.
const RESOLVE_TIME_MAX: Duration = Duration::from_secs(100);

/// An installation that is paid, the chain on which that happens, and its operator.
pub(crate) struct Shop {
    pub(crate) installation: Installation,
    pub(crate) payments: Payments,
    signer: Signer,
    operator: Tenant,
    buyers: Vec<Buyer>,
}

/// A wallet with money, signed in.
#[derive(Clone, Debug)]
pub(crate) struct Buyer {
    pub(crate) key: Key,
    pub(crate) tenant: Tenant,
}

impl Shop {
    /// One whose payments the reference facilitator settles.
    pub(crate) fn open() -> Self {
        let payments = Payments::start();
        let facilitator = payments.facilitator();
        Self::with(payments, &facilitator)
    }

    /// One whose payments are settled at `facilitators`.
    pub(crate) fn with(payments: Payments, facilitators: &str) -> Self {
        Self::of(Installation::default(), payments, facilitators)
    }

    /// This one, paid by way of `facilitators`.
    pub(crate) fn of(installation: Installation, payments: Payments, facilitators: &str) -> Self {
        let signer = Signer::start();
        let operator = signer.text(ANVIL_KEY, "who is it?").address;
        let rpc_urls = json!({ payments.chain_id().to_string(): [payments.rpc()] });
        let mut installation = installation
            .with_steady_edge()
            .with_variable("admin_addresses", &operator)
            .with_variable("cron_key", CRON_KEY)
            .with_variable("facilitator_webhook_secret", WEBHOOK_SECRET)
            .with_variable("x402_pay_to", &payments.pay_to())
            .with_variable("x402_networks", &payments.network())
            .with_variable("x402_facilitator_url", facilitators)
            .with_variable("rpc_urls", &rpc_urls.to_string());
        installation.up();
        let operator = Tenant::sign_in(&installation.edge(), &signer, ANVIL_KEY);
        Self { installation, payments, signer, operator, buyers: Vec::new() }
    }

    pub(crate) fn edge(&self) -> Client {
        self.installation.edge()
    }

    /// A wallet that nobody has seen before, with money and a session.
    pub(crate) fn buyer(&mut self) -> Buyer {
        let key = self.payments.fresh_buyer(FUNDS);
        let tenant = Tenant::sign_in(&self.edge(), &self.signer, &key.key);
        let buyer = Buyer { key, tenant };
        self.buyers.push(buyer.clone());
        buyer
    }

    /// What the space `name` costs: the first of the requirements.
    pub(crate) fn asked(&self, protocol: Protocol, buyer: &Buyer, name: &str) -> Value {
        let answer = buyer.tenant.post("/v1/spaces", &hello(name));
        assert_eq!(answer.status, 402, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        self.payments.bill(protocol, &answer)["accepts"][0].take()
    }

    /// A payment for the space `name`, spoilt as `Payments::sign` has it.
    pub(crate) fn spoilt(
        &self,
        protocol: Protocol,
        buyer: &Buyer,
        name: &str,
        spoilt: &Value,
    ) -> Payment {
        let asked = self.asked(protocol, buyer, name);
        self.payments.sign(protocol, &buyer.key.key, &asked, spoilt)
    }

    /// A payment for the space `name`.
    pub(crate) fn payment(&self, protocol: Protocol, buyer: &Buyer, name: &str) -> Payment {
        self.spoilt(protocol, buyer, name, &json!({}))
    }

    /// The first answer that is not "not known yet" to the space `name` with this payment, which is sent
    /// again as the answers say.
    pub(crate) fn insist(buyer: &Buyer, name: &str, payment: &Payment) -> Answer {
        let answer = within(RESOLVE_TIME_MAX, || {
            let answer = buyer.ask(name, payment);
            if answer.status != 503 {
                return Some(answer);
            }
            assert_eq!(answer.field("code"), "settlement-pending", "{}", answer.text);
            thread::sleep(Duration::from_secs(answer.header("retry-after").parse().unwrap()));
            None
        });
        answer.unwrap_or_else(|| panic!("{name} is pending after {RESOLVE_TIME_MAX:?}"))
    }

    /// What became of the payment that a 503 names.
    pub(crate) fn state_of(&self, pending: &Answer) -> Value {
        self.edge().get(&format!("/v1/payments/{}", pending.field("payment")), None).json
    }

    /// Has the job look into payments.
    pub(crate) fn run_job(&self) -> Value {
        self.run("payments")
    }

    /// Has the job charge, close months, and mind those without money.
    pub(crate) fn bill(&self) -> Value {
        self.run("billing")
    }

    fn run(&self, job: &str) -> Value {
        let path = format!("/internal/cron/{job}");
        let answer = self.edge().post(&path, Some(CRON_KEY), &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// What the operator reads of the books.
    pub(crate) fn audit(&self) -> Value {
        let answer = self.operator.get("/v1/admin/audit");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// Checks that nothing is wrong or open in the books, and that what came in by them, to wallets and
    /// `elsewhere`, is what came in on the chain.
    pub(crate) fn check_books(&self, elsewhere: u64) {
        let audit = self.audit();
        assert_eq!(
            (&audit["ok"], &audit["books"]["balance"]),
            (&json!(true), &json!(true)),
            "{audit:#}"
        );
        let credited: u64 = self.buyers.iter().map(Buyer::credited).sum();
        let on_chain = self.payments.balance(&self.payments.pay_to());
        assert_eq!(credited + elsewhere, on_chain, "credited, and paid on the chain");
    }
}

impl Buyer {
    /// Asks for the space `name`, with a payment.
    pub(crate) fn ask(&self, name: &str, payment: &Payment) -> Answer {
        let header = (&*payment.header, &*payment.value);
        self.tenant.post_with("/v1/spaces", &hello(name), &[header])
    }

    /// The same by way of another client; perhaps there is no answer.
    pub(crate) fn try_ask(&self, client: &Client, name: &str, payment: &Payment) -> Option<Answer> {
        let request = client
            .request(Method::POST, "/v1/spaces")
            .header("authorization", format!("Bearer {}", self.tenant.token))
            .header("content-type", "application/json");
        client.try_send(payment.with(request), Some(hello(name).to_string().into_bytes())).ok()
    }

    /// What came in on the wallet from outside, in µUSD.
    pub(crate) fn credited(&self) -> u64 {
        let wallet = self.tenant.get("/v1/wallet").json;
        let lines = wallet["ledger"].as_array().unwrap().iter();
        lines
            .filter(|it| it["kind"] == "payment")
            .map(|it| micros(&it["amount"]).unsigned_abs())
            .sum()
    }

    /// How many spaces it has.
    pub(crate) fn n_spaces(&self) -> usize {
        self.tenant.get("/v1/spaces").json["items"].as_array().unwrap().len()
    }
}

/// An amount in µUSD.
pub(crate) fn micros(amount: &Value) -> i64 {
    let text = amount.as_str().unwrap();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |it| (-1, it));
    let (whole, part) = digits.split_once('.').unwrap();
    assert!((2..=6).contains(&part.len()), "{text}");
    sign * format!("{whole}{part:0<6}").parse::<i64>().unwrap()
}

/// The sum over the lines of a ledger, in µUSD.
pub(crate) fn sum(lines: &Value) -> i64 {
    lines.as_array().unwrap().iter().map(|it| micros(&it["amount"])).sum()
}

/// What is to be paid by requirements, in µUSD.
pub(crate) fn price(asked: &Value) -> u64 {
    let amount = asked["amount"].as_str().or(asked["maxAmountRequired"].as_str());
    amount.unwrap_or_else(|| panic!("no amount in {asked}")).parse().unwrap()
}
