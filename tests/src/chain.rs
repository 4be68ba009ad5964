//! A chain of a test's own, with real tokens and wallets on it: `anvil`, by way of Node.

use serde_json::{Value, json};

use crate::node::{Node, text};

/// A chain that runs until it is dropped.
#[derive(Debug)]
pub struct Chain {
    node: Node,
    url: String,
    id: u64,
}

/// A contract that is on the chain.
#[derive(Clone, Debug)]
pub struct Contract {
    name: &'static str,
    /// Where it is, in EIP-55.
    pub address: String,
}

/// A wallet that may not be on the chain yet, at an address that is known before.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Where it will be, in EIP-55.
    pub address: String,
    /// Who puts it there.
    pub factory: String,
    /// When it is called with this.
    pub data: String,
}

impl Chain {
    /// Starts a chain with this id.
    #[must_use]
    pub fn start(id: u64) -> Self {
        let node = Node::start("chain.mjs", &[&id.to_string()]);
        let url = text(&node.hear(), "url");
        Self { node, url, id }
    }

    /// Where its RPC is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Deploys a contract of `tests/clients/contracts`.
    #[must_use]
    pub fn deploy(&self, name: &'static str, arguments: &[&str]) -> Contract {
        let request = json!({ "act": "deploy", "contract": name, "args": arguments });
        Contract { name, address: text(&self.node.ask(&request), "address") }
    }

    /// Calls a function of a contract in a transaction.
    pub fn call(&self, contract: &Contract, function: &str, arguments: &[&str]) {
        let _ = self.node.ask(&json!({ "act": "call", "contract": contract.name,
            "address": contract.address, "functionName": function, "args": arguments }));
    }

    /// A wallet (EIP-1271) that agrees with what the key of `owner` signed.
    #[must_use]
    pub fn wallet(&self, owner: &str) -> Planned {
        self.plan(&json!({ "act": "wallet", "owner": owner }))
    }

    /// A Safe that agrees with what `threshold` of `owners` signed.
    #[must_use]
    pub fn safe(&self, owners: &[&str], threshold: usize) -> Planned {
        self.plan(&json!({ "act": "safe", "owners": owners, "threshold": threshold }))
    }

    fn plan(&self, request: &Value) -> Planned {
        let answer = self.node.ask(request);
        Planned {
            address: text(&answer, "address"),
            factory: text(&answer, "factory"),
            data: text(&answer, "data"),
        }
    }

    /// Puts a planned wallet on the chain.
    pub fn build(&self, planned: &Planned) {
        let _ = self.node.ask(&json!({ "act": "build", "address": planned.address,
            "factory": planned.factory, "data": planned.data }));
    }
}
