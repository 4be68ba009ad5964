//! Signatures of an independent wallet: `siwe` and `viem` in Node.

use serde_json::{Value, json};

use crate::{
    chain::Planned,
    node::{Node, text},
};

/// A Node process that signs until it is dropped.
#[derive(Debug)]
pub struct Signer(Node);

/// A signed message.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The address of the key that signed, in EIP-55.
    pub address: String,
    /// The text that was signed.
    pub message: String,
    /// Its signature.
    pub signature: String,
}

/// A key and its address.
#[derive(Clone, Debug)]
pub struct Key {
    /// The private key.
    pub key: String,
    /// The address, in EIP-55.
    pub address: String,
}

/// Other ways to write a signature.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// With 0 or 1 for `v`.
    pub parity: String,
    /// With 29 or 30 for `v`.
    pub other_v: String,
    /// With the other `s` that fits.
    pub high_s: String,
    /// In 64 bytes (EIP-2098).
    pub compact: String,
}

impl Signer {
    /// Starts the process.
    #[must_use]
    pub fn start() -> Self {
        Self(Node::start("signer.mjs", &[]))
    }

    /// A key that nobody has used before.
    #[must_use]
    pub fn fresh(&self) -> Key {
        let answer = self.0.ask(&json!({ "act": "fresh" }));
        Key { key: text(&answer, "key"), address: text(&answer, "address") }
    }

    /// A sign-in message of the wallet with `key` for `site`; `fields` go over the usual ones.
    #[must_use]
    pub fn message(&self, key: &str, site: &str, fields: &Value) -> SignIn {
        self.sign(&json!({ "act": "sign", "key": key, "site": site, "fields": fields }))
    }

    /// The signature of any text.
    #[must_use]
    pub fn text(&self, key: &str, text: &str) -> SignIn {
        self.sign(&json!({ "act": "sign", "key": key, "text": text }))
    }

    fn sign(&self, request: &Value) -> SignIn {
        let answer = self.0.ask(request);
        SignIn {
            address: text(&answer, "address"),
            message: text(&answer, "message"),
            signature: text(&answer, "signature"),
        }
    }

    /// The signature of a Safe under any text, by the owners with `keys`.
    #[must_use]
    pub fn text_of_safe(&self, keys: &[&Key], safe: &str, chain_id: u64, signed: &str) -> String {
        let keys: Vec<&str> = keys.iter().map(|it| &*it.key).collect();
        let request = json!({ "act": "signForSafe", "keys": keys, "safe": safe,
            "chainId": chain_id, "text": signed });
        text(&self.0.ask(&request), "signature")
    }

    /// The signature of a wallet that is not on its chain yet (EIP-6492).
    #[must_use]
    pub fn wrapped(&self, wallet: &Planned, signature: &str) -> String {
        let request = json!({ "act": "wrap", "factory": wallet.factory, "data": wallet.data,
            "signature": signature });
        text(&self.0.ask(&request), "signature")
    }

    /// Other ways to write `signature`.
    #[must_use]
    pub fn rewritten(&self, signature: &str) -> Rewritten {
        let answer = self.0.ask(&json!({ "act": "rewrite", "signature": signature }));
        Rewritten {
            parity: text(&answer, "parity"),
            other_v: text(&answer, "otherV"),
            high_s: text(&answer, "highS"),
            compact: text(&answer, "compact"),
        }
    }

    /// A balance statement that the issuer with `key` signed, as the header has it. `changes` are
    /// made after it was signed.
    #[must_use]
    pub fn attestation(&self, key: &str, statement: &Value, changes: &Value) -> String {
        let request =
            json!({ "act": "attest", "key": key, "statement": statement, "changes": changes });
        text(&self.0.ask(&request), "header")
    }
}
