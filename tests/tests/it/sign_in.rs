//! Signing in: proofs that prove nothing, proofs used twice, the ways to write a signature.

use e2e::{Installation, SECOND_KEY};
use serde_json::{Value, json};

use crate::edge::{Edge, at_once, refused};

#[test]
fn a_sign_in_that_proves_nothing_is_refused() {
    let edge = Edge::start();
    let site = edge.client().origin().to_owned();
    let signed = |fields: Value| edge.verify(&edge.proof(&fields)).problem();
    let host = site.trim_start_matches("http://").to_owned();

    let wrong = refused(401, "wrong-domain");
    assert_eq!(signed(json!({ "nonce": edge.nonce(), "domain": "evil.example" })), wrong);
    assert_eq!(signed(json!({ "nonce": edge.nonce(), "uri": "https://evil.example" })), wrong);
    assert_eq!(signed(json!({ "nonce": edge.nonce(), "domain": format!("x{host}") })), wrong);
    assert_eq!(signed(json!({ "nonce": "abcdefgh12345678" })), refused(401, "nonce-unknown"));
    let past = json!({ "nonce": edge.nonce(), "expirationTime": "2020-01-01T00:00:00.000Z" });
    assert_eq!(signed(past), refused(401, "message-expired"));
    let future = json!({ "nonce": edge.nonce(), "notBefore": "2099-01-01T00:00:00.000Z" });
    assert_eq!(signed(future), refused(401, "message-not-yet-valid"));

    let mut body = edge.proof(&json!({ "nonce": edge.nonce() }));
    let by_other = edge.signer.text(SECOND_KEY, body["message"].as_str().unwrap());
    let good = body["signature"].clone();
    for signature in [by_other.signature.as_str(), "0x", "0x00", "hello", &"0x11".repeat(65)] {
        body["signature"] = signature.into();
        assert_eq!(edge.verify(&body).problem(), refused(401, "bad-signature"), "{signature}");
    }
    body["signature"] = good;
    assert_eq!(edge.verify(&body).status, 200, "none of those used the nonce up");
    assert_eq!(edge.verify(&body).problem(), refused(401, "nonce-used"));

    for message in ["", "sign in please", "evil.example wants you to sign in"] {
        let text = edge.signer.text(e2e::ANVIL_KEY, message);
        let body = json!({ "message": message, "signature": text.signature });
        assert_eq!(edge.verify(&body).problem(), refused(400, "malformed-message"), "{message}");
    }
    let body = json!({ "message": "x", "signature": "0x", "address": "0x" });
    assert_eq!(edge.verify(&body).problem(), refused(400, "unknown-field"));
}

#[test]
fn of_many_who_use_one_nonce_at_once_one_signs_in() {
    let edge = Edge::start();
    let body = edge.proof(&json!({ "nonce": edge.nonce() }));
    let answers = at_once(20, |_| edge.verify(&body));
    let n_signed_in = answers.iter().filter(|it| it.status == 200).count();
    assert_eq!(n_signed_in, 1);
    for answer in answers.iter().filter(|it| it.status != 200) {
        assert_eq!(answer.problem(), refused(401, "nonce-used"));
    }
}

#[test]
fn a_nonce_in_the_wrong_hands_lets_nobody_in_as_somebody_else() {
    let edge = Edge::start();
    let site = edge.client().origin().to_owned();
    let nonce = edge.nonce();
    let own = edge.proof(&json!({ "nonce": nonce }));
    // The thief's key under the owner's name.
    let message = own["message"].as_str().unwrap();
    let forged = edge.signer.text(SECOND_KEY, message).signature;
    let body = json!({ "message": message, "signature": forged });
    assert_eq!(edge.verify(&body).problem(), refused(401, "bad-signature"));
    // The owner's signature under another name, or another time.
    for (from, to) in [("Version: 1", "Version: 1 "), ("Chain ID: 1", "Chain ID: 2")] {
        let body = json!({ "message": message.replace(from, to), "signature": own["signature"] });
        assert!(edge.verify(&body).status.is_client_error(), "{to}");
    }
    // As himself the thief may use it, and the owner needs a new one.
    let thief = edge.signer.message(SECOND_KEY, &site, &json!({ "nonce": nonce }));
    let answer = edge.verify(&json!({ "message": thief.message, "signature": thief.signature }));
    assert_eq!((answer.status.as_u16(), &*answer.field("address")), (200, &*thief.address));
    assert_eq!(edge.verify(&own).problem(), refused(401, "nonce-used"));
    assert_eq!(edge.verify(&edge.proof(&json!({ "nonce": edge.nonce() }))).status, 200);
}

/// Writes a signature another way.
type Write<'a> = &'a dyn Fn(&str) -> String;

#[test]
fn a_signature_is_65_bytes_with_a_low_s() {
    let edge = Edge::start();
    let send = |write: Write<'_>| {
        let mut body = edge.proof(&json!({ "nonce": edge.nonce() }));
        body["signature"] = write(body["signature"].as_str().unwrap()).into();
        let answer = edge.verify(&body);
        if answer.status == 200 { (200, String::new()) } else { answer.problem() }
    };
    let signer = &edge.signer;
    let accepted = (200, String::new());
    let bad = refused(401, "bad-signature");
    // Both parities of the point, so that 0, 1, 27 and 28 all come up.
    for _ in 0..8 {
        assert_eq!(send(&str::to_owned), accepted);
        assert_eq!(send(&|it| signer.rewritten(it).parity), accepted);
    }
    assert_eq!(send(&|it| format!("0x{}", it[2..].to_uppercase())), accepted);
    #[rustfmt::skip]
    let rows: [(&str, Write<'_>); 9] = [
        ("the other s",       &|it| signer.rewritten(it).high_s),
        ("64 bytes",          &|it| signer.rewritten(it).compact),
        ("v of 29 or 30",     &|it| signer.rewritten(it).other_v),
        ("66 bytes",          &|it| format!("{it}00")),
        ("130 bytes",         &|it| format!("{it}{}", &it[2..])),
        ("half a byte more",  &|it| format!("{it}0")),
        ("no 0x",             &|it| it[2..].to_owned()),
        ("a space",           &|it| format!("{it} ")),
        ("zeros",             &|it| format!("0x{}1b", "0".repeat(it.len() - 4))),
    ];
    for (case, write) in rows {
        assert_eq!(send(write), bad, "{case}");
    }
}

#[test]
fn a_session_is_for_a_chain_that_is_allowed() {
    let edge = Edge::of(Installation::default().with_variable("siwe_chain_ids", "1, 8453 31337"));
    let on = |chain_id: u64| {
        edge.verify(&edge.proof(&json!({ "nonce": edge.nonce(), "chainId": chain_id })))
    };
    for chain_id in [1, 8453, 31337] {
        let answer = on(chain_id);
        assert_eq!(answer.status, 200, "{chain_id}: {}", answer.text);
        assert_eq!(answer.json["chain_id"], chain_id);
    }
    for chain_id in [10, 84532, 3, 845, 11] {
        assert_eq!(on(chain_id).problem(), refused(401, "chain-not-allowed"), "{chain_id}");
    }
}
