//! The shared vectors, and messages made of their fields.

use serde_json::{Map, Value};
use siwe::Fields;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

/// The vectors of one file, by name.
pub(crate) type Vectors = Map<String, Value>;

/// Reads a file of `tests/vectors/siwe`.
pub(crate) fn vectors(file: &str) -> Vectors {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/siwe");
    let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The fields as the vectors write them.
pub(crate) fn fields(object: &Value) -> Fields {
    let text = |key: &str| object[key].as_str().map(str::to_owned);
    let instant = |key: &str| text(key).map(|it| OffsetDateTime::parse(&it, &Rfc3339).unwrap());
    let resources = object["resources"].as_array().into_iter().flatten();
    Fields {
        scheme: text("scheme"),
        domain: text("domain").unwrap(),
        address: text("address").unwrap().parse().unwrap(),
        statement: text("statement"),
        uri: text("uri").unwrap(),
        chain_id: object["chainId"].as_u64().unwrap(),
        nonce: text("nonce").unwrap(),
        issued_at: instant("issuedAt").unwrap(),
        expiration_time: instant("expirationTime"),
        not_before: instant("notBefore"),
        request_id: text("requestId"),
        resources: resources.map(|it| it.as_str().unwrap().to_owned()).collect(),
    }
}

/// A message with all optional fields, on which tests make one change each.
pub(crate) fn full_fields() -> Fields {
    Fields {
        scheme: Some("https".into()),
        domain: "app.example.com".into(),
        address: "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2".parse().unwrap(),
        statement: Some("Sign in".into()),
        uri: "https://app.example.com/login".into(),
        chain_id: 84532,
        nonce: "abcdEF12".into(),
        issued_at: datetime!(2026-01-01 00:00 UTC),
        expiration_time: Some(datetime!(2026-01-01 00:10 UTC)),
        not_before: Some(datetime!(2026-01-01 00:01 UTC)),
        request_id: Some("r-1".into()),
        resources: vec!["did:key:z6Mk".into(), "https://app.example.com/terms".into()],
    }
}
