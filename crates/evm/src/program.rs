//! The code that runs once on a chain and answers whether a contract signed.
//!
//! It is the code of a contract's creation, sent by `eth_call` and never created: what it would
//! leave as the contract's code is the answer, 32 bytes of 1 or 0. It needs nothing on the chain
//! beforehand, and it asks and, for EIP-6492, prepares and asks again in one state of the chain.
//!
//! Behind the code lies its data: what the wallet is called with, and then what the preparation is
//! called with. In memory the answer is at 0 and the data from 32 on.
//!
//! The only instruction younger than Byzantium is `SHL`, of Constantinople; there is no `PUSH0`.
//!
//! Source: EIP-1271, EIP-6492; opcodes of the Yellow Paper, EIP-145, EIP-211, EIP-214.

use alloy_primitives::{Address, Bytes};

/// A call that, says the signature, makes the wallet ready to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preparation {
    /// The contract, as a rule the factory of the wallet.
    pub(crate) to: Address,
    /// What it is called with.
    pub(crate) data: Bytes,
}

const DIV: u8 = 0x04;
const SUB: u8 = 0x03;
const LT: u8 = 0x10;
const EQ: u8 = 0x14;
const AND: u8 = 0x16;
const SHL: u8 = 0x1b;
const CODESIZE: u8 = 0x38;
const CODECOPY: u8 = 0x39;
const RETURNDATASIZE: u8 = 0x3d;
const POP: u8 = 0x50;
const MLOAD: u8 = 0x51;
const MSTORE: u8 = 0x52;
const JUMPI: u8 = 0x57;
const GAS: u8 = 0x5a;
const JUMPDEST: u8 = 0x5b;
const PUSH1: u8 = 0x60;
const PUSH2: u8 = 0x61;
const PUSH4: u8 = 0x63;
const PUSH20: u8 = 0x73;
const DUP1: u8 = 0x80;
const CALL: u8 = 0xf1;
const RETURN: u8 = 0xf3;
const STATICCALL: u8 = 0xfa;

/// Where the data begins in memory.
const DATA_AT: u8 = 32;
/// Where the second way through the program joins the first one: the bytes of [`load`],
/// [`ask`] with half of the gas, [`unless_yes`], [`prepare`] and [`ask`] with all of it.
const JOIN_AT: u8 = 9 + 53 + 5 + 39 + 50;

/// The program that calls `wallet` with `question` and answers whether it said yes.
///
/// With a preparation: if it did not say yes, the preparation is called and the wallet is asked
/// once more. Whether the preparation succeeded is not looked at; if it did not, the wallet is as
/// it was and gives the same answer.
///
/// Question and preparation together have less than 64 KiB.
pub(crate) fn assemble(
    wallet: Address,
    question: &[u8],
    preparation: Option<&Preparation>,
) -> Vec<u8> {
    match preparation {
        None => {
            [&load(question.len())[..], &ask(wallet, question, &ALL), &ANSWER, question].concat()
        }
        Some(it) => [
            &load(question.len().saturating_add(it.data.len()))[..],
            &ask(wallet, question, &HALF),
            &unless_yes(),
            &prepare(it, question),
            &ask(wallet, question, &ALL),
            &[JUMPDEST],
            &ANSWER,
            question,
            &it.data,
        ]
        .concat(),
    }
}

/// Loads the data, which are the last bytes of the code, into memory. Stack: nothing.
fn load(data_len: usize) -> Vec<u8> {
    let [high, low] = len(data_len);
    #[rustfmt::skip]
    let code = [
        PUSH2, high, low,       // how many bytes
        DUP1, CODESIZE, SUB,    // from here on in the code: its size less that
        PUSH1, DATA_AT,         // to here in memory
        CODECOPY,
    ];
    code.to_vec()
}

/// All the gas there is, of which a call gets 63 of 64 parts (EIP-150).
const ALL: [u8; 1] = [GAS];
/// Half of the gas there is, so that a contract which burns it leaves enough for what comes next.
const HALF: [u8; 4] = [PUSH1, 2, GAS, DIV];

/// Asks the wallet. Stack: 1 if it said yes, else 0.
///
/// The call is static, so the wallet changes nothing. Room for its answer is 32 bytes however much
/// it returns. Where there is no contract, the call succeeds and returns nothing.
fn ask(wallet: Address, question: &[u8], gas: &[u8]) -> Vec<u8> {
    let [high, low] = len(question.len());
    #[rustfmt::skip]
    let code = [
        &[
            PUSH1, 32, PUSH1, 0,                    // the answer: 32 bytes, at 0
            PUSH2, high, low, PUSH1, DATA_AT,       // the question
            PUSH20,
        ],
        wallet.as_slice(),
        gas,
        &[
            STATICCALL,                             // it did not fail,
            RETURNDATASIZE, PUSH1, 31, LT, AND,     // it returned more than 31 bytes,
            PUSH4, 0x16, 0x26, 0xba, 0x7e,          // and the first 32 are the four of the
            PUSH1, 224, SHL,                        // interface and 28 zeros. No fewer than that:
            PUSH1, 0, MLOAD, EQ, AND,               // contract 4 returns what it is called with
        ],
    ];
    code.concat()
}

/// Goes to the end if the stack has a 1, else goes on. Stack: the 1, or nothing.
fn unless_yes() -> [u8; 5] {
    [DUP1, PUSH1, JOIN_AT, JUMPI, POP]
}

/// Calls the preparation, whose data lie behind the question, without money. Stack: nothing.
fn prepare(preparation: &Preparation, question: &[u8]) -> Vec<u8> {
    let [at_high, at_low] = len(question.len().saturating_add(DATA_AT.into()));
    let [high, low] = len(preparation.data.len());
    #[rustfmt::skip]
    let code = [
        &[
            PUSH1, 0, PUSH1, 0,                     // no room for an answer
            PUSH2, high, low, PUSH2, at_high, at_low,
            PUSH1, 0,                               // money
            PUSH20,
        ],
        preparation.to.as_slice(),
        &HALF,
        &[CALL, POP],
    ];
    code.concat()
}

/// Ends with what is on the stack as 32 bytes.
const ANSWER: [u8; 8] = [PUSH1, 0, MSTORE, PUSH1, 32, PUSH1, 0, RETURN];

fn len(len: usize) -> [u8; 2] {
    u16::try_from(len).expect("a signature has at most 16 KiB").to_be_bytes()
}
