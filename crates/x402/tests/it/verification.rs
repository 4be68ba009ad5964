//! Payments that pay, and one that does not for each reason.

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Value, json};
use x402::{
    Authorization, Network, Refusal, Requirements, SignatureFlaw, Signer, Terms, Verified, Version,
    payment_id, verify,
};

use crate::common::{
    BUYER, NOW_S, PAY_TO, authorization, document, good, key, now, read, sign, terms, usd,
};

fn verified(version: Version, value: &Value, terms: &Terms) -> Result<Verified, Refusal> {
    verify(&read(version, value).unwrap(), &terms.requirements(), now())
}

/// A payment with a changed authorization, signed after the change.
fn with(version: Version, change: impl FnOnce(&mut Authorization)) -> Result<Verified, Refusal> {
    let terms = terms("http://x/");
    let requirements = terms.requirements()[0];
    let mut authorization = authorization(&requirements);
    change(&mut authorization);
    let signature = sign(&authorization, requirements.network);
    verified(version, &document(version, &requirements, &authorization, &signature), &terms)
}

#[test]
fn a_payment_that_is_what_was_asked_for_says_what_it_is() {
    for version in [Version::V1, Version::V2] {
        let terms = terms("http://x/");
        let got = verified(version, &good(version, &terms), &terms).unwrap();
        let network = Network::of_chain(84_532).unwrap();
        let nonce = B256::repeat_byte(7);
        let now_s = u64::try_from(NOW_S).unwrap();
        assert_eq!(got.id, payment_id(84_532, network.usdc.address, BUYER, nonce));
        assert_eq!((got.version, got.network, got.nonce), (version, network, nonce));
        assert_eq!((got.asset, got.payer, got.pay_to), (network.usdc.address, BUYER, PAY_TO));
        assert_eq!((got.amount, got.signer), (usd(10_000), Signer::Key));
        assert_eq!(got.valid_before_s, now_s + 300);
        assert_eq!(got.signature.len(), 65);
    }
}

#[test]
fn time_and_amount_and_recipient_are_checked_to_the_unit() {
    let now_s = u64::try_from(NOW_S).unwrap();
    let time = |after: u64, before: u64| {
        move |it: &mut Authorization| {
            (it.valid_after, it.valid_before) = (U256::from(after), U256::from(before));
        }
    };
    let value = |value: u64| move |it: &mut Authorization| it.value = U256::from(value);
    for version in [Version::V1, Version::V2] {
        let ok = |got: Result<Verified, Refusal>| got.map(|_| ());
        assert_eq!(ok(with(version, time(0, now_s + 6))), Ok(()));
        assert_eq!(ok(with(version, time(0, now_s + 5))), Err(Refusal::Expired));
        assert_eq!(ok(with(version, time(0, 0))), Err(Refusal::Expired));
        assert_eq!(ok(with(version, time(now_s, now_s + 60))), Ok(()));
        assert_eq!(ok(with(version, time(now_s + 1, now_s + 60))), Err(Refusal::NotYetValid));
        // The time that is over is said first.
        assert_eq!(ok(with(version, time(now_s + 1, now_s))), Err(Refusal::Expired));
        assert_eq!(ok(with(version, value(9_999))), Err(Refusal::Value));
        assert_eq!(ok(with(version, value(10_001))), Err(Refusal::Value));
        assert_eq!(ok(with(version, value(0))), Err(Refusal::Value));
        assert_eq!(ok(with(version, |it| it.value = U256::MAX)), Err(Refusal::Value));
        assert_eq!(ok(with(version, |it| it.to = BUYER)), Err(Refusal::Recipient));
    }
}

#[test]
fn an_authorization_ends_within_a_day() {
    let now_s = u64::try_from(NOW_S).unwrap();
    let until =
        |time: U256| with(Version::V2, |it| it.valid_before = time).map(|it| it.valid_before_s);
    assert_eq!(until(U256::from(now_s + 86_400)), Ok(now_s + 86_400));
    assert_eq!(until(U256::from(now_s + 86_401)), Err(Refusal::Expired));
    assert_eq!(until(U256::MAX), Err(Refusal::Expired));
}

#[test]
fn what_is_accepted_is_what_was_offered() {
    let terms = terms("http://x/");
    #[rustfmt::skip]
    let rows = [
        ("/accepted/amount",            json!("10001"),                                       Some(Refusal::Requirements)),
        ("/accepted/amount",            json!(10000),                                         Some(Refusal::Requirements)),
        ("/accepted/asset",             json!(BUYER),                                         Some(Refusal::Requirements)),
        ("/accepted/asset",             json!("0x036cbd53842c5426634e7929541ec2318f3dcf7e"),   None),
        ("/accepted/asset",             json!("0x036CBD53842C5426634E7929541EC2318F3DCF7E"),   None),
        ("/accepted/payTo",             json!("0x90f79bf6eb2c4f870365e785982e1f101e93b906"),   None),
        ("/accepted/payTo",             json!(BUYER),                                         Some(Refusal::Requirements)),
        ("/accepted/maxTimeoutSeconds", json!(301),                                           Some(Refusal::Requirements)),
        ("/accepted/more",              json!(1),                                             Some(Refusal::Requirements)),
        ("/accepted/extra/more",        json!(1),                                             None),
        ("/accepted/extra/name",        json!("USD Coin"),                                    Some(Refusal::Requirements)),
        ("/accepted/extra/paymentFlow", json!("authorization"),                               Some(Refusal::Requirements)),
        ("/accepted/extra",             json!({}),                                            Some(Refusal::Requirements)),
        ("/accepted/extra",             json!(null),                                          Some(Refusal::Requirements)),
        ("/accepted/network",           json!("eip155:8453"),                                 Some(Refusal::Network)),
    ];
    for (pointer, to, want) in rows {
        let mut value = good(Version::V2, &terms);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap()[name] = to;
        assert_eq!(verified(Version::V2, &value, &terms).err(), want, "{pointer}");
    }
    let mut value = good(Version::V2, &terms);
    value["accepted"].as_object_mut().unwrap().remove("maxTimeoutSeconds");
    assert_eq!(verified(Version::V2, &value, &terms), Err(Refusal::Requirements));
}

#[test]
fn an_amount_of_a_moment_ago_is_still_good() {
    let asked_before = terms("http://x/");
    let asked_now = Terms {
        amount: usd(9_000),
        honoured: vec![usd(10_000), usd(9_000)],
        ..asked_before.clone()
    };
    assert_eq!(asked_now.requirements().len(), 2);
    for version in [Version::V1, Version::V2] {
        let value = good(version, &asked_before);
        assert_eq!(verified(version, &value, &asked_now).unwrap().amount, usd(10_000));
        let value = good(version, &asked_now);
        assert_eq!(verified(version, &value, &asked_now).unwrap().amount, usd(9_000));
        assert!(verified(version, &value, &asked_before).is_err());
    }
    // One amount accepted and the other one signed.
    let [now, before] = *asked_now.requirements() else { panic!() };
    let authorization = authorization(&before);
    let signature = sign(&authorization, now.network);
    let value = document(Version::V2, &now, &authorization, &signature);
    assert_eq!(verified(Version::V2, &value, &asked_now), Err(Refusal::Value));
}

#[test]
fn a_payment_is_good_on_any_network_that_is_asked_for_and_on_no_other() {
    let networks = [8_453, 137, 43_113].map(|it| Network::of_chain(it).unwrap());
    let terms = Terms { networks: networks.to_vec(), ..terms("http://x/") };
    for network in networks {
        let requirements = Requirements { network, amount: usd(10_000), pay_to: PAY_TO };
        let authorization = authorization(&requirements);
        let signature = sign(&authorization, network);
        for version in [Version::V1, Version::V2] {
            let value = document(version, &requirements, &authorization, &signature);
            assert_eq!(verified(version, &value, &terms).unwrap().network, network);
            let elsewhere = Terms { networks: vec![networks[0]], ..terms.clone() };
            let got = verified(version, &value, &elsewhere);
            assert_eq!(got.is_ok(), network == networks[0]);
            assert!(network == networks[0] || got == Err(Refusal::Network));
        }
        // What is signed for one network is nothing on another.
        let other = networks.iter().find(|it| **it != network).unwrap();
        let value =
            document(Version::V2, &requirements, &authorization, &sign(&authorization, other));
        let got = verified(Version::V2, &value, &terms).unwrap();
        let hash = authorization.hash(network);
        assert_eq!(got.signer, Signer::Contract { hash });
    }
}

#[test]
fn a_signature_is_the_keys_or_may_be_a_contracts_or_is_none() {
    use Refusal::Signature as S;
    let terms = terms("http://x/");
    let requirements = terms.requirements()[0];
    let authorization = authorization(&requirements);
    let hash = authorization.hash(requirements.network);
    let own: [u8; 65] = hex::decode(evm::sign(&hash, &key(2))).unwrap().try_into().unwrap();
    let others = hex::decode(evm::sign(&hash, &key(1))).unwrap();
    let contract = Ok(Signer::Contract { hash });

    let mut v_small = own;
    v_small[64] -= 27;
    let mut v_other = own;
    v_other[64] = 31;
    let wrapped = [&own[..], &[0x64, 0x92].repeat(16)].concat();
    let longer = [&own[..], &[0]].concat();
    let rows: [(&str, &[u8], Result<Signer, &str>); 10] = [
        ("the buyer's", &own, Ok(Signer::Key)),
        ("by another key", &others, contract),
        ("longer than a key's", &longer, contract),
        ("v of 0 or 1", &v_small, Err("v is 27 or 28")),
        ("another v", &v_other, Err("not a signature that the token takes")),
        ("s in the upper half", &malleated(own), Err("not a signature that the token takes")),
        ("64 bytes", &own[..64], Err("not a signature that the token takes")),
        ("zeros", &[0; 65], Err("not a signature that the token takes")),
        ("nothing", &[], Err("not a signature that the token takes")),
        ("wrapped", &wrapped, Err("wallets that are still to be created can't pay")),
    ];
    for (name, bytes, want) in rows {
        let text = hex::encode_prefixed(bytes);
        for version in [Version::V1, Version::V2] {
            let value = document(version, &requirements, &authorization, &text);
            let got = verified(version, &value, &terms).map(|it| {
                assert_eq!(it.signature, bytes);
                it.signer
            });
            let got = got.map_err(|error| match error {
                S(flaw) => flaw.to_string(),
                other => panic!("{name}: {other}"),
            });
            assert_eq!(got, want.map_err(str::to_owned), "{name}");
        }
    }
}

/// The other signature that the curve takes for the same key and hash.
fn malleated(signature: [u8; 65]) -> Vec<u8> {
    let order = U256::from_str_radix(
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        16,
    )
    .unwrap();
    let s = order - U256::from_be_slice(&signature[32..64]);
    let v = if signature[64] == 27 { 28 } else { 27 };
    [&signature[..32], &s.to_be_bytes::<32>(), &[v]].concat()
}

#[test]
fn who_pays_in_lower_case_pays() {
    let terms = terms("http://x/");
    let mut value = good(Version::V2, &terms);
    for name in ["from", "to"] {
        let address = &mut value["payload"]["authorization"][name];
        *address = json!(address.as_str().unwrap().to_lowercase());
    }
    assert_eq!(verified(Version::V2, &value, &terms).unwrap().signer, Signer::Key);
}

#[test]
fn every_refusal_has_a_reason_of_its_own_and_a_sentence_of_one_line() {
    let refusals = [
        Refusal::Version,
        Refusal::Scheme,
        Refusal::Network,
        Refusal::Payload,
        Refusal::Requirements,
        Refusal::Recipient,
        Refusal::Value,
        Refusal::Expired,
        Refusal::NotYetValid,
        Refusal::Signature(SignatureFlaw::Wrapped),
    ];
    let mut reasons: Vec<_> = refusals.iter().map(Refusal::reason).collect();
    assert!(reasons.iter().all(|it| it.starts_with("invalid_")));
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), refusals.len());
    assert!(refusals.iter().all(|it| !it.to_string().contains('\n')));
}

#[test]
fn nobody_is_paid_at_the_address_zero() {
    let got = with(Version::V1, |it| it.to = Address::ZERO);
    assert_eq!(got, Err(Refusal::Recipient));
}
