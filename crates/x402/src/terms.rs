//! What a request costs.

use alloy_primitives::Address;
use domain::Money;
use serde_json::Value;

use crate::{Network, Requirements, Resource};

/// What a request costs, where it can be paid, and what for.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Who is paid.
    pub pay_to: Address,
    /// Where, in order of preference.
    pub networks: Vec<&'static Network>,
    /// How much.
    pub amount: Money,
    /// What was asked a moment ago, and is still good.
    pub honoured: Vec<Money>,
    /// What for.
    pub resource: Resource,
    /// How to call it, for agents: the extension `bazaar`, an object with `info` and `schema`. What
    /// is no such object is left out.
    pub bazaar: Option<Value>,
}

impl Terms {
    /// All ways to pay that are good. First those that are asked for now.
    #[must_use]
    pub fn requirements(&self) -> Vec<Requirements> {
        let honoured = self.honoured.iter().filter(|it| **it != self.amount);
        let amounts = std::iter::once(&self.amount).chain(honoured);
        amounts.flat_map(|amount| self.at(*amount)).collect()
    }

    /// The ways to pay that are asked for now.
    pub(crate) fn asked(&self) -> Vec<Requirements> {
        self.at(self.amount).collect()
    }

    fn at(&self, amount: Money) -> impl Iterator<Item = Requirements> {
        let networks = self.networks.iter();
        networks.map(move |network| Requirements { network, amount, pay_to: self.pay_to })
    }
}
