//! Signatures that say how to make their wallet ready (EIP-6492).

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use revm::primitives::hardfork::SpecId;

use crate::machine::{End, Machine, WALLET};

const FACTORY: Address = Address::repeat_byte(0xfa);
/// A contract that fails, having burnt all it was given.
const BURNER: Address = Address::repeat_byte(0xbb);
/// See `wallets.rs`.
const YES: &str = "631626ba7e60e01b60005260206000f3";
/// The same with `0xffffffff`.
const NO: &str = "63ffffffff60e01b60005260206000f3";
/// Creates a contract from the code it is called with: `CREATE2`, salt 0.
const FACTORY_CODE: &str = "36600060003760003660006000f500";

fn bytes(code: &str) -> Vec<u8> {
    hex::decode(code).unwrap()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let zeros = vec![0; bytes.len().next_multiple_of(32) - bytes.len()];
    [&number(bytes.len())[..], bytes, &zeros].concat()
}

fn number(number: usize) -> B256 {
    U256::from(number).into()
}

/// Encoded by hand: whom to call, where the two byte strings begin, they themselves, and the mark.
fn wrap(to: Address, data: &[u8], signature: &[u8]) -> Vec<u8> {
    let (data, signature) = (padded(data), padded(signature));
    let head = [*to.into_word(), *number(96), *number(96 + data.len())].concat();
    [head, data, signature, [0x64, 0x92].repeat(16)].concat()
}

/// Code that creates a contract with this code of 16 bytes.
fn creation(code: &str) -> Vec<u8> {
    bytes(&format!("6f{code}60005260106010f3"))
}

/// Where the factory puts it.
fn created(code: &str) -> Address {
    FACTORY.create2(B256::ZERO, keccak256(creation(code)))
}

#[test]
fn the_encoding_of_the_tests_is_that_of_the_proposal() {
    // By viem 2: `serializeErc6492Signature`.
    let want = include_str!("wrapped.txt").lines().collect::<String>();
    let got = wrap(Address::repeat_byte(0xfa), &[0x12; 33], &[0x34; 65]);
    assert_eq!(hex::encode(got), want);
}

#[test]
fn a_wallet_that_is_not_there_yet_signs() {
    let reverts = "60006000fd";
    #[rustfmt::skip]
    let rows = [
        // factory does     it creates  wallet          want
        (FACTORY_CODE,      YES,        created(YES),   true),
        (FACTORY_CODE,      NO,         created(NO),    false),
        // Another one than the one that is asked.
        (FACTORY_CODE,      NO,         created(YES),   false),
        (FACTORY_CODE,      YES,        WALLET,         false),
        (reverts,           YES,        created(YES),   false),
        ("fe",              YES,        created(YES),   false),
        ("00",              YES,        created(YES),   false),
        ("",                YES,        created(YES),   false),
    ];
    for (index, (factory, code, wallet, want)) in rows.into_iter().enumerate() {
        let machine = Machine::new(&[(FACTORY, &bytes(factory))]);
        let signature = wrap(FACTORY, &creation(code), b"signature");
        assert_eq!(
            machine.is_signed(wallet, &signature),
            (want, vec![End::Returned]),
            "row {index}"
        );
        assert!(!machine.is_signed(wallet, b"signature").0, "row {index}: nothing is there now");
    }
}

#[test]
fn a_wallet_that_says_yes_at_once_is_not_prepared() {
    // Called with one byte, it says no from then on.
    // CALLDATASIZE, PUSH1 1, EQ, PUSH1 28, JUMPI;  PUSH1 0, SLOAD, ISZERO, times yes;
    // 28: JUMPDEST, PUSH1 1, PUSH1 0, SSTORE, STOP
    let code = "36600114601c5760005415631626ba7e60e01b0260005260206000f35b600160005500";
    let machine = Machine::new(&[(WALLET, &bytes(code)), (BURNER, &[0xfe])]);
    for (to, data) in [(WALLET, "1"), (BURNER, "data")] {
        let signature = wrap(to, data.as_bytes(), b"signature");
        assert_eq!(machine.is_signed(WALLET, &signature), (true, vec![End::Returned]), "{to}");
    }
}

#[test]
fn a_wallet_created_meanwhile_still_takes_the_signature() {
    // To create it once more burns all gas.
    let (wallet, factory) = (bytes(YES), bytes(FACTORY_CODE));
    let machine = Machine::new(&[(created(YES), &wallet), (FACTORY, &factory)]);
    let signature = wrap(FACTORY, &creation(YES), b"signature");
    assert_eq!(machine.is_signed(created(YES), &signature), (true, vec![End::Returned]));
}

/// Called with one byte, it is ready from then on. Called with anything else, it says yes if it is
/// ready, and if not, does what `unready` says.
fn readied_wallet(unready: &str) -> Vec<u8> {
    // CALLDATASIZE, PUSH1 1, EQ, PUSH1 31, JUMPI;  PUSH1 0, SLOAD, PUSH1 14, JUMPI;  unready;
    // 14: JUMPDEST, yes;  31: JUMPDEST, PUSH1 1, PUSH1 0, SSTORE, STOP
    bytes(&format!("36600114601f57600054600e57{unready}5b{YES}5b600160005500"))
}

#[test]
fn a_wallet_that_is_there_is_made_ready_if_need_be() {
    for unready in ["00", "fe"] {
        let machine = Machine::new(&[(WALLET, &readied_wallet(unready))]);
        #[rustfmt::skip]
        let rows = [
            // to       data            want
            (WALLET,    &b"1"[..],      true),
            (WALLET,    &b"12"[..],     false),
            (BURNER,    &b"1"[..],      false),
        ];
        for (to, data, want) in rows {
            let signature = wrap(to, data, b"signature");
            let got = machine.is_signed(WALLET, &signature);
            assert_eq!(got, (want, vec![End::Returned]), "{unready} {to} {data:?}");
        }
        // Nothing has changed.
        assert!(!machine.is_signed(WALLET, b"signature").0);
    }
}

#[test]
fn the_program_runs_on_older_chains() {
    for spec in [SpecId::PETERSBURG, SpecId::BERLIN, SpecId::MERGE, SpecId::SHANGHAI] {
        let machine = Machine::new(&[(WALLET, &readied_wallet("fe"))]).of(spec);
        let signature = wrap(WALLET, b"1", b"signature");
        assert_eq!(machine.is_signed(WALLET, &signature), (true, vec![End::Returned]), "{spec:?}");
    }
}

#[test]
fn the_longest_signature_fits() {
    let machine = Machine::new(&[(WALLET, &readied_wallet("fe"))]);
    // Three words before the two strings, a length before each, the padding of the first, the mark.
    let longest = wrap(WALLET, b"1", &[0xab; 16_384 - 7 * 32]);
    assert_eq!(longest.len(), 16_384);
    assert_eq!(machine.is_signed(WALLET, &longest), (true, vec![End::Returned]));
    let longer = wrap(WALLET, b"1", &[0xab; 16_384 - 7 * 32 + 1]);
    assert_eq!(machine.is_signed(WALLET, &longer), (false, vec![]));
}

#[test]
fn what_is_wrapped_wrongly_is_not_asked_about() {
    let good = wrap(WALLET, b"1", b"signature");
    let without_mark = good.len() - 32;
    let edited = |edit: fn(&mut Vec<u8>)| {
        let mut body = good[..without_mark].to_vec();
        edit(&mut body);
        [&body, &good[without_mark..]].concat()
    };
    #[rustfmt::skip]
    let rows = [
        ("nothing but the mark",            edited(Vec::clear)),
        ("a byte missing",                  edited(|it| { it.pop(); })),
        ("a word missing",                  edited(|it| it.truncate(it.len() - 32))),
        ("a word more",                     edited(|it| it.extend([0; 32]))),
        ("an address of 21 bytes",          edited(|it| it[11] = 1)),
        ("data that begin in the head",     edited(|it| it[63] = 64)),
        ("data that begin far outside",     edited(|it| it[32] = 0x80)),
        ("both strings at one place",       edited(|it| it[95] = 96)),
        ("data longer than all",            edited(|it| it[126] = 0xff)),
        ("a signature longer than all",     edited(|it| it[160] = 0xff)),
        ("padding that is no zero",         edited(|it| *it.last_mut().unwrap() = 1)),
    ];
    let machine = Machine::new(&[(WALLET, &readied_wallet("00"))]);
    assert_eq!(machine.is_signed(WALLET, &good), (true, vec![End::Returned]));
    for (what, signature) in rows {
        assert_eq!(machine.is_signed(WALLET, &signature), (false, vec![]), "{what}");
    }
}

/// Only the last bytes make a signature a wrapped one, and all 32 of them.
#[test]
fn what_is_not_wrapped_goes_to_the_wallet_as_it_is() {
    let machine = Machine::new(&[(WALLET, &bytes(YES))]);
    let mark = [0x64, 0x92].repeat(16);
    for signature in [mark[1..].to_vec(), [&mark[..], &[0]].concat(), [0x64, 0x92].to_vec()] {
        assert_eq!(machine.is_signed(WALLET, &signature), (true, vec![End::Returned]));
    }
}
