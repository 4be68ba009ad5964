//! A payment as it came with a request.

use alloy_primitives::Address;
use serde_json::{Map, Value};

use crate::{Authorization, Identifier, Network, PaymentId, Version, payment_id};

/// What came with a request to pay for it. It can be read, and that is all: see [`crate::verify`].
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    pub(crate) version: Version,
    pub(crate) network: &'static Network,
    /// What the payer says it was asked for. Version 1 has nothing of the kind.
    pub(crate) accepted: Option<Map<String, Value>>,
    pub(crate) authorization: Authorization,
    pub(crate) signature: Vec<u8>,
    pub(crate) identifier: Option<Identifier>,
}

impl Payment {
    /// The version that it came in, and that is answered in.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The network that it says it is on.
    #[must_use]
    pub const fn network(&self) -> &'static Network {
        self.network
    }

    /// Who it says pays.
    #[must_use]
    pub const fn payer(&self) -> Address {
        self.authorization.from
    }

    /// The payment's id: with USDC, which is all that is asked for.
    #[must_use]
    pub fn id(&self) -> PaymentId {
        let Authorization { from, nonce, .. } = self.authorization;
        payment_id(self.network.chain_id, self.network.usdc.address, from, nonce)
    }

    /// How the payer names the purchase, if it does.
    #[must_use]
    pub const fn identifier(&self) -> Option<&Identifier> {
        self.identifier.as_ref()
    }
}
