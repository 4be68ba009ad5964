//! Printing and parsing are one another's reverse, and no input makes the parsers panic.
//!
//! Method: fields are drawn from the character classes of EIP-4361 and RFC 3986 as written there,
//! not from what the parser takes. Arbitrary input is arbitrary text, and good messages with one
//! line replaced, which get further.

use crate::common::full_fields;
use evm::{Signature, address_of};
use k256::ecdsa::SigningKey;
use proptest::{collection::vec, option, prelude::*};
use siwe::{Fields, Message, Origin, recover, sign};
use time::OffsetDateTime;

/// 0000-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
const NANOS: std::ops::RangeInclusive<i128> =
    -62_167_219_200_000_000_000..=253_402_300_799_999_999_999;

fn instant() -> impl Strategy<Value = OffsetDateTime> {
    NANOS.prop_map(|it| OffsetDateTime::from_unix_timestamp_nanos(it).unwrap())
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        "https?://([a-z0-9.-]{1,20}|\\[::[0-9a-f]{1,4}\\])(:[0-9]{0,5})?\
         (/[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,9}){0,3}(\\?[a-z=&/?]{0,9})?(#[a-z]{0,5})?",
        "[a-z][a-z0-9+.-]{0,8}:([a-zA-Z0-9:@]|%[0-9a-fA-F]{2}){0,20}",
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    let first = (
        option::of("[a-zA-Z][a-zA-Z0-9+.-]{0,8}"),
        "([a-z0-9:!$]{0,8}@)?([a-z0-9.-]{1,20}|\\[[0-9a-f]{1,4}::1\\])(:[0-9]{0,5})?",
        any::<[u8; 20]>(),
        option::of("[a-zA-Z0-9 ._~:/?#\\[\\]@!$&'()*+,;=-]{0,60}"),
        uri(),
        any::<u64>(),
        "[a-zA-Z0-9]{8,40}",
    );
    let second = (
        instant(),
        option::of(instant()),
        option::of(instant()),
        option::of("([a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2}){0,20}"),
        vec(uri(), 0..4),
    );
    (first, second).prop_map(|(first, second)| Fields {
        scheme: first.0,
        domain: first.1,
        address: first.2.into(),
        statement: first.3,
        uri: first.4,
        chain_id: first.5,
        nonce: first.6,
        issued_at: second.0,
        expiration_time: second.1,
        not_before: second.2,
        request_id: second.3,
        resources: second.4,
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(fields in fields()) {
        let message = Message::new(fields.clone()).unwrap();
        prop_assert_eq!(message.fields(), &fields);
        prop_assert_eq!(message.to_string().parse::<Message>(), Ok(message));
    }

    #[test]
    fn what_is_read_prints_as_something_that_reads_the_same(
        line in 0_usize..16,
        text in "\\PC{0,30}|[0-9TZtz:.+-]{0,30}|(URI|Nonce|Issued At|- )[: ]{0,2}\\PC{0,20}",
    ) {
        let good = Message::new(full_fields()).unwrap().to_string();
        let mut lines: Vec<&str> = good.split('\n').collect();
        let place = line % lines.len();
        lines[place] = &text;
        if let Ok(message) = lines.join("\n").parse::<Message>() {
            prop_assert_eq!(message.to_string().parse::<Message>(), Ok(message));
        }
    }

    #[test]
    fn dates_of_any_shape_do_not_panic(
        text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9][Tt ]\
                [0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    ) {
        let good = Message::new(full_fields()).unwrap().to_string();
        let _ = good.replacen("2026-01-01T00:00:00Z", &text, 1).parse::<Message>();
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in any::<String>()) {
        let _ = text.parse::<Message>();
        let _ = text.parse::<Signature>();
        let _ = text.parse::<Origin>();
        let _ = format!("https://{text}").parse::<Origin>();
        let _ = format!("0x{text}").parse::<Signature>();
    }
}

proptest! {
    // Signing is slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_a_key_signs_is_traced_to_its_address(
        secret in any::<[u8; 32]>(),
        text in any::<String>(),
    ) {
        let Ok(key) = SigningKey::from_slice(&secret) else { return Ok(()) };
        let signature: Signature = sign(&text, &key).parse().unwrap();
        prop_assert_eq!(recover(&text, &signature), Ok(address_of(key.verifying_key())));
    }

    #[test]
    fn any_well_formed_signature_gives_an_address_or_an_error(
        digits in "[0-9a-f]{64}[0-7][0-9a-f]{63}(00|01|1b|1c)",
        text in any::<String>(),
    ) {
        if let Ok(signature) = format!("0x{digits}").parse::<Signature>() {
            let _ = recover(&text, &signature);
        }
    }
}
