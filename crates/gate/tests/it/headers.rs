//! The header field, on both sides of each limit.

use crate::common::{FIRST, NOW_S, SECOND, statement};
use alloy_primitives::U256;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gate::{AmountError, Statement, StatementError, StatementFlaw as Flaw};
use serde_json::{Value, json};

/// A statement's members, well formed.
fn members() -> Value {
    json!({
        "issuer": FIRST,
        "subject": SECOND,
        "ledger": "crdt-main",
        "amount": "100000",
        "expiry": NOW_S,
        "signature": "0x",
    })
}

fn encode(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

fn with(member: &str, value: impl Into<Value>) -> String {
    let mut members = members();
    members[member] = value.into();
    encode(&members.to_string())
}

fn flaw(header: &str) -> Option<Flaw> {
    match Statement::parse_header(header) {
        Ok(_) => None,
        Err(StatementError::Flawed { number: 1, flaw }) => Some(flaw),
        Err(error) => panic!("{header}: {error}"),
    }
}

#[test]
fn numbers_and_texts_have_limits() {
    let digits = |n: usize| "0".repeat(n);
    let largest = U256::MAX.to_string();
    // It ends in 35.
    let too_large = largest.replace("9935", "9936");
    #[rustfmt::skip]
    let rows = [
        (with("amount", "0"),                     None),
        (with("amount", digits(78)),              None),
        (with("amount", &*largest),               None),
        (with("amount", ""),                      Some(Flaw::Amount(AmountError::NotDecimal))),
        (with("amount", "-1"),                    Some(Flaw::Amount(AmountError::NotDecimal))),
        (with("amount", "1.0"),                   Some(Flaw::Amount(AmountError::TooManyPlaces { max: 0 }))),
        (with("amount", too_large),               Some(Flaw::Amount(AmountError::TooLarge))),
        (with("amount", digits(79)),              Some(Flaw::AmountTooLong)),
        (with("signature", ""),                   None),
        (with("signature", "x".repeat(200)),      None),
        (with("signature", "x".repeat(201)),      Some(Flaw::SignatureTooLong)),
        (with("expiry", 0),                       None),
        (with("expiry", u64::MAX),                None),
        (with("subject", SECOND.to_lowercase()),  None),
        (with("ledger", "x".repeat(64)),          None),
    ];
    for (header, want) in rows {
        assert_eq!(flaw(&header), want, "{header}");
    }
}

#[test]
fn members_are_exactly_those_of_a_statement() {
    let text = members().to_string();
    let twice = text.replace("\"amount\":", "\"amount\":\"1\",\"amount\":");
    let too_late = text.replace(&NOW_S.to_string(), "18446744073709551616");
    let list = json!([FIRST, SECOND, "crdt-main", "1", 1, "0x"]).to_string();
    let without = |member: &str| {
        let mut members = members();
        members.as_object_mut().unwrap().remove(member);
        encode(&members.to_string())
    };
    #[rustfmt::skip]
    let rows = [
        (encode("no"),                                "must be a JSON object"),
        (encode(&list),                               "must be a JSON object"),
        (encode(&format!(" {text}")),                 "must be a JSON object"),
        (encode("{"),                                 "EOF while parsing an object"),
        (encode(&format!("{text}{text}")),            "trailing characters"),
        (encode(&twice),                              "duplicate field `amount`"),
        (with("nonce", 1),                            "unknown field `nonce`"),
        (without("issuer"),                           "missing field `issuer`"),
        (without("subject"),                          "missing field `subject`"),
        (without("ledger"),                           "missing field `ledger`"),
        (without("amount"),                           "missing field `amount`"),
        (without("expiry"),                           "missing field `expiry`"),
        (without("signature"),                        "missing field `signature`"),
        (with("issuer", "0x12"),                      "an address is 0x and 40 hexadecimal digits"),
        (with("subject", SECOND.replace("dc", "Dc")), "the upper and lower case of this address"),
        (with("ledger", ""),                          "a ledger's name has 1 to 64 characters"),
        (with("ledger", "x".repeat(65)),              "a ledger's name has 1 to 64 characters"),
        (with("ledger", "tab\t"),                     "a ledger's name has only printable ASCII"),
        (with("amount", 1),                           "invalid type: integer `1`, expected a string"),
        (with("expiry", "1"),                         "invalid type: string \"1\", expected u64"),
        (with("expiry", -1),                          "invalid value: integer `-1`, expected u64"),
        (with("expiry", 1.5),                         "invalid type: floating point `1.5`, expected u64"),
        (encode(&too_late),                           "invalid type: floating point"),
        (with("signature", Value::Null),              "invalid type: null, expected a string"),
    ];
    for (header, want) in rows {
        let Some(Flaw::NotStatement(got)) = flaw(&header) else { panic!("{want}") };
        assert!(got.starts_with(want), "{got}, not {want}");
    }
}

#[test]
fn only_base64url_without_padding_is_read() {
    let good = encode(&members().to_string());
    #[rustfmt::skip]
    let rows = [
        format!("{good}="),
        format!("{good}+"),
        format!("{good} {good}"),
        format!("{good};"),
        members().to_string().replace(',', " "),
        "é".to_owned(),
        // The last character has bits that no byte needs.
        "e31".to_owned(),
    ];
    for header in rows {
        assert_eq!(flaw(&header), Some(Flaw::NotBase64), "{header}");
    }
}

#[test]
fn a_request_has_1_to_4_statements() {
    let good = encode(&members().to_string());
    let not_base64 = |number| StatementError::Flawed { number, flaw: Flaw::NotBase64 };
    let not_object = |number| StatementError::Flawed {
        number,
        flaw: Flaw::NotStatement("must be a JSON object".to_owned()),
    };
    #[rustfmt::skip]
    let rows = [
        (good.clone(),                              Ok(1)),
        (format!("{good},{good}"),                  Ok(2)),
        (format!(" {good} ,\t{good}\t"),            Ok(2)),
        ([&*good; 4].join(", "),                    Ok(4)),
        ([&*good; 5].join(", "),                    Err(StatementError::TooMany { n_statements: 5 })),
        (String::new(),                             Err(not_object(1))),
        (format!("{good},"),                        Err(not_object(2))),
        (format!("{good},,{good}"),                 Err(not_object(2))),
        (format!("{good},{good},?"),                Err(not_base64(3))),
    ];
    for (header, want) in rows {
        let got = Statement::parse_header(&header).map(|it| it.len());
        assert_eq!(got, want, "{header}");
    }
}

#[test]
fn the_field_has_at_most_8_kib() {
    let good = encode(&members().to_string());
    for (len_bytes, is_right) in [(8192, true), (8193, false)] {
        let header = format!("{good:<len_bytes$}");
        let got = Statement::parse_header(&header).map(|it| it.len());
        let want = if is_right { Ok(1) } else { Err(StatementError::TooLong { len_bytes }) };
        assert_eq!(got, want);
    }
}

#[test]
fn what_a_client_is_told_names_the_statement_and_the_member() {
    let good = encode(&members().to_string());
    #[rustfmt::skip]
    let rows = [
        (format!("{good},{}", with("amount", "1e3")),
         "statement 2: amount: an amount has only digits, and maybe a point between them, such as 100 or 12.5"),
        (with("amount", "0".repeat(79)),       "statement 1: amount: has 1 to 78 digits"),
        (with("signature", "x".repeat(201)),   "statement 1: signature: has at most 200 characters"),
        ("?".to_owned(),                       "statement 1: must be JSON in base64url without padding"),
        ("e30".to_owned(),                     "statement 1: missing field `issuer` at line 1 column 2"),
        ([&*good; 5].join(","),                "a request has at most 4 statements, this one has 5"),
        ("x".repeat(8193),                     "statements take at most 8192 bytes, these take 8193"),
    ];
    for (header, want) in rows {
        assert_eq!(Statement::parse_header(&header).unwrap_err().to_string(), want);
    }
}

#[test]
fn what_is_written_is_read_back() {
    let statements = [statement(1), statement(u64::MAX)];
    let header = statements.each_ref().map(Statement::to_header).join(",");
    assert_eq!(Statement::parse_header(&header).unwrap(), statements);
}
