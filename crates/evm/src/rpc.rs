//! JSON-RPC as nodes of chains speak it: what is asked, and how answers are read.
//!
//! Source: JSON-RPC 2.0; the execution API of Ethereum's nodes, `eth_chainId`.

use alloy_primitives::{Bytes, hex};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::Failure;

/// One thing that a node is asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// The name of the method, `eth_` and what it is about.
    pub(crate) method: &'static str,
    /// A list.
    pub(crate) params: Value,
}

/// One answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    jsonrpc: String,
    id: usize,
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    error: Option<ErrorObject>,
}

/// What a node says that does not answer.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorObject {
    pub(crate) code: i64,
    pub(crate) message: String,
}

/// The answer to several requests at once.
pub(crate) enum BatchAnswer {
    /// One for each, in the order of the requests.
    Answers(Vec<Answer>),
    /// One error for all of them: this node may not take several at once.
    Refused,
}

/// What is sent: which chain this is, and then the questions. Ids are places, counted from 1.
pub(crate) fn requests(questions: &[Question]) -> Vec<Value> {
    let which_chain = Question { method: "eth_chainId", params: json!([]) };
    let requests = (1_usize..).zip([&which_chain].into_iter().chain(questions));
    let requests = requests.map(|(id, Question { method, params })| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    });
    requests.collect()
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
    match (&answer.result, &answer.error) {
        (Some(Value::Null) | None, Some(_)) | (Some(_), None) => Ok(answer),
        (Some(_), Some(_)) | (None, None) => Err(NEITHER),
    }
}

const NEITHER: Failure = Failure::Malformed("not either a result or an error");

/// Tells `null`, which says that there is no such block or transaction, from nothing at all.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The answers, of which there are as many as there were questions.
pub(crate) fn exactly<const N: usize>(answers: Vec<Answer>) -> Result<[Answer; N], Failure> {
    answers.try_into().map_err(|_| Failure::Malformed("not one answer for each question"))
}

/// Makes sure that this is the answer of a node of that chain.
pub(crate) fn check_chain_id(answer: Answer, chain_id: u64) -> Result<(), Failure> {
    let text = answer.into_text()?.map_err(ErrorObject::into_failure)?;
    let said = quantity(&text).ok_or(Failure::Malformed("the chain id is no number"))?;
    if said == chain_id { Ok(()) } else { Err(Failure::WrongChain { said }) }
}

/// Reads a number as nodes write it: `0x2105`.
pub(crate) fn quantity(text: &str) -> Option<u64> {
    hex_digits(text).and_then(|it| u64::from_str_radix(it, 16).ok())
}

/// Reads bytes as nodes write them: `0x`, and two digits for each.
pub(crate) fn bytes(text: &str) -> Option<Bytes> {
    hex_digits(text).and_then(|it| hex::decode(it).ok()).map(Bytes::from)
}

/// What stands behind `0x`, if it is nothing but hex digits: parsers take a sign or another `0x`.
fn hex_digits(text: &str) -> Option<&str> {
    text.strip_prefix("0x").filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))
}

impl Answer {
    /// The result, of whatever kind.
    pub(crate) fn into_value(self) -> Result<Value, Failure> {
        match self.error {
            Some(error) => Err(error.into_failure()),
            None => self.result.ok_or(NEITHER),
        }
    }

    /// The result if it is a text, or what the node says instead.
    pub(crate) fn into_text(self) -> Result<Result<String, ErrorObject>, Failure> {
        match (self.result, self.error) {
            (_, Some(error)) => Ok(Err(error)),
            (Some(Value::String(text)), None) => Ok(Ok(text)),
            (None | Some(Value::Null), None) => Err(NEITHER),
            (Some(_), None) => Err(Failure::Malformed("the result is not text")),
        }
    }
}

impl ErrorObject {
    pub(crate) fn into_failure(self) -> Failure {
        Failure::Refused { code: self.code, message: self.message }
    }
}
