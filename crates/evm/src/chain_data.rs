//! What a chain has written down: blocks, and what contracts noted in them.
//!
//! Source: the execution API of Ethereum's nodes, `eth_getBlockByNumber`, `eth_getLogs`,
//! `eth_getTransactionReceipt`.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};

use crate::{
    Failure,
    rpc::{self, Answer, Question},
};

/// Which block a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The newest one that the node has.
    Newest,
    /// The one of this number.
    Number(u64),
}

/// What is known of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Block {
    #[serde(deserialize_with = "quantity")]
    pub(crate) number: u64,
    /// Its time in Unix seconds.
    #[serde(rename = "timestamp", deserialize_with = "quantity")]
    pub(crate) time_s: u64,
}

/// What a contract noted, a log in the words of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// The contract.
    pub(crate) address: Address,
    /// The event, and what of it can be searched for.
    pub(crate) topics: Vec<B256>,
    /// The rest of it.
    pub(crate) data: Bytes,
    pub(crate) transaction_hash: B256,
}

/// What came of a transaction that is in a block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    transaction_hash: B256,
    #[serde(deserialize_with = "quantity")]
    pub(crate) block_number: u64,
    /// 1 if it did not fail. What fails leaves no entries.
    #[serde(deserialize_with = "quantity")]
    pub(crate) status: u64,
    /// What contracts noted, in the order in which they did.
    pub(crate) logs: Vec<Entry>,
}

impl Block {
    pub(crate) fn question(at: At) -> Question {
        Question { method: "eth_getBlockByNumber", params: json!([at, false]) }
    }

    /// Reads the answer to the question about the block `at`.
    pub(crate) fn read(answer: Answer, at: At) -> Result<Self, Failure> {
        let block: Self = match answer.into_value()? {
            Value::Null => return Err(Failure::Malformed("it does not have the block")),
            value => read(value, "not a block")?,
        };
        match at {
            At::Number(number) if number != block.number => {
                Err(Failure::Malformed("not the block that was asked for"))
            }
            At::Newest | At::Number(_) => Ok(block),
        }
    }
}

impl Entry {
    /// Asks for the entries of `address` from block `first` to block `last` that have these topics;
    /// each place has those that may stand there.
    pub(crate) fn question(
        address: Address,
        topics: &[&[B256]],
        (first, last): (u64, u64),
    ) -> Question {
        let blocks = (At::Number(first), At::Number(last));
        let filter = json!({
            "address": address,
            "topics": topics,
            "fromBlock": blocks.0,
            "toBlock": blocks.1,
        });
        Question { method: "eth_getLogs", params: json!([filter]) }
    }

    /// Reads the answer to the question for entries.
    pub(crate) fn read_all(answer: Answer) -> Result<Vec<Self>, Failure> {
        read(answer.into_value()?, "not a list of entries")
    }
}

impl Receipt {
    pub(crate) fn question(transaction: B256) -> Question {
        Question { method: "eth_getTransactionReceipt", params: json!([transaction]) }
    }

    /// Reads the answer to the question about `transaction`. `None`: it is in no block.
    pub(crate) fn read(answer: Answer, transaction: B256) -> Result<Option<Self>, Failure> {
        let receipt: Self = match answer.into_value()? {
            Value::Null => return Ok(None),
            value => read(value, "not a receipt")?,
        };
        if receipt.transaction_hash != transaction {
            return Err(Failure::Malformed("not the receipt that was asked for"));
        }
        Ok(Some(receipt))
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Newest => serializer.serialize_str("latest"),
            Self::Number(number) => serializer.collect_str(&format_args!("{number:#x}")),
        }
    }
}

fn read<T: de::DeserializeOwned>(value: Value, otherwise: &'static str) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|_| Failure::Malformed(otherwise))
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    rpc::quantity(&text).ok_or_else(|| de::Error::custom("not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(result: &Value) -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
        rpc::read_single(body.as_bytes(), 1).unwrap()
    }

    #[test]
    fn a_block_is_the_one_that_was_asked_for() {
        let block = |number: &str, time: &str| json!({"number": number, "timestamp": time});
        let read = Ok(Block { number: 7, time_s: 255 });
        let malformed = |it| Err(Failure::Malformed(it));
        #[rustfmt::skip]
        let rows = [
            (block("0x7", "0xff"),      At::Newest,     read.clone()),
            (block("0x7", "0xff"),      At::Number(7),  read),
            (block("0x7", "0xff"),      At::Number(8),  malformed("not the block that was asked for")),
            (Value::Null,               At::Number(7),  malformed("it does not have the block")),
            (Value::Null,               At::Newest,     malformed("it does not have the block")),
            (block("7", "0xff"),        At::Newest,     malformed("not a block")),
            (block("0x7", "0x"),        At::Newest,     malformed("not a block")),
            (block("0x7", "0x+f"),      At::Newest,     malformed("not a block")),
            (json!({"number": "0x7"}),  At::Newest,     malformed("not a block")),
            (json!("0x7"),              At::Newest,     malformed("not a block")),
        ];
        for (result, at, want) in rows {
            assert_eq!(Block::read(answer(&result), at), want, "{result} {at:?}");
        }
    }

    #[test]
    fn a_receipt_is_the_one_that_was_asked_for() {
        let transaction = B256::repeat_byte(0xf1);
        let other = B256::repeat_byte(0xf2);
        let receipt = |hash, status| json!({"transactionHash": hash, "blockNumber": "0x7", "status": status, "logs": []});
        let read = |status| {
            Ok(Some(Receipt {
                transaction_hash: transaction,
                block_number: 7,
                status,
                logs: Vec::new(),
            }))
        };
        let malformed = |it| Err(Failure::Malformed(it));
        #[rustfmt::skip]
        let rows = [
            (receipt(transaction, "0x1"),   read(1)),
            (receipt(transaction, "0x0"),   read(0)),
            (Value::Null,                   Ok(None)),
            (receipt(other, "0x1"),         malformed("not the receipt that was asked for")),
            (receipt(transaction, "1"),     malformed("not a receipt")),
            (json!({}),                     malformed("not a receipt")),
            (json!([]),                     malformed("not a receipt")),
        ];
        for (result, want) in rows {
            assert_eq!(Receipt::read(answer(&result), transaction), want, "{result}");
        }
    }

    #[test]
    fn entries_are_whole() {
        let entry = Entry {
            address: Address::repeat_byte(0x70),
            topics: vec![B256::repeat_byte(0x01)],
            data: Bytes::from_static(&[0xda]),
            transaction_hash: B256::repeat_byte(0xf1),
        };
        let written = json!({
            "address": entry.address,
            "topics": entry.topics,
            "data": "0xda",
            "transactionHash": entry.transaction_hash,
            "blockNumber": "0x7",
            "removed": false,
        });
        let without = |name: &str| {
            let mut written = written.clone();
            written.as_object_mut().unwrap().remove(name);
            json!([written])
        };
        let malformed = || Err(Failure::Malformed("not a list of entries"));
        #[rustfmt::skip]
        let rows = [
            (json!([written, written]),     Ok(vec![entry.clone(), entry])),
            (json!([]),                     Ok(Vec::new())),
            (Value::Null,                   malformed()),
            (written.clone(),               malformed()),
            (without("address"),            malformed()),
            (without("topics"),             malformed()),
            (without("data"),               malformed()),
            (without("transactionHash"),    malformed()),
        ];
        for (result, want) in rows {
            assert_eq!(Entry::read_all(answer(&result)), want, "{result}");
        }
    }
}
