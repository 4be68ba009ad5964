//! What contracts answer, and what of it is a yes. The contracts are written in bytes.

use alloy_primitives::{Address, B256, hex, keccak256};
use proptest::prelude::*;
use revm::primitives::hardfork::SpecId;

use crate::machine::{End, HASH, Machine, WALLET};

/// `PUSH4 0x1626ba7e, PUSH1 224, SHL, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN`
const YES: &str = "631626ba7e60e01b60005260206000f3";

#[test]
fn only_one_answer_is_a_yes() {
    #[rustfmt::skip]
    let rows = [
        // what the wallet does             code                                            want
        ("says yes",                        YES.to_owned(),                                 true),
        ("says yes and 32 zeros",           "631626ba7e60e01b60005260406000f3".into(),      true),
        ("says yes in a mebibyte",          "631626ba7e60e01b600052621000006000f3".into(),  true),
        ("says yes in 50 MB",               "631626ba7e60e01b6000526302faf0806000f3".into(), false),
        ("says yes in 31 bytes",            "631626ba7e60e01b600052601f6000f3".into(),      false),
        ("says yes in 4 bytes",             "631626ba7e60e01b60005260046000f3".into(),      false),
        ("returns nothing",                 "00".into(),                                    false),
        ("says no",                         "63ffffffff60e01b60005260206000f3".into(),      false),
        ("says the yes of another function", "6320c13b0b60e01b60005260206000f3".into(),     false),
        ("says true",                       "600160005260206000f3".into(),                  false),
        ("says yes at the wrong end",       "631626ba7e60005260206000f3".into(),            false),
        ("says yes and then 1",             format!("7f1626ba7e{:056x}60005260206000f3", 1), false),
        ("says only ones",                  format!("7f{}60005260206000f3", "ff".repeat(32)), false),
        ("returns what it is called with",  "366000600037366000f3".into(),                  false),
        ("reverts",                         "60006000fd".into(),                            false),
        ("reverts with yes",                "631626ba7e60e01b60005260206000fd".into(),      false),
        ("has an instruction that is none", "fe".into(),                                    false),
        ("never ends",                      "5b600056".into(),                              false),
        ("calls itself for ever",           "6000600060006000305afa00".into(),              false),
        ("takes from an empty stack",       "01".into(),                                    false),
        ("writes and says yes",             format!("6001600055{YES}"),                     false),
        ("logs and says yes",               format!("60006000a0{YES}"),                     false),
        ("creates and says yes",            format!("600060006000f0{YES}"),                 false),
        ("is not there",                    String::new(),                                  false),
    ];
    for (what, code, want) in rows {
        let machine = Machine::new(&[(WALLET, &hex::decode(code).unwrap())]);
        // Whatever the wallet does, the program comes to an end of its own.
        assert_eq!(machine.is_signed(WALLET, b"signature"), (want, vec![End::Returned]), "{what}");
    }
}

/// Each of these says yes only to those who pretend.
#[test]
fn nobody_is_taken_for_a_simulation() {
    for who in ["32", "33"] {
        // `PUSH1 2, ORIGIN (or CALLER), LT`: 1 for addresses zero and one.
        let code = format!("6002{who}10631626ba7e60e01b0260005260206000f3");
        let machine = Machine::new(&[(WALLET, &hex::decode(code).unwrap())]);
        assert_eq!(machine.is_signed(WALLET, b"signature"), (false, vec![End::Returned]), "{who}");
    }
}

#[test]
fn the_contracts_of_the_machine_itself_sign_nothing() {
    let machine = Machine::new(&[]);
    for number in 0..=20 {
        let wallet = Address::with_last_byte(number);
        assert_eq!(
            machine.is_signed(wallet, b"signature"),
            (false, vec![End::Returned]),
            "{number}"
        );
    }
}

/// A wallet that says yes if the hash of what it is called with is this one.
fn says_yes_to(question: &[u8]) -> Vec<u8> {
    let hash = keccak256(question);
    // The calldata into memory, its hash, EQ; times yes.
    let code = format!("366000600037366000207f{hash:x}14631626ba7e60e01b0260005260206000f3");
    hex::decode(code).unwrap()
}

/// Encoded by hand: selector, hash, where the signature begins, its length, it and zeros.
fn question(hash: [u8; 32], signature: &[u8]) -> Vec<u8> {
    let number = |it: usize| B256::from(alloy_primitives::U256::from(it));
    let zeros = vec![0; signature.len().next_multiple_of(32) - signature.len()];
    let words = [hash, *number(64), *number(signature.len())].concat();
    [&[0x16, 0x26, 0xba, 0x7e], &words[..], signature, &zeros].concat()
}

#[test]
fn the_wallet_is_asked_about_this_hash_and_signature() {
    for len in [0, 1, 31, 32, 33, 64, 65, 97, 1000, 16_383, 16_384] {
        let signature = vec![0xab; len];
        let machine = Machine::new(&[(WALLET, &says_yes_to(&question(HASH, &signature)))]);
        assert_eq!(machine.is_signed(WALLET, &signature), (true, vec![End::Returned]), "{len}");

        let mut other = signature.clone();
        other.push(0);
        assert!(!machine.is_signed(WALLET, &other).0, "{len}");
        let machine = Machine::new(&[(WALLET, &says_yes_to(&question([0x23; 32], &signature)))]);
        assert!(!machine.is_signed(WALLET, &signature).0, "{len}");
    }
}

#[test]
fn too_long_a_signature_is_not_asked_about() {
    let machine = Machine::new(&[(WALLET, &hex::decode(YES).unwrap())]);
    assert_eq!(machine.is_signed(WALLET, &vec![0xab; 16_384]), (true, vec![End::Returned]));
    assert_eq!(machine.is_signed(WALLET, &vec![0xab; 16_385]), (false, vec![]));
}

/// `PUSH0` came with Shanghai, and many chains came before.
#[test]
fn the_program_runs_on_older_chains() {
    let specs = [
        SpecId::PETERSBURG,
        SpecId::ISTANBUL,
        SpecId::BERLIN,
        SpecId::LONDON,
        SpecId::MERGE,
        SpecId::SHANGHAI,
        SpecId::CANCUN,
        SpecId::PRAGUE,
        SpecId::OSAKA,
    ];
    for spec in specs {
        let machine = Machine::new(&[(WALLET, &hex::decode(YES).unwrap())]).of(spec);
        assert_eq!(
            machine.is_signed(WALLET, b"signature"),
            (true, vec![End::Returned]),
            "{spec:?}"
        );
        let machine = Machine::new(&[(WALLET, &[0xfe])]).of(spec);
        assert_eq!(
            machine.is_signed(WALLET, b"signature"),
            (false, vec![End::Returned]),
            "{spec:?}"
        );
    }
}

proptest! {
    /// Chance does not find the yes, and does not keep the program from its answer.
    #[test]
    fn no_code_keeps_the_program_from_its_answer(
        code in proptest::collection::vec(any::<u8>(), 0..64),
        signature in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        // What begins so is a delegation, if it is one, and else no code can.
        prop_assume!(!code.starts_with(&[0xef]));
        let machine = Machine::new(&[(WALLET, &code)]);
        prop_assert_eq!(machine.is_signed(WALLET, &signature), (false, vec![End::Returned]));
    }
}
