//! Whatever comes: nothing panics, and what is taken is sent on as the same payment.

use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use serde_json::{Value, json};
use x402::{Payment, Version, verify};

use crate::common::{authorization, document, encode, good, now, read, sign, terms};

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V1), Just(Version::V2)]
}

/// JSON of the kind that members of a payment are made of.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        any::<f64>().prop_map(|it| json!(it)),
        ".{0,40}".prop_map(|it| json!(it)),
        "(0x)?[0-9a-fA-F]{0,140}".prop_map(|it| json!(it)),
        "[0-9]{1,80}".prop_map(|it| json!(it)),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// The paths of all members of a value.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let pointer = format!("{at}/{name}");
        pointers(member, &pointer, into);
        into.push(pointer);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(version in version(), text in any::<String>()) {
        let _ = Payment::from_header(version, text.as_bytes());
        let _ = Payment::from_header(version, encode(&json!(text)).as_bytes());
    }

    #[test]
    fn a_payment_with_any_member_changed_is_refused_or_as_good(
        version in version(),
        index in any::<prop::sample::Index>(),
        to in value(),
    ) {
        let terms = terms("http://x/");
        let mut changed = good(version, &terms);
        let mut all = Vec::new();
        pointers(&changed, "", &mut all);
        let pointer = index.get(&all);
        *changed.pointer_mut(pointer).unwrap() = to.clone();
        let Ok(payment) = read(version, &changed) else { return Ok(()) };
        let verified = verify(&payment, &terms.requirements(), now());
        let Ok(verified) = verified else { return Ok(()) };
        // Nothing that is signed can be another and still be the key's.
        prop_assert!(
            verified.signer != x402::Signer::Key || !pointer.contains("authorization"),
            "{} {}", pointer, to
        );
    }

    #[test]
    fn what_is_sent_to_a_facilitator_is_the_same_payment(
        version in version(),
        valid_after in 0..1_795_402_877_u64,
        seconds_left in 6..=86_400_u64,
        nonce in any::<[u8; 32]>(),
    ) {
        let terms = terms("http://x/");
        let requirements = terms.requirements()[0];
        let mut authorization = authorization(&requirements);
        authorization.valid_after = U256::from(valid_after);
        authorization.valid_before = U256::from(1_795_402_877_u64) + U256::from(seconds_left);
        authorization.nonce = B256::from(nonce);
        let signature = sign(&authorization, requirements.network);
        let document = document(version, &requirements, &authorization, &signature);
        let payment = read(version, &document).unwrap();
        let verified = verify(&payment, &terms.requirements(), now()).unwrap();
        let request: Value =
            serde_json::from_str(&terms.settle_request(&payment, &verified)).unwrap();
        let sent = read(version, &request["paymentPayload"]).unwrap();
        prop_assert_eq!(sent.id(), payment.id());
        prop_assert_eq!(verify(&sent, &terms.requirements(), now()), Ok(verified));
    }
}
