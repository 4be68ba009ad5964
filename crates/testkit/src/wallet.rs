//! Wallets that sign in.

use domain::{Timestamp, Wallet};
use k256::ecdsa::SigningKey;
use siwe::{Fields, Message};
use time::OffsetDateTime;

/// A wallet with its key.
pub struct TestWallet {
    key: SigningKey,
    /// Its address.
    pub wallet: Wallet,
}

impl TestWallet {
    /// The wallet whose key is `number`. Worth nothing anywhere.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let mut bytes = [0; 32];
        bytes[31] = number;
        let key = SigningKey::from_slice(&bytes).unwrap();
        let wallet = evm::address_of(key.verifying_key()).into();
        Self { key, wallet }
    }

    /// A sign-in message of this wallet for the site at `http://<domain>`.
    #[must_use]
    pub fn message(&self, domain: &str, nonce: &str, now: Timestamp) -> Message {
        Message::new(self.fields(domain, nonce, now)).unwrap()
    }

    /// What such a message says, to be altered.
    #[must_use]
    pub fn fields(&self, domain: &str, nonce: &str, now: Timestamp) -> Fields {
        Fields {
            scheme: None,
            domain: domain.to_owned(),
            address: self.wallet.address(),
            statement: None,
            uri: format!("http://{domain}"),
            chain_id: 1,
            nonce: nonce.to_owned(),
            issued_at: OffsetDateTime::from_unix_timestamp(now.unix_s()).unwrap(),
            expiration_time: None,
            not_before: None,
            request_id: None,
            resources: Vec::new(),
        }
    }

    /// The signature of `text`, as a wallet gives it.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        siwe::sign(text, &self.key)
    }

    /// The signature of a hash, as a wallet gives it for typed data.
    #[must_use]
    pub fn sign_hash(&self, hash: &[u8; 32]) -> String {
        evm::sign(hash, &self.key)
    }
}
