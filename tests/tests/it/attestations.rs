//! What an issuer says of a wallet, and when the gate takes it.

use e2e::{Chain, Key, Signer, Tenant};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    edge::hello,
    gate::{check_refusal, with_three_ways},
};

/// What an issuer may say of a wallet; `fields` go over what makes it pass.
pub(crate) fn statement(subject: &Key, fields: &Value) -> Value {
    let expiry = OffsetDateTime::now_utc().unix_timestamp() + 3600;
    let mut said = json!({ "subject": subject.address, "ledger": "crdt-main", "amount": "100000",
        "expiry": expiry });
    said.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    said
}

#[test]
fn a_statement_counts_if_the_issuer_made_it_for_this_wallet_and_now() {
    let (chain, signer) = (Chain::start(31337), Signer::start());
    let (issuer, other) = (signer.fresh(), signer.fresh());
    let edge = with_three_ways(&chain, &signer, &issuer.address);
    let wallet = signer.fresh();
    let tenant = Tenant::sign_in(&edge.client(), &signer, &wallet.key);
    let header = |by: &Key, fields: Value, changes: Value| {
        signer.attestation(&by.key, &statement(&wallet, &fields), &changes)
    };
    let good = header(&issuer, json!({}), json!({}));
    let too_little = header(&issuer, json!({ "amount": "99999" }), json!({}));
    let claims = json!({ "issuer": issuer.address });
    #[rustfmt::skip]
    let rows = [
        (good.clone(),                                                               true),
        (too_little.clone(),                                                         false),
        (header(&issuer, json!({ "expiry": 1_000_000_000 }), json!({})),             false),
        (header(&issuer, json!({ "subject": other.address }), json!({})),            false),
        (header(&issuer, json!({ "ledger": "crdt-test" }), json!({})),               false),
        (header(&other, json!({}), json!({})),                                       false),
        (header(&other, claims, json!({})),                                          false),
        (header(&issuer, json!({ "amount": "1" }), json!({ "amount": "100000" })),   false),
        (header(&issuer, json!({}), json!({ "signature": "0xzz" })),                 false),
        (header(&issuer, json!({ "subject": other.address }), json!({ "subject": wallet.address })), false),
        // Two halves are not a whole: a statement says what somebody holds, not what is added.
        (format!("{too_little},{too_little}"),                                       false),
        (format!("{too_little}, {good}"),                                            true),
    ];
    for (index, (header, is_allowed)) in rows.iter().enumerate() {
        let header = ("gate-attestation", header.as_str());
        let answer = tenant.get_with("/v1/gate", header);
        assert_eq!(answer.json["allowed"], *is_allowed, "row {index}: {}", answer.text);
        assert_eq!(answer.json["rules"][2]["passed"], *is_allowed, "row {index}");
        if !is_allowed {
            let detail = answer.json["rules"][2]["detail"].as_str().unwrap();
            assert!(!detail.is_empty(), "row {index}: {}", answer.text);
            check_refusal(&tenant.post_with("/v1/spaces", &hello("garden"), &[header]));
        }
    }
    assert_eq!(tenant.get("/v1/gate").json["allowed"], false, "it was said for one request");

    let five = [&*good; 5].join(",");
    let not_a_number = header(&issuer, json!({}), json!({ "amount": "1e9" }));
    #[rustfmt::skip]
    let rows = [
        ("no base64url",    "!!!"),
        ("no members",      "e30"),
        ("no JSON",         "bm90IEpTT04"),
        ("five",            &*five),
        ("one too many",    &*format!("{good},")),
        ("not a number",    &*not_a_number),
    ];
    for (case, header) in rows {
        let header = ("gate-attestation", header);
        let answers = [
            tenant.get_with("/v1/gate", header),
            tenant.post_with("/v1/spaces", &hello("garden"), &[header]),
        ];
        for answer in answers {
            assert_eq!(answer.status, 400, "{case}: {}", answer.text);
            assert_eq!(answer.problem().1, "malformed-attestation", "{case}");
        }
    }
    edge.nothing_changed();
}
