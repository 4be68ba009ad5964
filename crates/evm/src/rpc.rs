//! JSON-RPC as nodes of chains speak it: what is asked, and how answers are read.
//!
//! Source: JSON-RPC 2.0; the execution API of Ethereum's nodes, `eth_chainId` and `eth_call`.

use alloy_primitives::{Address, Bytes, address, hex};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Failure, revert};

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

/// One answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    jsonrpc: String,
    id: usize,
    result: Option<Value>,
    error: Option<ErrorObject>,
}

#[derive(Debug, Deserialize)]
struct ErrorObject {
    code: i64,
    message: String,
}

/// The answer to several requests at once.
pub(crate) enum BatchAnswer {
    /// One for each, in the order of the requests.
    Answers(Vec<Answer>),
    /// One error for all of them: this node may not take several at once.
    Refused,
}

/// What is asked: which chain this is, and then the calls. Ids are places, counted from 1.
pub(crate) fn requests(calls: &[Call]) -> Vec<Value> {
    let calls = calls.iter().map(|it| ("eth_call", json!([call_object(it), "latest"])));
    let questions = [("eth_chainId", json!([]))].into_iter().chain(calls);
    let requests = (1_usize..).zip(questions).map(|(id, (method, params))| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    });
    requests.collect()
}

fn call_object(call: &Call) -> Value {
    let mut object = json!({"from": CALLER, "data": call.data});
    if let Some(to) = call.to {
        object["to"] = json!(to);
    }
    if let Some(gas) = call.gas {
        object["gas"] = json!(format!("{gas:#x}"));
    }
    object
}

/// Reads the answer to `n_requests` at once. They may be answered in any order.
pub(crate) fn read_batch(body: &[u8], n_requests: usize) -> Result<BatchAnswer, Failure> {
    let answers = match serde_json::from_slice(body) {
        Ok(Value::Array(answers)) => answers,
        Ok(Value::Object(object)) if object.contains_key("error") => {
            return Ok(BatchAnswer::Refused);
        }
        Ok(_) => return Err(Failure::Malformed("neither a list nor an error")),
        Err(_) => return Err(Failure::Malformed("not JSON")),
    };
    if answers.len() != n_requests {
        return Err(Failure::Malformed("not one answer for each request"));
    }
    let answers = answers.into_iter().map(parse).collect::<Result<Vec<_>, _>>();
    let mut answers = answers?;
    answers.sort_by_key(|it| it.id);
    if (1..).zip(&answers).any(|(id, answer)| answer.id != id) {
        return Err(Failure::Malformed("the ids are not those of the requests"));
    }
    Ok(BatchAnswer::Answers(answers))
}

/// Reads the answer to the one request with this id.
pub(crate) fn read_single(body: &[u8], id: usize) -> Result<Answer, Failure> {
    let value = serde_json::from_slice(body).map_err(|_| Failure::Malformed("not JSON"))?;
    let answer = parse(value)?;
    if answer.id != id {
        return Err(Failure::Malformed("the id is not that of the request"));
    }
    Ok(answer)
}

fn parse(value: Value) -> Result<Answer, Failure> {
    let answer: Answer =
        serde_json::from_value(value).map_err(|_| Failure::Malformed("not JSON-RPC"))?;
    if answer.jsonrpc != "2.0" {
        return Err(Failure::Malformed("another version of JSON-RPC"));
    }
    if answer.result.is_some() == answer.error.is_some() {
        return Err(Failure::Malformed("not either a result or an error"));
    }
    Ok(answer)
}

/// Makes sure that this is the answer of a node of that chain.
pub(crate) fn check_chain_id(answer: Answer, chain_id: u64) -> Result<(), Failure> {
    let text = answer.into_result()?.map_err(ErrorObject::into_failure)?;
    let said = hex_digits(&text).and_then(|it| u64::from_str_radix(it, 16).ok());
    let said = said.ok_or(Failure::Malformed("the chain id is no number"))?;
    if said == chain_id { Ok(()) } else { Err(Failure::WrongChain { said }) }
}

/// What became of the call that this is the answer to.
pub(crate) fn outcome(answer: Answer) -> Result<Outcome, Failure> {
    match answer.into_result()? {
        Ok(text) => {
            let returned = hex_digits(&text).and_then(|it| hex::decode(it).ok());
            let returned = returned.ok_or(Failure::Malformed("the result is not hex"))?;
            Ok(Outcome::Returned(returned.into()))
        }
        Err(it) if revert::is_of_contract(it.code, &it.message) => Ok(Outcome::Reverted),
        Err(error) => Err(error.into_failure()),
    }
}

/// What stands behind `0x`, if it is nothing but hex digits: parsers take a sign or another `0x`.
fn hex_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))
}

impl Answer {
    fn into_result(self) -> Result<Result<String, ErrorObject>, Failure> {
        match (self.result, self.error) {
            (Some(Value::String(text)), _) => Ok(Ok(text)),
            (_, Some(error)) => Ok(Err(error)),
            (_, None) => Err(Failure::Malformed("the result is not text")),
        }
    }
}

impl ErrorObject {
    fn into_failure(self) -> Failure {
        Failure::Refused { code: self.code, message: self.message }
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
