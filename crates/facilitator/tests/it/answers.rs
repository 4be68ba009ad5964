//! What the answers of facilitators mean.

use alloy_primitives::B256;
use facilitator::{Answer, Facilitators};
use serde_json::{Value, json};

use crate::world::{PAYER, World, reply};

const HASH: &str = "0xf1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1";

/// What is done to a good answer, and what it means then.
type Row = (fn(&mut Value), Answer);

fn answer(status: u16, body: &str) -> Answer {
    let facilitators = Facilitators::parse("https://a.example", "").unwrap();
    World::new([("https://a.example/settle", reply(status, body))]).settle(&facilitators)
}

fn settled() -> Answer {
    Answer::Settled { transaction: B256::repeat_byte(0xf1) }
}

fn pending(has_transaction: bool) -> Answer {
    Answer::Pending { transaction: has_transaction.then_some(B256::repeat_byte(0xf1)) }
}

fn refused(reason: &str) -> Answer {
    Answer::Refused { reason: reason.to_owned(), message: None }
}

#[test]
fn a_yes_is_whole() {
    let yes = json!({
        "success": true, "transaction": HASH, "network": "eip155:8453", "payer": PAYER,
    });
    #[rustfmt::skip]
    let rows: [Row; 17] = [
        (|_| (),                                            settled()),
        (|it| it["network"] = json!("base"),                settled()),
        (|it| it["payer"] = json!(PAYER.to_string().to_lowercase()), settled()),
        (|it| it["payer"] = Value::Null,                    settled()),
        (|it| it["errorReason"] = json!(""),                settled()),
        (|it| it["more"] = json!({"amount": "5"}),          settled()),
        (|it| it["transaction"] = json!(HASH.replace('f', "F")), settled()),
        (|it| it["transaction"] = json!(""),                pending(false)),
        (|it| it["transaction"] = Value::Null,              pending(false)),
        (|it| it["transaction"] = json!(&HASH[..64]),       pending(false)),
        (|it| it["transaction"] = json!(&HASH[2..]),        pending(false)),
        (|it| it["transaction"] = json!(1),                 pending(false)),
        (|it| it["network"] = json!("eip155:1"),            pending(true)),
        (|it| it["network"] = Value::Null,                  pending(true)),
        (|it| it["payer"] = json!("0x99"),                  pending(true)),
        (|it| it["payer"] = json!("0x9999999999999999999999999999999999999999"), pending(true)),
        (|it| it["success"] = json!("true"),                pending(false)),
    ];
    for (index, (edit, want)) in rows.into_iter().enumerate() {
        let mut body = yes.clone();
        edit(&mut body);
        for status in [200, 400, 500] {
            assert_eq!(answer(status, &body.to_string()), want, "row {index}, {status}");
        }
    }
}

#[test]
fn a_no_is_plain() {
    #[rustfmt::skip]
    let rows = [
        // reason                                                   transaction     means
        ("insufficient_funds",                                      "",             refused("insufficient_funds")),
        ("invalid_exact_evm_payload_signature",                     "",             refused("invalid_exact_evm_payload_signature")),
        ("anything at all",                                         "",             refused("anything at all")),
        ("invalid_exact_evm_transaction_simulation_failed",         "",             refused("invalid_exact_evm_transaction_simulation_failed")),
        ("invalid_exact_evm_transaction_failed",                    "",             refused("invalid_exact_evm_transaction_failed")),
        // It is on the chain and failed there.
        ("invalid_exact_evm_transaction_failed",                    HASH,           refused("invalid_exact_evm_transaction_failed")),
        ("invalid_transaction_state",                               HASH,           refused("invalid_transaction_state")),
        ("settle_exact_failed_onchain",                             HASH,           refused("settle_exact_failed_onchain")),
        // It may be on the chain.
        ("settlement_pending",                                      HASH,           pending(true)),
        ("settlement_pending",                                      "",             pending(false)),
        ("settle_exact_evm_transaction_confirmation_timed_out",     HASH,           pending(true)),
        ("settle_exact_evm_transaction_confirmation_timed_out",     "",             pending(false)),
        ("invalid_exact_evm_transaction_failed: request timed out", "",             pending(false)),
        ("settle_exact_node_failure",                               "",             pending(false)),
        ("unexpected_settle_error",                                 "",             pending(false)),
        ("unexpected_error",                                        "",             pending(false)),
        ("invalid_exact_evm_transfer_event_mismatch",               HASH,           pending(true)),
        ("insufficient_funds",                                      HASH,           pending(true)),
        ("",                                                        "",             pending(false)),
        // It is on the chain, by whomever.
        ("invalid_exact_evm_nonce_already_used",                    "",             Answer::NonceUsed),
        ("invalid_exact_evm_nonce_already_used",                    HASH,           Answer::NonceUsed),
    ];
    for (reason, transaction, want) in rows {
        let body = json!({
            "success": false, "errorReason": reason, "transaction": transaction,
            "network": "eip155:8453", "payer": PAYER,
        });
        for status in [200, 400, 402, 412, 500] {
            assert_eq!(answer(status, &body.to_string()), want, "{reason}, {status}");
        }
    }
}

#[test]
fn a_no_may_be_short_and_in_snake_case() {
    #[rustfmt::skip]
    let rows = [
        (json!({"success": false}),                                                 pending(false)),
        (json!({"success": false, "errorReason": null}),                            pending(false)),
        (json!({"success": false, "error_reason": "insufficient_funds", "network": "base"}), refused("insufficient_funds")),
        (json!({"success": false, "errorReason": ["a"]}),                           pending(false)),
    ];
    for (body, want) in rows {
        assert_eq!(answer(200, &body.to_string()), want, "{body}");
    }
}

#[test]
fn what_is_no_answer_leaves_it_open() {
    #[rustfmt::skip]
    let rows = [
        (200, ""), (200, "null"), (200, "[]"), (200, "{}"), (200, "<html>"), (200, r#"{"isValid": true}"#),
        (400, r#"{"error": "Invalid request"}"#), (422, "{}"), (500, "Internal Server Error"), (502, "<html>"),
    ];
    for (status, body) in rows {
        assert_eq!(answer(status, body), pending(false), "{status} {body}");
    }
}

#[test]
fn what_facilitators_say_is_fit_to_be_said_on() {
    let body = json!({
        "success": false,
        "errorReason": format!("no\r\n{}", "x".repeat(300)),
        "errorMessage": format!("because\n{}", "y".repeat(300)),
    });
    let Answer::Refused { reason, message } = answer(200, &body.to_string()) else {
        panic!("it is a no");
    };
    assert_eq!(reason, format!("no  {}", "x".repeat(196)));
    assert_eq!(message.unwrap(), format!("because {}", "y".repeat(192)));
}

/// Answers of `@x402/evm` 2.27.0 on a chain of its own.
#[test]
fn answers_of_a_real_facilitator() {
    const PAYER: &str = "0xAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAa";
    #[rustfmt::skip]
    let rows = [
        (r#"{"success":true,"transaction":"HASH","network":"eip155:8453","payer":"PAYER"}"#, settled()),
        (r#"{"success":true,"transaction":"HASH","network":"base","payer":"PAYER"}"#, settled()),
        (r#"{"success":false,"errorReason":"settlement_pending","errorMessage":"Timed out while waiting for transaction with hash \"HASH\" to be confirmed.\n\nVersion: viem@2.57.20","transaction":"HASH","network":"eip155:8453","payer":"PAYER"}"#, pending(true)),
    ];
    for (body, want) in rows {
        let body = body.replace("HASH", HASH).replace("PAYER", PAYER);
        assert_eq!(answer(200, &body), want, "{body}");
    }
}
