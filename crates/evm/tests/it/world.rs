//! A world of scripted nodes, whose clock stands still but for what nodes take.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use domain::Timestamp;
use evm::{
    Attempt, Call, Chains, Endpoints, Failure, Limits, Network, Outcome, Reply, SendError,
    StoreError, Unavailable,
};
use futures::executor::block_on;
use serde_json::{Value, json};

/// The chain of the scripted nodes.
pub(crate) const CHAIN_ID: u64 = 8453;
/// When the clock starts.
pub(crate) const START_MS: i64 = 1_795_000_000_000;

/// What a node does with a request.
pub(crate) enum Node {
    /// Answers each call with its own data.
    Works,
    /// Does that after so many milliseconds, if it may.
    Takes(u64),
    /// Never answers.
    Hangs,
    /// Takes the one who asks with it.
    Panics,
    /// No answer comes, for this reason.
    Fails(SendError),
    /// Answers everything with this status and body.
    Says(u16, &'static str),
    /// Answers lists with this status and body, and takes so many milliseconds for all else.
    TakesNoLists(u16, &'static str, u64),
    /// Works, but for what is done to each answer.
    Edits(fn(&mut Value)),
}

/// Scripted nodes, a clock and a store, and a log of what was done with them.
pub(crate) struct World {
    nodes: BTreeMap<&'static str, Node>,
    endpoints: Endpoints,
    is_store_broken: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    elapsed_ms: u64,
    store: BTreeMap<String, String>,
    log: Vec<String>,
    requests: Vec<Value>,
}

impl World {
    /// The nodes in order of preference. A URL has no path but for what a test wants hidden.
    pub(crate) fn new(nodes: impl IntoIterator<Item = (&'static str, Node)>) -> Self {
        let nodes = Vec::from_iter(nodes);
        let urls: Vec<_> = nodes.iter().map(|(url, _)| *url).collect();
        let endpoints = json!({ CHAIN_ID.to_string(): urls }).to_string().parse().unwrap();
        let nodes = nodes.into_iter().collect();
        Self { nodes, endpoints, is_store_broken: false, state: Mutex::default() }
    }

    pub(crate) fn with_broken_store(self) -> Self {
        Self { is_store_broken: true, ..self }
    }

    /// Has this node do something else from now on.
    pub(crate) fn replace(&mut self, url: &'static str, node: Node) {
        self.nodes.insert(url, node);
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.state.lock().unwrap().elapsed_ms += ms;
    }

    /// What was done since the last time this was asked.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    /// The bodies that were posted.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The whole store.
    pub(crate) fn store(&self) -> BTreeMap<String, String> {
        self.state.lock().unwrap().store.clone()
    }

    /// Sets a value in the store.
    pub(crate) fn put(&self, key: String, value: String) {
        self.state.lock().unwrap().store.insert(key, value);
    }

    /// All chains of this world, which are one.
    pub(crate) fn chains(&self) -> Chains<'_, Self> {
        Chains::new(self, &self.endpoints)
    }

    /// Asks the chain to call each of these.
    pub(crate) fn call(&self, data: &[&[u8]]) -> Result<Vec<Outcome>, Unavailable> {
        let calls = data.iter().map(|data| Call {
            to: Some([0x11; 20].into()),
            data: data.to_vec().into(),
            gas: None,
        });
        let calls: Vec<_> = calls.collect();
        block_on(self.chains().call(CHAIN_ID, &calls))
    }

    /// Whether the contract `0x11..` signed the hash `0x22..`.
    pub(crate) fn is_signed(&self, signature: &[u8]) -> Result<bool, Unavailable> {
        block_on(evm::is_signed_by_contract(
            self,
            &self.endpoints,
            CHAIN_ID,
            [0x11; 20].into(),
            [0x22; 32],
            signature,
        ))
    }

    fn note(&self, line: String) {
        self.state.lock().unwrap().log.push(line);
    }
}

impl Network for World {
    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        limits: Limits,
    ) -> Result<Reply, SendError> {
        assert_eq!(headers, [], "a node needs none");
        let request: Value = serde_json::from_slice(&body).unwrap();
        let ms = u64::try_from(limits.time.as_millis()).unwrap();
        self.state.lock().unwrap().requests.push(request.clone());
        let what = request["method"].as_str().unwrap_or("list");
        self.note(format!("{url} {what} {ms} ms {} bytes", limits.bytes));
        let mut answer = answer(&request);
        let takes_ms = match &self.nodes[url] {
            Node::Takes(takes_ms) => *takes_ms,
            Node::Hangs => u64::MAX,
            Node::Panics => panic!("by the test"),
            Node::Fails(error) => return Err(error.clone()),
            Node::Says(status, body) => return Ok(reply(*status, body)),
            Node::TakesNoLists(status, body, _) if request.is_array() => {
                return Ok(reply(*status, body));
            }
            Node::TakesNoLists(_, _, takes_ms) => *takes_ms,
            Node::Edits(edit) => {
                edit(&mut answer);
                0
            }
            Node::Works => 0,
        };
        self.advance(takes_ms.min(ms));
        if ms < takes_ms {
            return Err(SendError::TimedOut);
        }
        Ok(reply(200, &answer.to_string()))
    }

    async fn load(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.note("load".to_owned());
        if self.is_store_broken {
            return Err(StoreError("broken by the test".to_owned()));
        }
        Ok(self.state.lock().unwrap().store.get(key).cloned())
    }

    async fn store(&self, key: &str, value: String) -> Result<(), StoreError> {
        self.note("store".to_owned());
        if self.is_store_broken {
            return Err(StoreError("broken by the test".to_owned()));
        }
        self.state.lock().unwrap().store.insert(key.to_owned(), value);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        let elapsed_ms = self.state.lock().unwrap().elapsed_ms;
        Timestamp::from_unix_ms(START_MS).plus(Duration::from_millis(elapsed_ms))
    }
}

/// The attempts of the one who has to be unavailable.
pub(crate) fn failures<T: std::fmt::Debug>(result: Result<T, Unavailable>) -> Vec<Failure> {
    let attempts = result.unwrap_err().attempts;
    attempts.into_iter().map(|Attempt { failure, .. }| failure).collect()
}

pub(crate) fn returned(data: &[u8]) -> Outcome {
    Outcome::Returned(data.to_vec().into())
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.as_bytes().to_vec() }
}

/// As a good node answers: a call returns its data.
fn answer(request: &Value) -> Value {
    if let Value::Array(requests) = request {
        return requests.iter().map(answer).collect();
    }
    let result = match request["method"].as_str().unwrap() {
        "eth_chainId" => json!("0x2105"),
        "eth_call" => request["params"][0]["data"].clone(),
        other => panic!("{other} is not asked"),
    };
    json!({"jsonrpc": "2.0", "id": request["id"], "result": result})
}
