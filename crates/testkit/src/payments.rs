//! A chain with USDC and a facilitator, in memory, which fail when a test says so.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, Weak},
};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{
    Eip712Domain, SolCall as _, SolEvent as _, SolStruct as _, eip712_domain, sol,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Wallet;
use evm::{Network as _, Reply, SendError};
use serde_json::{Value, json};

use crate::{TestPlatform, TestWallet};

/// Base Sepolia, where the chain of tests is.
pub const CHAIN_ID: u64 = 84_532;
/// Who is paid in tests.
pub const PAY_TO: &str = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
/// The variables of an edge that is paid on the chain of tests.
pub const PAID: [(&str, &str); 4] = [
    ("x402_pay_to", PAY_TO),
    ("x402_networks", "eip155:84532"),
    ("x402_facilitator_url", "http://facilitator.test"),
    ("rpc_urls", r#"{"84532":["http://node.test"]}"#),
];

const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

sol! {
    struct TransferWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event Transfer(address indexed from, address indexed to, uint256 value);
}

/// How one request to the facilitator goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It settles and says so.
    Works,
    /// No connection comes to be.
    NotSent,
    /// It says that it settled nothing, for this reason, and that is so.
    Refuses(&'static str),
    /// It says so, and that is not so.
    Lies(&'static str),
    /// It settles, and its answer is lost.
    SettlesAndDrops,
    /// Nothing happens, and no answer comes.
    Drops,
    /// It does not settle, and says that a transaction is on its way.
    Pends,
    /// It answers this status and body, and does nothing.
    Answers(u16, &'static str),
}

/// A transaction that moved money.
#[derive(Clone, Debug)]
struct Moved {
    hash: B256,
    from: Address,
    to: Address,
    value: U256,
    nonce: B256,
    block: u64,
}

#[derive(Default)]
struct State {
    fates: VecDeque<Fate>,
    moved: Vec<Moved>,
    n_asked: usize,
    is_chain_down: bool,
}

/// The chain and the facilitator of a test.
#[derive(Clone)]
pub struct TestChain {
    state: Arc<Mutex<State>>,
    platform: Weak<TestPlatform>,
}

impl TestChain {
    /// A chain and a facilitator in the world of `platform`, both of which work.
    #[must_use]
    pub fn start(platform: &Arc<TestPlatform>) -> Self {
        let chain = Self { state: Arc::default(), platform: Arc::downgrade(platform) };
        let own = chain.clone();
        platform.set_node(move |url, body| own.answer(url, body));
        chain
    }

    /// How the next requests to the facilitator go. After them they work.
    pub fn next(&self, fates: impl IntoIterator<Item = Fate>) {
        self.state.lock().unwrap().fates.extend(fates);
    }

    /// Lets the nodes of the chain fail, or answer again.
    pub fn set_down(&self, is_down: bool) {
        self.state.lock().unwrap().is_chain_down = is_down;
    }

    /// How often the facilitator was asked to settle.
    #[must_use]
    pub fn n_asked(&self) -> usize {
        self.state.lock().unwrap().n_asked
    }

    /// What the payee has got, in µUSD, and by how many transactions.
    #[must_use]
    pub fn paid(&self) -> (u64, usize) {
        let state = self.state.lock().unwrap();
        let sum = state.moved.iter().map(|it| u64::try_from(it.value).unwrap()).sum();
        (sum, state.moved.len())
    }

    /// Brings a signed payment to the chain without the facilitator, as anybody can who sees it.
    pub fn submit(&self, payment: &Value) {
        self.settle(&payment["payload"]["authorization"]);
    }

    fn answer(&self, url: &str, body: &str) -> Result<Reply, SendError> {
        let json: Value = serde_json::from_str(body).unwrap();
        if url.starts_with("http://node.test") {
            if self.state.lock().unwrap().is_chain_down {
                return Err(SendError::Unreachable("the chain is down".to_owned()));
            }
            let answers: Vec<Value> =
                json.as_array().unwrap().iter().map(|it| self.rpc(it)).collect();
            return reply(200, &json!(answers));
        }
        self.facilitate(&json)
    }

    fn facilitate(&self, request: &Value) -> Result<Reply, SendError> {
        let fate = {
            let mut state = self.state.lock().unwrap();
            state.n_asked += 1;
            state.fates.pop_front().unwrap_or(Fate::Works)
        };
        let authorization = &request["paymentPayload"]["payload"]["authorization"];
        let network = &request["paymentRequirements"]["network"];
        let payer = &authorization["from"];
        let no = |reason: &str, transaction: &str| {
            json!({ "success": false, "errorReason": reason, "payer": payer,
                "transaction": transaction, "network": network })
        };
        let lost = || SendError::Unreachable("the answer was lost".to_owned());
        match fate {
            Fate::Works => match self.settle(authorization) {
                Some(hash) => {
                    let body = json!({ "success": true, "payer": payer, "transaction": hash,
                        "network": network });
                    reply(200, &body)
                }
                None => reply(200, &no("invalid_exact_evm_nonce_already_used", "")),
            },
            Fate::NotSent => Err(SendError::NotSent("refused".to_owned())),
            Fate::Refuses(reason) => reply(200, &no(reason, "")),
            Fate::Lies(reason) => {
                self.settle(authorization);
                reply(200, &no(reason, ""))
            }
            Fate::SettlesAndDrops => {
                self.settle(authorization);
                Err(lost())
            }
            Fate::Drops => Err(lost()),
            Fate::Pends => {
                let hash = keccak256("on its way").to_string();
                reply(200, &no("settlement_pending", &hash))
            }
            Fate::Answers(status, body) => Ok(Reply { status, body: body.as_bytes().to_vec() }),
        }
    }

    /// What the token does: takes a nonce once. The hash of the transaction, if it did.
    fn settle(&self, authorization: &Value) -> Option<B256> {
        let text = |name: &str| authorization[name].as_str().unwrap().to_owned();
        let mut state = self.state.lock().unwrap();
        let (from, nonce): (Address, B256) =
            (text("from").parse().unwrap(), text("nonce").parse().unwrap());
        if state.moved.iter().any(|it| it.from == from && it.nonce == nonce) {
            return None;
        }
        let hash = keccak256([from.as_slice(), nonce.as_slice()].concat());
        state.moved.push(Moved {
            hash,
            from,
            to: text("to").parse().unwrap(),
            value: text("value").parse().unwrap(),
            nonce,
            block: self.now_s() / 2,
        });
        Some(hash)
    }

    fn now_s(&self) -> u64 {
        u64::try_from(self.platform.upgrade().unwrap().now().unix_s()).unwrap()
    }

    fn rpc(&self, request: &Value) -> Value {
        let params = &request["params"];
        let result = match request["method"].as_str().unwrap() {
            "eth_chainId" => json!(format!("{CHAIN_ID:#x}")),
            // A block every two seconds.
            "eth_getBlockByNumber" => {
                let number = match params[0].as_str().unwrap() {
                    "latest" => self.now_s() / 2,
                    number => quantity(number),
                };
                json!({ "number": format!("{number:#x}"), "timestamp": format!("{:#x}", number * 2) })
            }
            // A program that asks a contract for a signature: there are no contract wallets here.
            "eth_call" if params[0].get("to").is_none() => json!(B256::ZERO),
            "eth_call" => json!(B256::with_last_byte(u8::from(self.is_used(params)))),
            "eth_getLogs" => self.logs(&params[0]),
            "eth_getTransactionReceipt" => self.receipt(params[0].as_str().unwrap()),
            other => panic!("the chain of tests has no {other}"),
        };
        json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })
    }

    fn is_used(&self, params: &Value) -> bool {
        let data: Bytes = params[0]["data"].as_str().unwrap().parse().unwrap();
        let call = authorizationStateCall::abi_decode(&data).unwrap();
        let block = params[1].as_str().unwrap();
        let last = if block == "latest" { u64::MAX } else { quantity(block) };
        let state = self.state.lock().unwrap();
        let is_it = |it: &&Moved| it.from == call.authorizer && it.nonce == call.nonce;
        state.moved.iter().find(is_it).is_some_and(|it| it.block <= last)
    }

    fn logs(&self, filter: &Value) -> Value {
        let bound = |name: &str| quantity(filter[name].as_str().unwrap());
        let (first, last) = (bound("fromBlock"), bound("toBlock"));
        let has = |index: usize, topic: B256| {
            filter["topics"][index].to_string().contains(&topic.to_string())
        };
        let state = self.state.lock().unwrap();
        let found = state.moved.iter().filter(|it| {
            (first..=last).contains(&it.block)
                && has(0, AuthorizationUsed::SIGNATURE_HASH)
                && has(1, it.from.into_word())
                && has(2, it.nonce)
        });
        found.map(|it| entries(it)[0].clone()).collect()
    }

    fn receipt(&self, hash: &str) -> Value {
        let state = self.state.lock().unwrap();
        let found = state.moved.iter().find(|it| it.hash.to_string() == hash);
        found.map_or(Value::Null, |it| {
            json!({ "transactionHash": it.hash, "blockNumber": format!("{:#x}", it.block),
                "status": "0x1", "logs": entries(it) })
        })
    }
}

fn entries(moved: &Moved) -> [Value; 2] {
    let entry = |topics: [B256; 3], data: Vec<u8>| {
        json!({ "address": USDC, "topics": topics, "data": Bytes::from(data),
            "transactionHash": moved.hash })
    };
    let used = [AuthorizationUsed::SIGNATURE_HASH, moved.from.into_word(), moved.nonce];
    let transfer = [Transfer::SIGNATURE_HASH, moved.from.into_word(), moved.to.into_word()];
    [entry(used, Vec::new()), entry(transfer, moved.value.to_be_bytes_vec())]
}

fn quantity(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a node says")]
fn reply(status: u16, body: &Value) -> Result<Reply, SendError> {
    Ok(Reply { status, body: body.to_string().into_bytes() })
}

/// A payment to be signed.
#[derive(Clone, Debug)]
pub struct TestPayment {
    /// How much, in µUSD.
    pub value: u64,
    /// To whom.
    pub to: Wallet,
    /// From when on, in Unix seconds.
    pub valid_after_s: u64,
    /// Until when.
    pub valid_before_s: u64,
    /// Its number.
    pub nonce: B256,
}

impl TestPayment {
    /// What a V2 challenge asks for, good for five minutes.
    ///
    /// # Panics
    /// If it asks for nothing.
    #[must_use]
    pub fn asked_by(challenge: &Value, nonce: u8, now_s: i64) -> Self {
        let accepted = &challenge["accepts"][0];
        let text = |name: &str| accepted[name].as_str().expect("the challenge has it").to_owned();
        Self {
            value: text("amount").parse().unwrap(),
            to: text("payTo").parse().unwrap(),
            valid_after_s: 0,
            valid_before_s: u64::try_from(now_s).unwrap() + 300,
            nonce: B256::repeat_byte(nonce),
        }
    }

    /// The scheme's payload, signed by `payer`.
    #[must_use]
    pub fn payload(&self, payer: &TestWallet) -> Value {
        let from = payer.wallet.address();
        let message = TransferWithAuthorization {
            from,
            to: self.to.address(),
            value: U256::from(self.value),
            validAfter: U256::from(self.valid_after_s),
            validBefore: U256::from(self.valid_before_s),
            nonce: self.nonce,
        };
        let signature = payer.sign_hash(&message.eip712_signing_hash(&usdc()).0);
        json!({ "signature": signature, "authorization": {
            "from": from.to_string(), "to": self.to.to_string(), "value": self.value.to_string(),
            "validAfter": self.valid_after_s.to_string(),
            "validBefore": self.valid_before_s.to_string(), "nonce": self.nonce.to_string(),
        } })
    }

    /// The payment for the first offer of a V2 challenge.
    #[must_use]
    pub fn v2(&self, payer: &TestWallet, challenge: &Value) -> Value {
        json!({ "x402Version": 2, "resource": challenge["resource"],
            "accepted": challenge["accepts"][0], "payload": self.payload(payer) })
    }

    /// The same for V1.
    #[must_use]
    pub fn v1(&self, payer: &TestWallet) -> Value {
        json!({ "x402Version": 1, "scheme": "exact", "network": "base-sepolia",
            "payload": self.payload(payer) })
    }
}

fn usdc() -> Eip712Domain {
    let contract: Address = USDC.parse().unwrap();
    eip712_domain! {
        name: "USDC", version: "2", chain_id: CHAIN_ID, verifying_contract: contract,
    }
}

/// JSON as headers have it.
#[must_use]
pub fn encode(json: &Value) -> String {
    STANDARD.encode(json.to_string())
}

/// The JSON of a header.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn decode(header: &http::HeaderValue) -> Value {
    serde_json::from_slice(&STANDARD.decode(header.as_bytes()).unwrap()).unwrap()
}
