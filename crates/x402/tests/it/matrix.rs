//! Thirty payments that two facilitators were asked about, and what we say of each.
//!
//! The captured requirements are of another payment flow. What was accepted is not signed, so the
//! flow that we offer is put into it, as a client of ours would have it.

use domain::Timestamp;
use serde_json::{Value, json};
use x402::{DecodeError, Network, Refusal, Signer, Version, verify};

use crate::common::{NOW_S, read, terms, vectors};

/// Our verdict in one word or a reason.
fn verdict(mut payload: Value) -> String {
    if let Some(extra) = payload["accepted"]["extra"].as_object_mut()
        && !extra.is_empty()
    {
        extra.insert("paymentFlow".to_owned(), json!("upfront"));
    }
    let terms = terms("http://x/v1/spaces");
    let now = Timestamp::from_unix_ms(NOW_S * 1000);
    let payment = match read(Version::V2, &payload) {
        Ok(payment) => payment,
        Err(DecodeError::Malformed(error)) => return format!("malformed: {error}"),
        Err(DecodeError::Refused { refusal, .. }) => return refusal.reason().to_owned(),
    };
    match verify(&payment, &terms.requirements(), now) {
        Ok(it) if it.signer == Signer::Key => "valid".to_owned(),
        Ok(_) => "ask the contract".to_owned(),
        Err(refusal) => refusal.reason().to_owned(),
    }
}

#[test]
fn every_case_has_our_verdict() {
    const SIGNATURE: &str = "invalid_exact_evm_payload_signature";
    const REQUIREMENTS: &str = "invalid_payment_requirements";
    const VALUE: &str = "invalid_exact_evm_payload_authorization_value_mismatch";
    const BEFORE: &str = "invalid_exact_evm_payload_authorization_valid_before";
    const AFTER: &str = "invalid_exact_evm_payload_authorization_valid_after";
    const CONTRACT: &str = "ask the contract";
    #[rustfmt::skip]
    let rows = [
        // case                        ours           where a facilitator says something else, why ours differs
        ("ok",                         "valid",       ""),
        ("value_low",                  VALUE,         ""),
        ("value_high",                 VALUE,         "rs takes more; exact is exact"),
        ("wrong_to",                   "invalid_exact_evm_payload_recipient_mismatch", ""),
        ("expired",                    BEFORE,        ""),
        ("expires_in_5s",              BEFORE,        ""),
        ("not_yet_valid",              AFTER,         ""),
        ("wrong_signer",               CONTRACT,      "both know the chain, where the payer has no contract"),
        ("wrong_domain_name",          CONTRACT,      "the same"),
        ("wrong_chain",                CONTRACT,      "the same"),
        ("wrong_contract",             CONTRACT,      "the same"),
        ("insufficient_balance",       "valid",       "balances are the facilitator's to look at"),
        ("nonce_used",                 "valid",       "nonces are looked at in the records and on the chain"),
        ("sig_v_0_1",                  SIGNATURE,     "rs takes it; the token does not"),
        ("sig_high_s_malleated",       SIGNATURE,     "rs takes it; the token does not"),
        ("sig_64_bytes",               SIGNATURE,     "rs takes it; the token does not"),
        ("sig_garbage",                SIGNATURE,     ""),
        ("accepted_amount_differs",    REQUIREMENTS,  "ts does not compare"),
        ("accepted_extra_added",       "valid",       ""),
        ("wrong_network",              "invalid_network", ""),
        ("unknown_scheme",             "invalid_scheme",  ""),
        ("extra_name_wrong",           REQUIREMENTS,  "rs asks the token for its name"),
        ("extra_missing",              REQUIREMENTS,  ""),
        ("asset_is_eoa",               REQUIREMENTS,  ""),
        ("asset_no_eip3009",           REQUIREMENTS,  ""),
        ("erc1271_wallet_ok",          CONTRACT,      ""),
        ("erc1271_wallet_bad",         CONTRACT,      "both ask the contract, and so does the caller"),
        ("erc6492_wrapped_undeployed", SIGNATURE,     ""),
        ("missing_payload",            "malformed: payload is missing", ""),
        ("addr_lowercase",             "valid",       ""),
    ];
    let matrix = vectors("facilitator-matrix.json");
    let matrix = matrix.as_object().unwrap();
    assert_eq!(matrix.len(), rows.len());
    for (case, want, why) in rows {
        let ours = verdict(matrix[case]["request"]["paymentPayload"].clone());
        assert_eq!(ours, want, "{case}");
        let says = |who: &str| matrix[case][who]["body"]["isValid"] == json!(true);
        let is_ours_good = matches!(want, "valid" | CONTRACT);
        let is_agreed = says("ts") == is_ours_good && says("rs") == is_ours_good;
        assert_eq!(is_agreed, why.is_empty(), "{case} {why}");
    }
}

#[test]
fn a_contract_is_asked_only_about_what_a_contract_may_have_signed() {
    let matrix = vectors("facilitator-matrix.json");
    let payload = &matrix["erc1271_wallet_ok"]["request"]["paymentPayload"];
    let mut payload = payload.clone();
    payload["accepted"]["extra"]["paymentFlow"] = json!("upfront");
    let payment = read(Version::V2, &payload).unwrap();
    let requirements = terms("http://x/v1/spaces").requirements();
    let now = Timestamp::from_unix_ms(NOW_S * 1000);
    let verified = verify(&payment, &requirements, now).unwrap();
    let Signer::Contract { hash } = verified.signer else { panic!() };
    // The wallet's owner signed just this hash.
    let signature = payload["payload"]["signature"].as_str().unwrap().parse().unwrap();
    let owner = evm::recover(&hash, &signature).unwrap();
    assert_ne!(owner, verified.payer);
    assert_eq!(verified.network, Network::of_chain(84_532).unwrap());
    let mut refused = requirements;
    refused[0].pay_to = owner;
    assert_eq!(verify(&payment, &refused, now), Err(Refusal::Requirements));
}
