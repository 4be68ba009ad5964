//! Paying with x402 as others do it: the official clients and a facilitator, on a chain with USDC, as
//! `scripts/dev-payments` starts them.

use http::{HeaderMap, HeaderName, StatusCode, request::Builder};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    node::{Node, text},
    signer::Key,
};

/// A chain, a facilitator and clients that pay, until they are dropped.
#[derive(Debug)]
pub struct Payments {
    node: Node,
    ready: Value,
    chain: Client,
}

/// A version of x402.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A bill in the body, a payment in `X-PAYMENT`.
    V1,
    /// A bill in `PAYMENT-REQUIRED`, a payment in `PAYMENT-SIGNATURE`.
    V2,
}

/// What an official client got.
#[derive(Clone, Debug)]
pub struct Paid {
    /// The answer that it gave to whoever uses it.
    pub answer: Answer,
    /// What it sent, and what was answered to that.
    pub exchanges: Vec<Exchange>,
}

/// One request of an official client.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The headers that it sent.
    pub sent: HeaderMap,
    /// What was answered.
    pub answer: Answer,
}

/// A payment that was signed, and not sent.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The name of its header.
    pub header: String,
    /// The value of its header.
    pub value: String,
    /// What is in it.
    pub content: Value,
}

/// What a facilitator tells us of a payment.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its headers, the signature among them.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Payments {
    /// Starts it all.
    #[must_use]
    pub fn start() -> Self {
        let node = Node::start("payer.mjs", &[]);
        let ready = node.hear();
        let chain = Client::new(&text(&ready, "rpc"));
        Self { node, ready, chain }
    }

    /// Where the RPC of the chain is.
    #[must_use]
    pub fn rpc(&self) -> &str {
        self.chain.origin()
    }

    /// The id of the chain.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.ready["chain_id"].as_u64().expect("a chain has a number")
    }

    /// The chain as x402 names it: `eip155:84532`.
    #[must_use]
    pub fn network(&self) -> String {
        format!("eip155:{}", self.chain_id())
    }

    /// Where the facilitator is.
    #[must_use]
    pub fn facilitator(&self) -> String {
        text(&self.ready, "facilitator")
    }

    /// The contract of USDC.
    #[must_use]
    pub fn usdc(&self) -> String {
        text(&self.ready, "usdc")
    }

    /// The contract of a token of 18 places, of which the buyer has a thousand.
    #[must_use]
    pub fn gate_token(&self) -> String {
        text(&self.ready, "gate_token")
    }

    /// An address to be paid at.
    #[must_use]
    pub fn pay_to(&self) -> String {
        text(&self.ready, "pay_to")
    }

    /// The private key of an account with a million USDC.
    #[must_use]
    pub fn buyer(&self) -> String {
        text(&self.ready, "buyer_private_key")
    }

    /// An account that nobody has seen before, with `amount` µUSD in USDC.
    #[must_use]
    pub fn fresh_buyer(&self, amount: u64) -> Key {
        let answer = self.node.ask(&json!({ "act": "fresh" }));
        let key = Key { key: text(&answer, "key"), address: text(&answer, "address") };
        self.fund(&key.address, amount);
        key
    }

    /// Gives `amount` µUSD in USDC to an address.
    pub fn fund(&self, address: &str, amount: u64) {
        let amount = amount.to_string();
        let _ = self.node.ask(&json!({ "act": "fund", "address": address, "amount": amount }));
    }

    /// What an address has, in µUSD.
    #[must_use]
    pub fn balance(&self, address: &str) -> u64 {
        let answer = self.node.ask(&json!({ "act": "balance", "address": address }));
        text(&answer, "balance").parse().expect("nobody has more")
    }

    /// How many payments have come to [`pay_to`](Self::pay_to).
    #[must_use]
    pub fn n_transfers(&self) -> u64 {
        let answer = self.node.ask(&json!({ "act": "transfers" }));
        answer["n_transfers"].as_u64().expect("a number")
    }

    /// A wallet (EIP-1271) on the chain that agrees with what the key of `owner` signed.
    #[must_use]
    pub fn wallet(&self, owner: &str) -> String {
        text(&self.node.ask(&json!({ "act": "wallet", "owner": owner })), "address")
    }

    /// Posts `body` to `url` with `headers` by an official client, which pays with `key` if it is to.
    #[must_use]
    pub fn pay(
        &self,
        protocol: Protocol,
        key: &str,
        url: &str,
        headers: &Value,
        body: &Value,
    ) -> Paid {
        let answer = self.node.ask(&json!({ "act": "pay", "protocol": protocol.name(),
            "key": key, "url": url, "method": "POST", "headers": headers, "body": body }));
        let exchanges = answer["exchanges"].as_array().expect("a list").iter();
        let exchanges = exchanges.map(|it| Exchange {
            sent: header_map(&it["request"]),
            answer: answer_of(&it["response"]),
        });
        Paid { exchanges: exchanges.collect(), answer: answer_of(&answer) }
    }

    /// The bill that comes with a 402: `accepts` and what else is in it.
    #[must_use]
    pub fn bill(&self, protocol: Protocol, answer: &Answer) -> Value {
        match protocol {
            Protocol::V1 => answer.json.clone(),
            Protocol::V2 => self.decode(answer.header("payment-required")),
        }
    }

    /// What an answer says of the payment that came with the request.
    #[must_use]
    pub fn settlement(&self, protocol: Protocol, answer: &Answer) -> Value {
        self.decode(answer.header(match protocol {
            Protocol::V1 => "x-payment-response",
            Protocol::V2 => "payment-response",
        }))
    }

    fn decode(&self, header: &str) -> Value {
        self.node.ask(&json!({ "act": "decode", "header": header }))["content"].take()
    }

    /// A payment with `key` for one of those requirements that a bill accepts. What is to be wrong with
    /// it is in `spoilt`: see `tests/clients/payments.mjs`.
    #[must_use]
    pub fn sign(
        &self,
        protocol: Protocol,
        key: &str,
        requirements: &Value,
        spoilt: &Value,
    ) -> Payment {
        let mut request = json!({ "act": "sign", "protocol": protocol.name(), "key": key,
            "requirements": requirements });
        for (name, value) in spoilt.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        let mut answer = self.node.ask(&request);
        Payment {
            header: text(&answer, "header"),
            value: text(&answer, "value"),
            content: answer["payment"].take(),
        }
    }

    /// What a facilitator tells us `about` a payment, sent `age` seconds ago and signed with `secret` in
    /// the way of this `kind`: see `tests/clients/payments.mjs`.
    #[must_use]
    pub fn webhook(&self, kind: &str, secret: &str, about: &Value, age: i64) -> Webhook {
        let answer = self.node.ask(&json!({ "act": "webhook", "kind": kind, "secret": secret,
            "about": about, "age": age }));
        Webhook { headers: header_map(&answer["headers"]), body: text(&answer, "body") }
    }

    /// The signature that the library of Standard Webhooks makes of a message.
    #[must_use]
    pub fn standard_signature(&self, secret: &str, id: &str, timestamp: u64, body: &str) -> String {
        let answer = self.node.ask(&json!({ "act": "standard", "secret": secret, "id": id,
            "timestamp": timestamp, "body": body }));
        text(&answer, "signature")
    }

    /// Brings a signed payment to the chain past every facilitator.
    pub fn submit(&self, payment: &Payment) {
        let _ = self.node.ask(&json!({ "act": "submit", "payment": payment.content }));
    }

    /// From now on transactions wait for [`mine`](Self::mine).
    pub fn pause_mining(&self) {
        self.tell_chain("evm_setAutomine", &json!([false]));
    }

    /// Puts everything that waits into a block.
    pub fn mine(&self) {
        self.tell_chain("evm_mine", &json!([]));
    }

    /// Puts the clock of the chain forward.
    pub fn put_clock_forward(&self, seconds: u64) {
        self.tell_chain("evm_increaseTime", &json!([seconds]));
    }

    /// From now on each transaction gets a block at once.
    pub fn resume_mining(&self) {
        self.mine();
        self.tell_chain("evm_setAutomine", &json!([true]));
    }

    /// Past Node, which may be busy with a payment that waits for it.
    fn tell_chain(&self, method: &str, params: &Value) {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.chain.post("/", None, &call);
        assert!(answer.json["error"].is_null(), "{method}: {}", answer.text);
    }
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

impl Payment {
    /// `request` with this payment.
    #[must_use]
    pub fn with(&self, request: Builder) -> Builder {
        request.header(&self.header, &self.value)
    }
}

fn answer_of(answer: &Value) -> Answer {
    let status = answer["status"].as_u64().and_then(|it| u16::try_from(it).ok());
    let body = &answer["body"];
    Answer {
        status: StatusCode::from_u16(status.expect("a number")).expect("a status"),
        headers: header_map(&answer["headers"]),
        text: body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned),
        json: if body.is_string() { Value::Null } else { body.clone() },
    }
}

fn header_map(headers: &Value) -> HeaderMap {
    let headers = headers.as_object().expect("headers").iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("a name");
        (name, value.as_str().expect("text").parse().expect("a value"))
    });
    headers.collect()
}
