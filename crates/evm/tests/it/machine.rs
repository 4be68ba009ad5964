//! A node with a real machine in it, whose chain has the contracts of a test.

use std::sync::Mutex;

use alloy_primitives::{Address, Bytes, TxKind};
use domain::Timestamp;
use evm::{Endpoints, Limits, Network, Reply, SendError, StoreError};
use futures::executor::block_on;
use revm::{
    Context, ExecuteEvm as _, MainBuilder as _, MainContext as _,
    bytecode::Bytecode,
    context::{TxEnv, result::ExecutionResult},
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::AccountInfo,
};
use serde_json::{Value, json};

/// The hash that wallets are asked about.
pub(crate) const HASH: [u8; 32] = [0x22; 32];
/// Where a test's wallet is, if it is not made by a factory.
pub(crate) const WALLET: Address = Address::repeat_byte(0x11);

/// A chain that does not change. Calls run on a copy of it.
pub(crate) struct Machine {
    spec: SpecId,
    state: CacheDB<EmptyDB>,
    ends: Mutex<Vec<End>>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It returned.
    Returned,
    /// It failed, and so did not answer itself.
    Failed,
}

impl Machine {
    /// With these contracts.
    pub(crate) fn new(contracts: &[(Address, &[u8])]) -> Self {
        let mut state = CacheDB::new(EmptyDB::new());
        for (address, code) in contracts {
            let code = Bytecode::new_raw(Bytes::copy_from_slice(code));
            let account = AccountInfo::from_bytecode(code).with_nonce(1);
            state.insert_account_info(*address, account);
        }
        Self { spec: SpecId::OSAKA, state, ends: Mutex::default() }
    }

    /// By these rules.
    pub(crate) fn of(self, spec: SpecId) -> Self {
        Self { spec, ..self }
    }

    /// Whether `wallet` signed [`HASH`], and how the calls that this took have ended.
    pub(crate) fn is_signed(&self, wallet: Address, signature: &[u8]) -> (bool, Vec<End>) {
        let signed = self.has_signed(wallet, HASH, signature);
        (signed, std::mem::take(&mut self.ends.lock().unwrap()))
    }

    /// Whether `wallet` signed `hash`.
    pub(crate) fn has_signed(&self, wallet: Address, hash: [u8; 32], signature: &[u8]) -> bool {
        let endpoints: Endpoints = r#"{"1": ["http://localhost"]}"#.parse().unwrap();
        let signed = evm::is_signed_by_contract(self, &endpoints, 1, wallet, hash, signature);
        block_on(signed).unwrap()
    }

    fn call(&self, call: &Value) -> Value {
        let text = |name: &str| call[name].as_str().unwrap();
        assert!(call["to"].is_null(), "it needs no contract on the chain");
        let transaction = TxEnv::builder()
            .caller(text("from").parse().unwrap())
            .kind(TxKind::Create)
            .data(text("data").parse().unwrap())
            .gas_limit(u64::from_str_radix(&text("gas")[2..], 16).unwrap())
            .build()
            .unwrap();
        let context = Context::mainnet().with_db(self.state.clone());
        let evm = context.modify_cfg_chained(|it| it.set_spec_and_mainnet_gas_params(self.spec));
        let result = evm.build_mainnet().transact(transaction).unwrap().result;
        let (end, answer) = match result {
            ExecutionResult::Success { output, .. } => {
                (End::Returned, json!({"result": output.into_data()}))
            }
            ExecutionResult::Revert { .. } => {
                (End::Failed, json!({"error": {"code": 3, "message": "execution reverted"}}))
            }
            ExecutionResult::Halt { .. } => {
                (End::Failed, json!({"error": {"code": -32_000, "message": "out of gas"}}))
            }
        };
        self.ends.lock().unwrap().push(end);
        answer
    }
}

impl Network for Machine {
    async fn post(
        &self,
        _: &str,
        _: &[(&'static str, String)],
        body: Vec<u8>,
        _: Limits,
    ) -> Result<Reply, SendError> {
        let requests: Vec<Value> = serde_json::from_slice(&body).unwrap();
        let answers = requests.iter().map(|request| {
            let mut answer = match request["method"].as_str().unwrap() {
                "eth_chainId" => json!({"result": "0x1"}),
                _ => self.call(&request["params"][0]),
            };
            answer["jsonrpc"] = json!("2.0");
            answer["id"] = request["id"].clone();
            answer
        });
        let body = answers.collect::<Value>().to_string().into_bytes();
        Ok(Reply { status: 200, body })
    }

    async fn load(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn store(&self, _: &str, _: String) -> Result<(), StoreError> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(0)
    }
}
