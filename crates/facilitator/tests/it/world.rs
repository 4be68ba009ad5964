//! Scripted facilitators, and what they were sent.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use alloy_primitives::Address;
use domain::Timestamp;
use evm::{Limits, Network, Reply, SendError, StoreError};
use facilitator::{Answer, Facilitators, SettleRequest, settle};
use futures::executor::block_on;

/// What the clock says.
pub(crate) const NOW_MS: i64 = 1_795_000_000_000;
/// Who pays.
pub(crate) const PAYER: Address = Address::repeat_byte(0xaa);

/// What is sent for a payment.
pub(crate) const REQUEST: SettleRequest<'static> = SettleRequest {
    body: r#"{"x402Version":2}"#,
    networks: &["eip155:8453", "base"],
    payer: PAYER,
};

/// A request that a facilitator got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) limits: Limits,
}

/// Facilitators by where their payments are sent.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) replies: BTreeMap<&'static str, Result<Reply, SendError>>,
    pub(crate) sent: Mutex<Vec<Sent>>,
}

impl World {
    pub(crate) fn new(
        replies: impl IntoIterator<Item = (&'static str, Result<Reply, SendError>)>,
    ) -> Self {
        Self { replies: replies.into_iter().collect(), sent: Mutex::default() }
    }

    /// Has the payment settled by these.
    pub(crate) fn settle(&self, facilitators: &Facilitators) -> Answer {
        block_on(settle(self, facilitators, &REQUEST, || [0x0b; 16]))
    }

    /// Where the payment was sent since the last time this was asked.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
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
        let (url, headers) = (url.to_owned(), headers.to_vec());
        let body = String::from_utf8(body).unwrap();
        let reply = self.replies[url.as_str()].clone();
        self.sent.lock().unwrap().push(Sent { url, headers, body, limits });
        reply
    }

    async fn load(&self, _: &str) -> Result<Option<String>, StoreError> {
        panic!("nothing is kept")
    }

    async fn store(&self, _: &str, _: String) -> Result<(), StoreError> {
        panic!("nothing is kept")
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(NOW_MS)
    }
}

/// What one facilitator may take.
pub(crate) const LIMITS: Limits = Limits { time: Duration::from_secs(20), bytes: 65_536 };

pub(crate) fn reply(status: u16, body: &str) -> Result<Reply, SendError> {
    Ok(Reply { status, body: body.as_bytes().to_vec() })
}
