//! Whether a message signs somebody in: the public vectors, then each rule on both sides of its
//! limit, then which rule speaks first.

use crate::common::{fields, full_fields, vectors};
use evm::{SignatureError, address_of};
use k256::ecdsa::SigningKey;
use serde_json::Value;
use siwe::{
    Expected, FieldError, Fields, Message, ParseError, TimestampError, VerifyError, check,
    eip191_hash, recover, sign, verify,
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

/// What the service of a vector expects: the domain and nonce of the message unless it says
/// otherwise, at the time it says or in 2023.
fn verify_vector(raw: &str, vector: &Value) -> Result<(), VerifyError> {
    let text = |key: &str| vector[key].as_str();
    let expected = Expected {
        domain: text("domainBinding").or(text("domain")).unwrap().to_owned(),
        origin: text("uri").unwrap().parse().unwrap(),
        chain_ids: vec![1],
    };
    let now = text("time").unwrap_or("2023-01-01T00:00:00Z");
    let now = OffsetDateTime::parse(now, &Rfc3339).unwrap();
    let nonce = text("matchNonce").or(text("nonce"));
    let signature = text("signature").unwrap();
    verify(raw, signature, &expected, now, |it| Some(it) == nonce).map(|_| ())
}

#[test]
fn the_positive_vectors_sign_in() {
    let vectors = vectors("verification_positive.json");
    assert_eq!(vectors.len(), 4);
    for (name, vector) in vectors {
        let raw = Message::new(fields(&vector)).unwrap().to_string();
        // This one is "verified" two years before it was issued. Its signature is good.
        let want = match name.as_str() {
            "expired message" => Err(VerifyError::IssuedInFuture),
            _ => Ok(()),
        };
        assert_eq!(verify_vector(&raw, &vector), want, "{name}");
        let signature = vector["signature"].as_str().unwrap().parse().unwrap();
        assert_eq!(recover(&raw, &signature), Ok(fields(&vector).address), "{name}");
    }
}

#[test]
fn the_negative_vectors_do_not_sign_in() {
    let not_a_time = |label| {
        let source = TimestampError::NotRfc3339;
        VerifyError::Malformed(FieldError::Timestamp { label, source }.into())
    };
    #[rustfmt::skip]
    let rows = [
        ("expired message",         VerifyError::Expired),
        ("domain binding",          VerifyError::WrongDomain { found: "login.xyz".into() }),
        ("custom time",             VerifyError::Expired),
        ("custom nonce",            VerifyError::NonceUnknown),
        ("malformed signature",     VerifyError::BadSignature(SignatureError::HalfByte)),
        ("wrong signature",         VerifyError::BadSignature(SignatureError::WrongSigner)),
        ("not yet valid",           VerifyError::NotYetValid),
        ("invalid issuedAt",        not_a_time("Issued At")),
        ("invalid notBefore",       not_a_time("Not Before")),
        ("invalid expirationTime",  not_a_time("Expiration Time")),
    ];
    let vectors = vectors("verification_negative.json");
    assert_eq!(vectors.len(), rows.len());
    for (name, want) in rows {
        assert_eq!(verify_vector(&text_of(&vectors[name]), &vectors[name]), Err(want), "{name}");
    }
}

/// The text of a vector, also of one whose dates no [`Fields`] can hold.
fn text_of(vector: &Value) -> String {
    let mut possible = vector.clone();
    let mut dates = Vec::new();
    // A different day for each, so that each is found again in the text.
    for (key, day) in [("issuedAt", "01"), ("notBefore", "02"), ("expirationTime", "03")] {
        if let Some(date) = vector[key].as_str() {
            let stand_in = format!("2001-01-{day}T00:00:00Z");
            dates.push((stand_in.clone(), date));
            possible[key] = stand_in.into();
        }
    }
    let text = Message::new(fields(&possible)).unwrap().to_string();
    dates.into_iter().fold(text, |text, (stand_in, date)| text.replace(&stand_in, date))
}

#[test]
fn contract_wallets_are_left_to_the_caller() {
    #[rustfmt::skip]
    let rows = [
        ("argent",   SignatureError::WrongSigner),
        ("loopring", SignatureError::Length { len_bytes: 66 }),
    ];
    let vectors = vectors("eip1271.json");
    assert_eq!(vectors.len(), rows.len());
    for (name, want) in rows {
        let raw = vectors[name]["message"].as_str().unwrap();
        let expected = Expected {
            domain: "localhost:4361".into(),
            origin: "http://localhost:4361".parse().unwrap(),
            chain_ids: vec![],
        };
        let checked = check(raw, &expected, datetime!(2023-01-01 00:00 UTC), |_| true).unwrap();
        // All that a call of `isValidSignature(hash, signature)` on that address needs.
        assert_eq!(*checked.hash(), eip191_hash(raw), "{name}");
        assert_eq!(*checked.message(), raw.parse().unwrap(), "{name}");
        let signature = vectors[name]["signature"].as_str().unwrap();
        assert_eq!(checked.signed_by_key(signature), Err(want), "{name}");
    }
}

const NOW: OffsetDateTime = datetime!(2026-01-01 00:05 UTC);
const NANOSECOND: Duration = Duration::NANOSECOND;

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

/// A message that signs in at [`NOW`].
fn good() -> Fields {
    Fields { address: address_of(key().verifying_key()), ..full_fields() }
}

fn expected() -> Expected {
    Expected {
        domain: "app.example.com".into(),
        origin: "https://app.example.com".parse().unwrap(),
        chain_ids: vec![8453, 84532],
    }
}

fn signed(raw: &str) -> Result<(), VerifyError> {
    verify(raw, &sign(raw, &key()), &expected(), NOW, |it| it == "abcdEF12").map(|_| ())
}

fn wrong_uri(uri: &str) -> Result<(), VerifyError> {
    Err(VerifyError::WrongUri { found: uri.into() })
}

#[test]
fn a_good_message_says_who_signed_in() {
    let raw = Message::new(good()).unwrap().to_string();
    let verified =
        verify(&raw, &sign(&raw, &key()), &expected(), NOW, |it| it == "abcdEF12").unwrap();
    assert_eq!(verified.address(), good().address);
    assert_eq!(*verified.message().fields(), good());
}

#[test]
fn a_message_must_be_for_this_place() {
    let domain = |it: &str| {
        let raw = Message::new(Fields { domain: it.into(), ..good() }).unwrap().to_string();
        (raw, Err(VerifyError::WrongDomain { found: it.into() }))
    };
    let uri = |it: &str, want| {
        (Message::new(Fields { uri: it.into(), ..good() }).unwrap().to_string(), want)
    };
    let scheme = |it: Option<&str>, want| {
        let fields = Fields { scheme: it.map(str::to_owned), ..good() };
        (Message::new(fields).unwrap().to_string(), want)
    };
    let chain =
        |chain_id, want| (Message::new(Fields { chain_id, ..good() }).unwrap().to_string(), want);
    let not_allowed = |chain_id| Err(VerifyError::ChainNotAllowed { chain_id });
    let other_scheme = |it: &str| Err(VerifyError::WrongScheme { found: it.into() });
    #[rustfmt::skip]
    let rows = [
        domain("evil.example"),
        domain("APP.example.com"),
        domain("app.example.com:443"),
        domain("app.example.com."),
        domain("me@app.example.com"),
        domain("www.app.example.com"),
        uri("https://app.example.com",                  Ok(())),
        uri("https://app.example.com:443/a?b#c",        Ok(())),
        uri("HTTPS://APP.example.com/",                 Ok(())),
        uri("http://app.example.com/",                  wrong_uri("http://app.example.com/")),
        uri("https://app.example.com:8443/",            wrong_uri("https://app.example.com:8443/")),
        uri("https://evil.example/",                    wrong_uri("https://evil.example/")),
        uri("https://app.example.com.evil/",            wrong_uri("https://app.example.com.evil/")),
        uri("https://app.example.com@evil/",            wrong_uri("https://app.example.com@evil/")),
        uri("https://me@app.example.com/",              wrong_uri("https://me@app.example.com/")),
        uri("https:app.example.com",                    wrong_uri("https:app.example.com")),
        uri("did:key:z6Mk",                             wrong_uri("did:key:z6Mk")),
        scheme(None,                                    Ok(())),
        scheme(Some("HTTPS"),                           Ok(())),
        scheme(Some("http"),                            other_scheme("http")),
        scheme(Some("ftp"),                             other_scheme("ftp")),
        chain(8453,                                     Ok(())),
        chain(84532,                                    Ok(())),
        chain(1,                                        not_allowed(1)),
        chain(0,                                        not_allowed(0)),
    ];
    for (raw, want) in rows {
        assert_eq!(signed(&raw), want, "{raw}");
    }
}

#[test]
fn without_a_list_any_chain_will_do() {
    let raw = Message::new(Fields { chain_id: 10, ..good() }).unwrap().to_string();
    let expected = Expected { chain_ids: vec![], ..expected() };
    assert!(verify(&raw, &sign(&raw, &key()), &expected, NOW, |_| true).is_ok());
}

#[test]
fn a_message_must_be_for_this_time() {
    let minute = Duration::minutes(1);
    let issued = |at| Fields { issued_at: at, ..good() };
    let expires = |at| Fields { expiration_time: at, ..good() };
    let begins = |at| Fields { not_before: at, ..good() };
    #[rustfmt::skip]
    let rows = [
        (issued(NOW + minute),                                  Ok(())),
        (issued(NOW + minute + NANOSECOND),                     Err(VerifyError::IssuedInFuture)),
        (issued(datetime!(0000-01-01 00:00 UTC)),               Ok(())),
        (issued(datetime!(9999-12-31 23:59:59 UTC)),            Err(VerifyError::IssuedInFuture)),
        (expires(Some(NOW + NANOSECOND)),                       Ok(())),
        (expires(Some(NOW)),                                    Err(VerifyError::Expired)),
        (expires(Some(datetime!(2020-01-01 00:00 UTC))),        Err(VerifyError::Expired)),
        (expires(None),                                         Ok(())),
        (begins(Some(NOW)),                                     Ok(())),
        (begins(Some(NOW + NANOSECOND)),                        Err(VerifyError::NotYetValid)),
        (begins(None),                                          Ok(())),
    ];
    for (fields, want) in rows {
        let raw = Message::new(fields).unwrap().to_string();
        assert_eq!(signed(&raw), want, "{raw}");
    }
}

#[test]
fn what_was_signed_is_the_raw_text_and_not_its_fields() {
    let canonical = Message::new(good()).unwrap().to_string();
    // The same fields in other words: each is good with its own signature, not with the other's.
    let rows = [
        ("Chain ID: 84532", "Chain ID: 084532"),
        ("At: 2026-01-01T00:00:00Z", "At: 2026-01-01t01:00:00.000+01:00"),
    ];
    for (from, to) in rows {
        let raw = canonical.replace(from, to);
        assert_eq!(raw.parse::<Message>(), canonical.parse());
        assert_eq!(signed(&raw), Ok(()), "{raw}");
        let mixed = verify(&raw, &sign(&canonical, &key()), &expected(), NOW, |_| true);
        assert_eq!(mixed, Err(VerifyError::BadSignature(SignatureError::WrongSigner)), "{raw}");
    }
}

/// Everything is wrong at first; each row mends what the row before was refused for.
#[test]
fn the_checks_speak_in_their_order() {
    let raw = |it: &Fields| Message::new(it.clone()).unwrap().to_string();
    let run = |raw: &str, nonce_is_ours: bool, signature: &str| {
        verify(raw, signature, &expected(), NOW, |_| nonce_is_ours).map(|_| ())
    };
    let mut it = Fields {
        domain: "b.example".into(),
        uri: "https://b.example".into(),
        scheme: Some("http".into()),
        chain_id: 1,
        issued_at: NOW + Duration::HOUR,
        expiration_time: Some(NOW),
        not_before: Some(NOW + Duration::HOUR),
        ..good()
    };
    let version_2 = raw(&it).replace("Version: 1", "Version: 2");
    assert_eq!(run(&version_2, false, "?"), Err(VerifyError::Malformed(ParseError::Version)));
    assert_eq!(
        run(&raw(&it), false, "?"),
        Err(VerifyError::WrongDomain { found: "b.example".into() })
    );
    it.domain = "app.example.com".into();
    assert_eq!(run(&raw(&it), false, "?"), wrong_uri("https://b.example"));
    it.uri = "https://app.example.com".into();
    assert_eq!(run(&raw(&it), false, "?"), Err(VerifyError::WrongScheme { found: "http".into() }));
    it.scheme = None;
    assert_eq!(run(&raw(&it), false, "?"), Err(VerifyError::ChainNotAllowed { chain_id: 1 }));
    it.chain_id = 8453;
    assert_eq!(run(&raw(&it), false, "?"), Err(VerifyError::NonceUnknown));
    assert_eq!(run(&raw(&it), true, "?"), Err(VerifyError::IssuedInFuture));
    it.issued_at = NOW;
    assert_eq!(run(&raw(&it), true, "?"), Err(VerifyError::Expired));
    it.expiration_time = None;
    assert_eq!(run(&raw(&it), true, "?"), Err(VerifyError::NotYetValid));
    it.not_before = None;
    assert_eq!(run(&raw(&it), true, "?"), Err(VerifyError::BadSignature(SignatureError::NoPrefix)));
    assert_eq!(run(&raw(&it), true, &sign(&raw(&it), &key())), Ok(()));
}
