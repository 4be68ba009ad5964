//! Signs in as many times as there are lines: a nonce on each line of standard input, the body of
//! `POST /v1/auth/verify` on a line of standard output.
//!
//! `sign <origin of the site> <private key in hex>`

use std::io::{BufRead as _, BufWriter, Write as _};

use alloy_primitives::hex;
use anyhow::Context as _;
use k256::ecdsa::SigningKey;
use siwe::{Fields, Message};
use time::OffsetDateTime;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let site = arguments.next().context("no site")?;
    let (_, domain) = site.split_once("://").context("the site is not an origin")?;
    let key = hex::decode(arguments.next().context("no key")?)?;
    let key = SigningKey::from_slice(&key)?;
    let address = evm::address_of(key.verifying_key());
    let mut out = BufWriter::new(std::io::stdout().lock());
    for nonce in std::io::stdin().lock().lines() {
        let message = Message::new(Fields {
            scheme: None,
            domain: domain.to_owned(),
            address,
            statement: Some("Sign in to make and see your spaces.".to_owned()),
            uri: site.clone(),
            chain_id: 1,
            nonce: nonce?,
            issued_at: OffsetDateTime::now_utc(),
            expiration_time: None,
            not_before: None,
            request_id: None,
            resources: Vec::new(),
        })?;
        let message = message.to_string();
        let signature = siwe::sign(&message, &key);
        let body = serde_json::json!({ "message": message, "signature": signature });
        writeln!(out, "{body}")?;
    }
    out.flush()?;
    Ok(())
}
