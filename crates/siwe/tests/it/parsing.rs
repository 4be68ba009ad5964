//! What is a message and what is not: the public vectors, and our decision on each subtle text.

use crate::common::{fields, full_fields, vectors};
use siwe::{FieldError, Fields, Message, ParseError, TimestampError};
use time::macros::datetime;

const fn not_a_time(label: &'static str) -> FieldError {
    FieldError::Timestamp { label, source: TimestampError::NotRfc3339 }
}

#[test]
fn the_positive_vectors_are_read_field_by_field() {
    let vectors = vectors("parsing_positive.json");
    assert_eq!(vectors.len(), 19);
    for (name, vector) in vectors {
        let raw = vector["message"].as_str().unwrap();
        let message: Message = raw.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let want = fields(&vector["fields"]);
        assert_eq!(*message.fields(), want, "{name}");
        assert_eq!(Message::new(want).unwrap().to_string().parse(), Ok(message), "{name}");
    }
}

#[test]
fn the_negative_vectors_are_refused_for_the_right_reason() {
    #[rustfmt::skip]
    let rows: &[(&str, ParseError)] = &[
        ("missing domain",                        FieldError::Domain.into()),
        ("missing address",                       ParseError::Address),
        ("missing uri",                           ParseError::NoLine { label: "URI: " }),
        ("missing version",                       ParseError::NoLine { label: "Version: " }),
        ("missing chainId",                       ParseError::NoLine { label: "Chain ID: " }),
        ("missing nonce",                         ParseError::NoLine { label: "Nonce: " }),
        ("missing issuedAt",                      ParseError::NoLine { label: "Issued At: " }),
        ("out of order uri",                      ParseError::NoLine { label: "URI: " }),
        ("out of order version",                  ParseError::NoLine { label: "Version: " }),
        ("out of order chainId",                  ParseError::NoLine { label: "Chain ID: " }),
        ("out of order nonce",                    ParseError::NoLine { label: "Nonce: " }),
        ("out of order issuedAt",                 ParseError::NoLine { label: "Issued At: " }),
        ("out of order expirationTime",           ParseError::Trailing),
        ("out of order notBefore",                ParseError::Trailing),
        ("out of order requestId",                ParseError::Trailing),
        ("out of order resources",                ParseError::Trailing),
        ("domain not RFC4501 authority",          FieldError::Domain.into()),
        ("address not EIP-55",                    ParseError::Address),
        ("statement has line break",              ParseError::NoEmptyLine { after: "statement" }),
        ("uri is non-RFC 3986",                   FieldError::Uri.into()),
        ("version not 1",                         ParseError::Version),
        ("not a valid chainId",                   ParseError::ChainId),
        ("nonce with less then 8 chars",          FieldError::Nonce.into()),
        ("non-ISO 8601 issuedAt",                 not_a_time("Issued At").into()),
        ("non-ISO 8601 expirationTime",           not_a_time("Expiration Time").into()),
        ("non-ISO 8601 notBefore",                not_a_time("Not Before").into()),
        ("resources not separated by line break", FieldError::Resource { index: 0 }.into()),
        ("first resource not-RFC 3986",           FieldError::Resource { index: 0 }.into()),
        ("second resource is not-RFC3986",        FieldError::Resource { index: 1 }.into()),
    ];
    let vectors = vectors("parsing_negative.json");
    assert_eq!(vectors.len(), rows.len());
    for (name, want) in rows {
        assert_eq!(vectors[*name].as_str().unwrap().parse::<Message>(), Err(*want), "{name}");
    }
}

/// Those that a [`Fields`] can say. It cannot lack an obligatory field, have another version, or
/// hold an address, chain id or date that is none. So the other thirteen have nothing to test: the
/// seven "missing", "address not EIP-55", "version not 1", "not a valid chainId" and the three
/// dates, of which [`an_instant_that_rfc_3339_cannot_write_is_refused`] is what is left.
#[test]
fn the_negative_objects_are_refused() {
    #[rustfmt::skip]
    let rows = [
        ("domain not RFC4501 authority",   FieldError::Domain),
        ("uri is non-RFC 3986",            FieldError::Uri),
        ("nonce with less then 8 chars",   FieldError::Nonce),
        ("first resource not-RFC 3986",    FieldError::Resource { index: 0 }),
        ("second resource is not-RFC3986", FieldError::Resource { index: 1 }),
    ];
    let vectors = vectors("parsing_negative_objects.json");
    assert_eq!(vectors.len(), 18);
    for (name, want) in rows {
        assert_eq!(Message::new(fields(&vectors[name])), Err(want), "{name}");
    }
}

#[test]
fn each_subtle_text_is_decided() {
    #[rustfmt::skip]
    let rows: &[(&str, Result<(), ParseError>)] = &[
        ("ok",                   Ok(())),
        ("statement_absent",     Ok(())),
        ("statement_empty_line", Ok(())),
        ("statement_non_ascii",  Err(FieldError::Statement { found: 'ü' }.into())),
        ("statement_emoji",      Err(FieldError::Statement { found: '👋' }.into())),
        ("nonce_7",              Err(FieldError::Nonce.into())),
        ("nonce_dash",           Err(FieldError::Nonce.into())),
        ("addr_lower",           Err(ParseError::Address)),
        ("addr_upper",           Err(ParseError::Address)),
        ("crlf",                 Err(ParseError::Preamble)),
        ("trailing_newline",     Err(ParseError::Trailing)),
        ("scheme",               Ok(())),
        ("chain_0",              Ok(())),
        ("chain_huge",           Err(ParseError::ChainId)),
        ("chain_leading_zero",   Ok(())),
        ("date_lower_tz",        Ok(())),
        ("date_no_tz",           Err(not_a_time("Issued At").into())),
        ("date_feb30",           Err(not_a_time("Issued At").into())),
        ("date_nanos",           Ok(())),
        ("leap_second",          Ok(())),
        ("resources_empty",      Ok(())),
        ("request_id_empty",     Ok(())),
        ("expiry_before_iat",    Ok(())),
        ("dup_nonce",            Err(ParseError::Trailing)),
        ("uri_other_host",       Ok(())),
        ("domain_unicode",       Err(FieldError::Domain.into())),
        ("domain_upper",         Ok(())),
        ("version_2",            Err(ParseError::Version)),
        ("text_prefix",          Err(ParseError::Preamble)),
        ("did_uri",              Ok(())),
    ];
    let vectors = vectors("subtle.json");
    assert_eq!(vectors.len(), rows.len());
    for (name, want) in rows {
        let got = vectors[*name].as_str().unwrap().parse::<Message>().map(|_| ());
        assert_eq!(got, *want, "{name}");
    }
}

#[test]
fn subtle_texts_that_are_read_mean_what_they_say() {
    let vectors = vectors("subtle.json");
    let read =
        |name: &str| vectors[name].as_str().unwrap().parse::<Message>().unwrap().into_fields();
    assert_eq!(read("statement_absent").statement, None);
    assert_eq!(read("statement_empty_line").statement.as_deref(), Some(""));
    assert_eq!(read("scheme").scheme.as_deref(), Some("https"));
    assert_eq!(read("chain_leading_zero").chain_id, 84532);
    assert_eq!(read("request_id_empty").request_id.as_deref(), Some(""));
    assert_eq!(read("resources_empty").resources, Vec::<String>::new());
    assert_eq!(read("date_nanos").issued_at, datetime!(2026-01-01 00:00:00.123_456_789 UTC));
    assert_eq!(read("leap_second").issued_at, datetime!(2016-12-31 23:59:59.999_999_999 UTC));
}

#[test]
fn a_message_prints_in_the_order_of_the_grammar() {
    let want = "https://app.example.com wants you to sign in with your Ethereum account:\n\
                0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\nSign in\n\n\
                URI: https://app.example.com/login\nVersion: 1\nChain ID: 84532\n\
                Nonce: abcdEF12\nIssued At: 2026-01-01T00:00:00Z\n\
                Expiration Time: 2026-01-01T00:10:00Z\nNot Before: 2026-01-01T00:01:00Z\n\
                Request ID: r-1\nResources:\n- did:key:z6Mk\n- https://app.example.com/terms";
    assert_eq!(Message::new(full_fields()).unwrap().to_string(), want);
}

fn stray(found: char) -> Result<(), ParseError> {
    Err(FieldError::Statement { found }.into())
}

fn no_empty_line(after: &'static str) -> Result<(), ParseError> {
    Err(ParseError::NoEmptyLine { after })
}

fn no_line(label: &'static str) -> Result<(), ParseError> {
    Err(ParseError::NoLine { label })
}

fn no_uri(index: usize) -> Result<(), ParseError> {
    Err(FieldError::Resource { index }.into())
}

fn no_time(label: &'static str) -> Result<(), ParseError> {
    Err(not_a_time(label).into())
}

/// What is to be changed, what to, and what becomes of the message.
type Change = (&'static str, &'static str, Result<(), ParseError>);

fn assert_changes(rows: &[Change]) {
    let good = Message::new(full_fields()).unwrap().to_string();
    for (from, to, want) in rows {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from:?} is in the message");
        assert_eq!(changed.parse::<Message>().map(|_| ()), *want, "{from:?} -> {to:?}");
    }
}

#[test]
fn one_change_above_the_fields_of_a_good_message() {
    #[rustfmt::skip]
    assert_changes(&[
        ("https://app",            "ht+t-p.2://app",            Ok(())),
        ("https://app",            "HTTPS://app",               Ok(())),
        ("https://app",            "://app",                    Err(FieldError::Scheme.into())),
        ("https://app",            "1http://app",               Err(FieldError::Scheme.into())),
        ("https://app",            "https:/app",                Err(FieldError::Domain.into())),
        ("app.example.com wants",  " wants",                    Err(FieldError::Domain.into())),
        ("app.example.com wants",  "app.example.com/ wants",    Err(FieldError::Domain.into())),
        ("app.example.com wants",  "a b wants",                 Err(FieldError::Domain.into())),
        ("app.example.com wants",  "a@b@c wants",               Err(FieldError::Domain.into())),
        ("app.example.com wants",  "[::cafe wants",             Err(FieldError::Domain.into())),
        ("app.example.com wants",  "[::1]:99999 wants",         Ok(())),
        ("app.example.com wants",  "app.example.com: wants",    Ok(())),
        (" wants you",             " Wants you",                Err(ParseError::Preamble)),
        (" wants you",             "  wants you",               Err(FieldError::Domain.into())),
        ("account:",               "account: ",                 Err(ParseError::Preamble)),
        ("0xC02",                  "0XC02",                     Err(ParseError::Address)),
        ("0xC02",                  "C02",                       Err(ParseError::Address)),
        ("0xC02",                  "0xC0",                      Err(ParseError::Address)),
        ("0xC02",                  " 0xC02",                    Err(ParseError::Address)),
        ("6Cc2\n\n",               "6Cc2\n",                    no_empty_line("address")),
        ("6Cc2\n\nSign in\n",      "6Cc2\n",                    no_empty_line("statement")),
        ("Sign in\n\n",            "Sign in\n",                 no_empty_line("statement")),
        ("Sign in",                "URI: x",                    Ok(())),
        ("Sign in",                " ",                         Ok(())),
        ("Sign in",                "-._~:/?#[]@!$&'()*+,;=",    Ok(())),
        ("Sign in",                "100%",                      stray('%')),
        ("Sign in",                "\"Sign in\"",               stray('"')),
        ("Sign in",                "<b>",                       stray('<')),
        ("Sign in",                "a\\n",                      stray('\\')),
        ("Sign in",                "a\tb",                      stray('\t')),
        ("Sign in",                "a\rb",                      stray('\r')),
        ("Sign in",                "a\0b",                      stray('\0')),
    ]);
}

#[test]
fn one_change_to_the_fields_of_a_good_message() {
    #[rustfmt::skip]
    assert_changes(&[
        ("URI: ",                  "URI:",                      no_line("URI: ")),
        ("URI: ",                  "uri: ",                     no_line("URI: ")),
        ("URI: ",                  "URI:  ",                    Err(FieldError::Uri.into())),
        ("com/login",              "com/%zz",                   Err(FieldError::Uri.into())),
        ("com/login",              "com/é",                     Err(FieldError::Uri.into())),
        ("com/login",              "com/login ",                Err(FieldError::Uri.into())),
        ("URI: https://app.example.com/login", "URI: /login",   Err(FieldError::Uri.into())),
        ("Version: 1",             "Version: 01",               Err(ParseError::Version)),
        ("Chain ID: 84532",        "Chain ID: ",                Err(ParseError::ChainId)),
        ("Chain ID: 84532",        "Chain ID: +1",              Err(ParseError::ChainId)),
        ("Chain ID: 84532",        "Chain ID: -1",              Err(ParseError::ChainId)),
        ("Chain ID: 84532",        "Chain ID: 0x1",             Err(ParseError::ChainId)),
        ("Chain ID: 84532",        "Chain ID: ١",               Err(ParseError::ChainId)),
        ("84532",                  "18446744073709551615",      Ok(())),
        ("84532",                  "18446744073709551616",      Err(ParseError::ChainId)),
        ("abcdEF12",               "abcdEF1 ",                  Err(FieldError::Nonce.into())),
        ("abcdEF12",               "abcdéfgh",                  Err(FieldError::Nonce.into())),
        ("00:00Z\nExp",            "00:00Z\n\nExp",             Err(ParseError::Trailing)),
        ("Expiration Time: 2026",  "Expiration Time: 26",       no_time("Expiration Time")),
        ("Not Before: 2026",       "Not Before: ",              no_time("Not Before")),
        ("Not Before",             "Expiration Time",           Err(ParseError::Trailing)),
        ("r-1",                    "a/b",                       Err(FieldError::RequestId.into())),
        ("r-1",                    "a b",                       Err(FieldError::RequestId.into())),
        ("r-1",                    "%4",                        Err(FieldError::RequestId.into())),
        ("r-1",                    ":@!$&'()*+,;=-._~%4F",      Ok(())),
        ("Resources:\n",           "Resources: \n",             Err(ParseError::Trailing)),
        ("Resources:\n",           "Resources:",                Err(ParseError::Trailing)),
        ("- did",                  "-did",                      Err(ParseError::Trailing)),
        ("- did:key:z6Mk",         "- ",                        no_uri(0)),
        ("com/terms",              "com/terms\n",               Err(ParseError::Trailing)),
        ("com/terms",              "com/terms\n- ",             no_uri(2)),
    ]);
}

#[test]
fn every_beginning_of_a_message_is_refused_until_issued_at() {
    let whole = Message::new(full_fields()).unwrap().to_string();
    let obligatory = whole.find("\nExpiration Time").unwrap();
    for len in 0..obligatory {
        assert!(whole[..len].parse::<Message>().is_err(), "{:?}", &whole[..len]);
    }
    assert!(whole[..obligatory].parse::<Message>().is_ok());
}

#[test]
fn a_field_that_would_break_the_text_is_refused() {
    let good = full_fields;
    let stray = FieldError::Statement { found: '\n' };
    #[rustfmt::skip]
    let rows = [
        (Fields { scheme: Some(String::new()), ..good() },      FieldError::Scheme),
        (Fields { domain: String::new(), ..good() },            FieldError::Domain),
        (Fields { domain: "a\nb".into(), ..good() },            FieldError::Domain),
        (Fields { statement: Some("a\n".into()), ..good() },    stray),
        (Fields { uri: "https://a\nVersion: 2".into(), ..good() },FieldError::Uri),
        (Fields { nonce: "12345678\n".into(), ..good() },       FieldError::Nonce),
        (Fields { request_id: Some("a\nb".into()), ..good() },  FieldError::RequestId),
        (Fields { resources: vec!["a:b\n".into()], ..good() },  FieldError::Resource { index: 0 }),
    ];
    for (fields, want) in rows {
        assert_eq!(Message::new(fields), Err(want));
    }
}

#[test]
fn an_instant_that_rfc_3339_cannot_write_is_refused() {
    let fields = Fields { issued_at: datetime!(-0001-12-31 23:00 UTC), ..full_fields() };
    let source = TimestampError::OutOfRange;
    assert_eq!(Message::new(fields), Err(FieldError::Timestamp { label: "Issued At", source }));
}
