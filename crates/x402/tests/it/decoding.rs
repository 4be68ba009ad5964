//! From headers to payments.

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use x402::{DecodeError, Malformed, PAYMENT_LEN_BYTES_MAX, Payment, Refusal, Version};

use crate::common::{encode, good, read, terms};

/// `value` with the member at `pointer` set, or taken away.
fn changed(mut value: Value, pointer: &str, to: Option<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match to {
        Some(to) => parent.insert(name.to_owned(), to),
        None => parent.remove(name),
    };
    value
}

#[test]
fn a_missing_or_wrong_member_is_named() {
    let terms = terms("http://x/");
    let long = "1".repeat(79);
    let above = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    #[rustfmt::skip]
    let rows = [
        // member                                  is                           the client reads
        ("/x402Version",                           None,                        "x402Version is missing"),
        ("/x402Version",                           Some(json!("2")),            "x402Version must be a number"),
        ("/accepted",                              None,                        "accepted.network is missing"),
        ("/accepted",                              Some(json!("exact")),        "accepted.network is missing"),
        ("/accepted/network",                      Some(json!(84532)),          "accepted.network must be a string"),
        ("/accepted/scheme",                       None,                        "accepted.scheme is missing"),
        ("/payload",                               None,                        "payload is missing"),
        ("/payload",                               Some(json!([])),             "payload must be an object"),
        ("/payload",                               Some(json!({})),             "payload.authorization.from is missing"),
        ("/payload/signature",                     None,                        "payload.signature is missing"),
        ("/payload/signature",                     Some(json!("0x123")),        "payload.signature must be 0x and two hexadecimal digits for each byte"),
        ("/payload/signature",                     Some(json!("0x0x12")),       "payload.signature must be 0x and two hexadecimal digits for each byte"),
        ("/payload/signature",                     Some(json!("1234")),         "payload.signature must be 0x and two hexadecimal digits for each byte"),
        ("/payload/authorization",                 Some(json!(null)),           "payload.authorization.from is missing"),
        ("/payload/authorization/from",            Some(json!("0x12")),         "payload.authorization.from must be 0x and 40 hexadecimal digits"),
        ("/payload/authorization/to",              Some(json!(null)),           "payload.authorization.to must be 0x and 40 hexadecimal digits"),
        ("/payload/authorization/value",           Some(json!(10000)),          "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/value",           Some(json!("")),             "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/value",           Some(json!("-1")),           "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/value",           Some(json!("0x10")),         "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/value",           Some(json!("1e4")),          "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/value",           Some(json!("10_000")),       "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/value",           Some(json!(above)),          "payload.authorization.value must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/validAfter",      Some(json!(long)),           "payload.authorization.validAfter must be a whole number of 256 bits in decimal digits"),
        ("/payload/authorization/validBefore",     None,                        "payload.authorization.validBefore is missing"),
        ("/payload/authorization/nonce",           Some(json!("0x00")),         "payload.authorization.nonce must be 0x and 64 hexadecimal digits"),
    ];
    for (pointer, to, want) in rows {
        let value = changed(good(Version::V2, &terms), pointer, to);
        let Err(DecodeError::Malformed(error)) = read(Version::V2, &value) else {
            panic!("{pointer} {want}")
        };
        assert_eq!(error.to_string(), want);
    }
}

#[test]
fn what_can_be_read_and_is_not_taken_is_refused_with_a_reason() {
    use Refusal as R;
    let terms = terms("http://x/");
    #[rustfmt::skip]
    let rows = [
        // version     member                          is                     
        (Version::V2, "/x402Version",                  json!(1),             R::Version),
        (Version::V2, "/x402Version",                  json!(3),             R::Version),
        (Version::V2, "/x402Version",                  json!(2.5),           R::Version),
        (Version::V1, "/x402Version",                  json!(2),             R::Version),
        (Version::V1, "/scheme",                       json!("upto"),        R::Scheme),
        (Version::V2, "/accepted/scheme",              json!("upto"),        R::Scheme),
        (Version::V2, "/accepted/scheme",              json!("Exact"),       R::Scheme),
        (Version::V1, "/network",                      json!("eip155:8453"), R::Network),
        (Version::V2, "/accepted/network",             json!("base"),        R::Network),
        (Version::V2, "/accepted/network",             json!("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), R::Network),
        (Version::V2, "/payload/permit2Authorization", json!({}),            R::Payload),
        (Version::V2, "/payload/delegationManager",    json!("0x"),          R::Payload),
        (Version::V1, "/payload/transaction",          json!("AQAB"),        R::Payload),
    ];
    for (version, pointer, to, refusal) in rows {
        let value = changed(good(version, &terms), pointer, Some(to));
        let want = Err(DecodeError::Refused { version, refusal });
        assert_eq!(read(version, &value), want, "{pointer}");
    }
}

#[test]
fn base64_is_of_the_standard_alphabet_with_or_without_padding() {
    let terms = terms("http://x/");
    let padded = (0..3).map(|n| {
        let value = changed(good(Version::V2, &terms), "/x", Some(json!("?".repeat(n))));
        encode(&value)
    });
    let padded: Vec<_> = padded.collect();
    assert!(
        padded.iter().any(|it| it.ends_with("==")) && padded.iter().any(|it| !it.ends_with('='))
    );
    for header in padded {
        let bare = header.trim_end_matches('=');
        for text in [&header[..], bare] {
            assert!(Payment::from_header(Version::V2, text.as_bytes()).is_ok(), "{text}");
        }
        for text in
            [format!(" {bare}"), format!("{bare}\n"), format!("{bare}%"), format!("{bare}=a")]
        {
            let want = Err(Malformed::NotBase64.into());
            assert_eq!(Payment::from_header(Version::V2, text.as_bytes()), want, "{text}");
        }
    }
    // `>>>` and `???` are where the alphabets differ.
    let want = Err(Malformed::NotBase64.into());
    assert_eq!(Payment::from_header(Version::V2, b"Pj4-"), want);
    assert_eq!(Payment::from_header(Version::V2, "ä".as_bytes()), want);
    let want = Err(Malformed::NotJson.into());
    for text in ["", "e30", "Pj4+", "eyJ4NDAyVmVyc2lvbiI6MX0gMQ=="] {
        let got = Payment::from_header(Version::V1, text.as_bytes());
        assert!(got == want || text == "e30", "{text}");
    }
    assert_eq!(
        Payment::from_header(Version::V1, b"e30="),
        Err(Malformed::Missing { field: "x402Version" }.into())
    );
}

#[test]
fn a_header_has_a_longest_length() {
    let longest = vec![b'A'; PAYMENT_LEN_BYTES_MAX];
    let want = Err(Malformed::NotJson.into());
    assert_eq!(Payment::from_header(Version::V2, &longest), want);
    let longer = vec![b'A'; PAYMENT_LEN_BYTES_MAX + 1];
    let want = Err(Malformed::TooLong { len_bytes: PAYMENT_LEN_BYTES_MAX + 1 }.into());
    assert_eq!(Payment::from_header(Version::V2, &longer), want);
    // Objects in objects, deeper than the parser goes.
    let deep = json_of_depth(2_000);
    let got = Payment::from_header(Version::V2, deep.as_bytes());
    assert_eq!(got, Err(Malformed::NotJson.into()));
}

fn json_of_depth(depth: usize) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
}

#[test]
fn of_two_headers_that_of_version_2_counts() {
    let terms = terms("http://x/");
    let header = |version| HeaderValue::try_from(encode(&good(version, &terms))).unwrap();
    let broken = HeaderValue::from_static("%%%");
    let version = |v1: Option<HeaderValue>, v2: Option<HeaderValue>| {
        let mut headers = HeaderMap::new();
        v1.map(|it| headers.insert("x-payment", it));
        v2.map(|it| headers.insert("payment-signature", it));
        Payment::from_headers(&headers).map(|it| it.map(|it| it.version()))
    };
    let (v1, v2) = (|| Some(header(Version::V1)), || Some(header(Version::V2)));
    let bad = || Some(broken.clone());
    assert_eq!(version(None, None), None);
    assert_eq!(version(v1(), None), Some(Ok(Version::V1)));
    assert_eq!(version(None, v2()), Some(Ok(Version::V2)));
    assert_eq!(version(v1(), v2()), Some(Ok(Version::V2)));
    assert_eq!(version(bad(), v2()), Some(Ok(Version::V2)));
    assert_eq!(version(v1(), bad()), Some(Err(Malformed::NotBase64.into())));

    let mut headers = HeaderMap::new();
    headers.append("x-payment", header(Version::V1));
    headers.append("x-payment", header(Version::V1));
    assert_eq!(Payment::from_headers(&headers), Some(Err(Malformed::Repeated.into())));
}

#[test]
fn a_payment_identifier_is_read_if_it_is_one() {
    let terms = terms("http://x/");
    let wrong = "extensions.payment-identifier.info.id must be 16 to 128 of A-Z, a-z, 0-9, _ and -";
    #[rustfmt::skip]
    let rows = [
        (json!({}),                                                                        Ok(None)),
        (json!({ "bazaar": { "info": {} } }),                                              Ok(None)),
        (json!({ "payment-identifier": { "info": { "required": false } } }),               Ok(None)),
        (json!({ "payment-identifier": { "info": { "id": "pay_7d5d747be160e280" } } }),    Ok(Some("pay_7d5d747be160e280"))),
        (json!({ "payment-identifier": { "info": { "id": "short" } } }),                   Err(wrong)),
        (json!({ "payment-identifier": { "info": { "id": "not an identifier" } } }),       Err(wrong)),
        (json!({ "payment-identifier": { "info": { "id": null } } }),                      Err("extensions.payment-identifier.info.id must be a string")),
    ];
    for (extensions, want) in rows {
        let value = changed(good(Version::V2, &terms), "/extensions", Some(extensions.clone()));
        let got =
            read(Version::V2, &value).map(|it| it.identifier().map(|it| it.as_str().to_owned()));
        let got = got.map_err(|error| match error {
            DecodeError::Malformed(error) => error.to_string(),
            DecodeError::Refused { .. } => panic!("{extensions}"),
        });
        assert_eq!(got, want.map(|it| it.map(str::to_owned)).map_err(str::to_owned));
    }
    // Version 1 has no extensions.
    let identifier = json!({ "payment-identifier": { "info": { "id": "short" } } });
    let value = changed(good(Version::V1, &terms), "/extensions", Some(identifier));
    assert_eq!(read(Version::V1, &value).unwrap().identifier(), None);
}
