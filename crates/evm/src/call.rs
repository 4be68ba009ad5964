//! Calls of contracts, and what becomes of them.
//!
//! Source: the execution API of Ethereum's nodes, `eth_call`.

use alloy_primitives::{Address, Bytes, address};
use serde_json::json;

use crate::{
    Failure,
    chain_data::At,
    revert,
    rpc::{self, Answer, ErrorObject, Question},
};

/// A call of a contract that changes nothing, on the newest block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract. `None`: `data` is code that runs once, and what it returns is the answer.
    pub to: Option<Address>,
    /// What the contract is called with.
    pub data: Bytes,
    /// How much it may take. `None`: as much as the node allows.
    pub gas: Option<u64>,
}

/// What became of a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The contract returned this, which is nothing where there is no contract.
    Returned(Bytes),
    /// The contract failed: it reverted, ran out of gas, or did what the machine forbids.
    Reverted,
}

/// Who calls: the last 20 bytes of the Keccak hash of `nobody`, so nobody has a key for it.
///
/// Left out, it would be address zero. There are contracts that take that, or address one, for the
/// sign of a simulation, and then believe signatures they have not checked.
const CALLER: Address = address!("0x5ac4e9ef1082290569c42e1ebf592b5cb1a4b9a7");

impl Call {
    /// As it is asked of a node, on this block.
    pub(crate) fn question(&self, at: At) -> Question {
        let mut object = json!({"from": CALLER, "data": self.data});
        if let Some(to) = self.to {
            object["to"] = json!(to);
        }
        if let Some(gas) = self.gas {
            object["gas"] = json!(format!("{gas:#x}"));
        }
        Question { method: "eth_call", params: json!([object, at]) }
    }
}

impl Outcome {
    /// What became of the call that this is the answer to.
    pub(crate) fn read(answer: Answer) -> Result<Self, Failure> {
        match answer.into_text()? {
            Ok(text) => {
                let returned = rpc::bytes(&text);
                returned.map(Self::Returned).ok_or(Failure::Malformed("the result is not hex"))
            }
            Err(ErrorObject { code, message }) if revert::is_of_contract(code, &message) => {
                Ok(Self::Reverted)
            }
            Err(error) => Err(error.into_failure()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_have_the_key_of_the_caller() {
        assert_eq!(CALLER, alloy_primitives::keccak256("nobody")[12..]);
    }
}
