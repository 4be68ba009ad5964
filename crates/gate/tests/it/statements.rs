//! The hash and the signature of statements, against vectors that other code made.

use crate::common::{FIRST, first_key, second, second_key, statement};
use alloy_primitives::{U256, hex};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use evm::SignatureError;
use gate::Statement;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let text = include_str!("../vectors/attestation.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document["statements"].as_array().unwrap().clone()
}

fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap()
}

#[test]
fn what_others_signed_is_read_and_verified() {
    for vector in vectors() {
        let statements = Statement::parse_header(text(&vector, "header")).unwrap();
        let [statement] = statements.as_slice() else { panic!("{vector}") };
        let hash = hex::encode_prefixed(statement.signing_hash());
        assert_eq!(hash, text(&vector, "hash"), "{vector}");
        assert_eq!(statement.verify(), Ok(()), "{vector}");
    }
}

#[test]
fn what_is_signed_here_is_what_others_sign() {
    for vector in vectors() {
        let message = &vector["message"];
        let key = if text(message, "issuer") == FIRST { first_key() } else { second_key() };
        let statement = Statement::sign(
            text(message, "subject").parse().unwrap(),
            text(message, "ledger").to_owned().try_into().unwrap(),
            text(message, "amount").parse().unwrap(),
            text(message, "expiry").parse().unwrap(),
            &key,
        );
        assert_eq!(statement.to_header(), text(&vector, "header"), "{vector}");
    }
}

/// The example of the README, run, gives the first vector.
#[test]
fn the_readme_shows_what_others_signed() {
    let header = format!("Gate-Attestation: {}\n", text(&vectors()[0], "header"));
    assert!(include_str!("../../README.md").contains(&header));
}

/// The statement with one member of its JSON replaced.
fn altered(member: &str, value: impl Into<Value>) -> Statement {
    let json = URL_SAFE_NO_PAD.decode(statement(1000).to_header()).unwrap();
    let mut members: Value = serde_json::from_slice(&json).unwrap();
    members[member] = value.into();
    let header = URL_SAFE_NO_PAD.encode(members.to_string());
    Statement::parse_header(&header).unwrap().remove(0)
}

#[test]
fn a_signature_is_for_every_member_and_in_one_form() {
    use SignatureError::{HighS, Length, NoKey, NoPrefix, WrongSigner};

    let good = altered("ledger", "crdt-main");
    assert_eq!(good.verify(), Ok(()));

    let signed_by_other = Statement::sign(
        second(),
        "crdt-main".to_owned().try_into().unwrap(),
        U256::from(1000),
        0,
        &second_key(),
    );
    let json = URL_SAFE_NO_PAD.decode(signed_by_other.to_header()).unwrap();
    let members: Value = serde_json::from_slice(&json).unwrap();
    // 5 is not the x of a point of secp256k1.
    let no_key = format!("0x{:064x}{:064x}1b", 5, 1);
    let high_s = format!(
        "0x{:064x}{}1b",
        1, "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1"
    );
    #[rustfmt::skip]
    let rows = [
        (altered("issuer", second().to_string()),                WrongSigner),
        (altered("subject", FIRST),                              WrongSigner),
        (altered("ledger", "crdt-test"),                         WrongSigner),
        (altered("amount", "1001"),                              WrongSigner),
        (altered("expiry", 1),                                   WrongSigner),
        (altered("signature", members["signature"].clone()),     WrongSigner),
        (altered("signature", ""),                               NoPrefix),
        (altered("signature", "0x"),                             Length { len_bytes: 0 }),
        (altered("signature", high_s),                           HighS),
        (altered("signature", no_key),                           NoKey),
    ];
    for (statement, want) in rows {
        assert_eq!(statement.verify(), Err(want), "{statement:?}");
    }
}
