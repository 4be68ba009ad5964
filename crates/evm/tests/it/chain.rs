//! A chain with a token that takes signed payments, and a node that knows it more or less well.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use alloy_primitives::{Address, B256, U256, b256, hex};
use domain::Timestamp;
use evm::{Limits, Network, Reply, SendError, StoreError};
use serde_json::{Value, json};

/// The token.
pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);
/// Whose payment is asked about, and what number it has.
pub(crate) const PAYER: Address = Address::repeat_byte(0xaa);
pub(crate) const NONCE: B256 = B256::repeat_byte(0x0e);
/// Who should be paid.
pub(crate) const US: Address = Address::repeat_byte(0x05);

// As they stand on the chains where USDC is.
const USED: B256 = b256!("0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5");
const CANCELLED: B256 = b256!("0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81");
const TRANSFER: B256 = b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
const STATE_SELECTOR: [u8; 4] = [0xe9, 0x4a, 0x01, 0x02];

/// What a contract notes.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) address: Address,
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Vec<u8>,
}

/// What is in a block.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    pub(crate) block: u64,
    pub(crate) status: u64,
    pub(crate) entries: Vec<Entry>,
}

/// The chain as one node knows it. Block `n` is `n` times [`Self::block_ms`] after the first one.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) first_s: u64,
    pub(crate) block_ms: u64,
    pub(crate) newest: u64,
    pub(crate) transactions: BTreeMap<B256, Transaction>,
    /// The first block whose state it still has.
    pub(crate) state_from: u64,
    /// The last block whose entries it has listed.
    pub(crate) listed_to: u64,
    /// The block that it takes for the newest one when a contract is called.
    pub(crate) called_at: u64,
    /// What one exchange takes.
    pub(crate) takes_ms: u64,
    pub(crate) takes_lists: bool,
}

/// Nodes by their URLs, a clock, and what was asked.
pub(crate) struct World {
    pub(crate) nodes: BTreeMap<&'static str, Node>,
    pub(crate) asked: Mutex<Vec<Value>>,
    pub(crate) now_ms: AtomicU64,
}

/// Notes that a nonce was used.
pub(crate) fn used(from: Address, nonce: B256) -> Entry {
    Entry { address: TOKEN, topics: vec![USED, from.into_word(), nonce], data: Vec::new() }
}

/// Notes that a nonce was cancelled.
pub(crate) fn cancelled(from: Address, nonce: B256) -> Entry {
    Entry { address: TOKEN, topics: vec![CANCELLED, from.into_word(), nonce], data: Vec::new() }
}

/// Notes a payment.
pub(crate) fn paid(from: Address, to: Address, value: u64) -> Entry {
    let topics = vec![TRANSFER, from.into_word(), to.into_word()];
    Entry { address: TOKEN, topics, data: U256::from(value).to_be_bytes_vec() }
}

impl Node {
    pub(crate) fn time_s(&self, block: u64) -> u64 {
        self.first_s + block * self.block_ms / 1000
    }

    /// Puts a transaction that did not fail into a block.
    pub(crate) fn put(&mut self, hash: u8, block: u64, entries: impl Into<Vec<Entry>>) {
        let transaction = Transaction { block, status: 1, entries: entries.into() };
        self.transactions.insert(B256::repeat_byte(hash), transaction);
    }

    fn entries(&self) -> impl Iterator<Item = (u64, B256, &Entry)> {
        let mut all: Vec<_> = self.transactions.iter().collect();
        all.sort_by_key(|(_, it)| it.block);
        all.into_iter()
            .flat_map(|(hash, it)| it.entries.iter().map(move |entry| (it.block, *hash, entry)))
    }

    fn is_used(&self, from: &[u8], nonce: &[u8], block: u64) -> bool {
        let is_about = |it: &Entry| {
            it.address == TOKEN
                && [USED, CANCELLED].contains(&it.topics[0])
                && it.topics[1..] == [B256::from_slice(from), B256::from_slice(nonce)]
        };
        self.entries().any(|(number, _, it)| number <= block && is_about(it))
    }

    /// The result, or the error.
    fn answer(&self, method: &str, params: &Value) -> Result<Value, &'static str> {
        match method {
            "eth_chainId" => Ok(json!("0x2105")),
            "eth_getBlockByNumber" => {
                assert_eq!(params[1], false, "nobody needs the transactions");
                let number = number(&params[0], self.newest);
                let time_s = self.time_s(number);
                let block = json!({
                    "number": format!("{number:#x}"),
                    "timestamp": format!("{time_s:#x}"),
                    "hash": B256::ZERO,
                });
                Ok(if number <= self.newest { block } else { Value::Null })
            }
            "eth_call" => {
                assert_eq!(params[0]["to"], json!(TOKEN));
                let data = hex::decode(params[0]["data"].as_str().unwrap()).unwrap();
                assert_eq!(data[..4], STATE_SELECTOR);
                let number = number(&params[1], self.called_at);
                if number < self.state_from {
                    return Err("missing trie node");
                }
                let is_used = self.is_used(&data[4..36], &data[36..], number);
                Ok(json!(B256::with_last_byte(u8::from(is_used))))
            }
            "eth_getLogs" => Ok(self.list(&params[0])),
            "eth_getTransactionReceipt" => {
                let hash: B256 = params[0].as_str().unwrap().parse().unwrap();
                let receipt = self.transactions.get(&hash).map(|it| {
                    let logs: Vec<_> = it.entries.iter().map(|it| log(hash, it)).collect();
                    json!({
                        "transactionHash": hash,
                        "blockNumber": format!("{:#x}", it.block),
                        "status": format!("{:#x}", it.status),
                        "logs": logs,
                    })
                });
                Ok(receipt.unwrap_or_default())
            }
            other => panic!("{other} is not asked"),
        }
    }

    fn list(&self, filter: &Value) -> Value {
        let first = number(&filter["fromBlock"], self.newest);
        let last = number(&filter["toBlock"], self.newest);
        assert!(first <= last && last - first <= 1000, "{first} to {last}");
        assert_eq!(filter["address"], json!(TOKEN));
        let places: Vec<Vec<B256>> = serde_json::from_value(filter["topics"].clone()).unwrap();
        let entries = self.entries().filter(|(number, _, it)| {
            (first..=last.min(self.listed_to)).contains(number)
                && it.address == TOKEN
                && it.topics.len() == places.len()
                && it.topics.iter().zip(&places).all(|(it, allowed)| allowed.contains(it))
        });
        entries.map(|(_, hash, it)| log(hash, it)).collect()
    }
}

fn number(at: &Value, newest: u64) -> u64 {
    match at.as_str().unwrap() {
        "latest" => newest,
        number => u64::from_str_radix(number.strip_prefix("0x").unwrap(), 16).unwrap(),
    }
}

fn log(hash: B256, entry: &Entry) -> Value {
    json!({
        "address": entry.address,
        "topics": entry.topics,
        "data": hex::encode_prefixed(&entry.data),
        "transactionHash": hash,
        "removed": false,
    })
}

impl Network for World {
    async fn post(
        &self,
        url: &str,
        _: &[(&'static str, String)],
        body: Vec<u8>,
        limits: Limits,
    ) -> Result<Reply, SendError> {
        let node = &self.nodes[url];
        let request: Value = serde_json::from_slice(&body).unwrap();
        let limit_ms = u64::try_from(limits.time.as_millis()).unwrap();
        self.now_ms.fetch_add(node.takes_ms.min(limit_ms), Ordering::SeqCst);
        if limit_ms < node.takes_ms {
            return Err(SendError::TimedOut);
        }
        self.asked.lock().unwrap().push(request.clone());
        let answer = |it: &Value| match node.answer(it["method"].as_str().unwrap(), &it["params"]) {
            Ok(result) => json!({"jsonrpc": "2.0", "id": it["id"], "result": result}),
            Err(message) => {
                let error = json!({"code": -32_000, "message": message});
                json!({"jsonrpc": "2.0", "id": it["id"], "error": error})
            }
        };
        let (status, body) = match &request {
            Value::Array(_) if !node.takes_lists => (400, Value::Null),
            Value::Array(requests) => (200, requests.iter().map(answer).collect()),
            request => (200, answer(request)),
        };
        Ok(Reply { status, body: body.to_string().into_bytes() })
    }

    async fn load(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn store(&self, _: &str, _: String) -> Result<(), StoreError> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        let now_ms = self.now_ms.load(Ordering::SeqCst);
        Timestamp::from_unix_ms(0).plus(Duration::from_millis(now_ms))
    }
}
