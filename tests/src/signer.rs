//! Signatures of an independent wallet: `siwe` and `viem` in Node.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use serde_json::{Value, json};

use crate::repository;

/// A Node process that signs until it is dropped.
#[derive(Debug)]
pub struct Signer(Mutex<Node>);

#[derive(Debug)]
struct Node {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// A signed message.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The wallet's address, in EIP-55.
    pub address: String,
    /// The text that was signed.
    pub message: String,
    /// Its signature.
    pub signature: String,
}

impl Signer {
    /// Starts the process.
    #[must_use]
    pub fn start() -> Self {
        let clients = repository().join("tests/clients");
        let installed = clients.join("node_modules/viem").exists();
        assert!(installed, "first: npm ci --prefix tests/clients");
        let mut child = Command::new("node")
            .arg("signer.mjs")
            .current_dir(clients)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self(Mutex::new(Node { child, stdin, stdout }))
    }

    /// A sign-in message of the wallet with `key` for `site`; `fields` go over the usual ones.
    pub fn message(&self, key: &str, site: &str, fields: &Value) -> SignIn {
        self.ask(&json!({ "key": key, "site": site, "fields": fields }))
    }

    /// The signature of any text.
    pub fn text(&self, key: &str, text: &str) -> SignIn {
        self.ask(&json!({ "key": key, "text": text }))
    }

    fn ask(&self, request: &Value) -> SignIn {
        let node = &mut *self.0.lock().unwrap();
        writeln!(node.stdin, "{request}").unwrap();
        let mut line = String::new();
        node.stdout.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_default();
        let field = |name: &str| match answer[name].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("the wallet did not sign: {line}"),
        };
        SignIn {
            address: field("address"),
            message: field("message"),
            signature: field("signature"),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
