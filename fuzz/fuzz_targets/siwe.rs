//! Any text as a sign-in message: what is read is printed and read back as the same, and what is
//! verified is the text that came.

#![no_main]

use alloy_primitives::keccak256;
use libfuzzer_sys::fuzz_target;
use siwe::{Expected, Message, check};

fuzz_target!(|text: &str| {
    let Ok(message) = text.parse::<Message>() else { return };
    let printed = message.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(&message), "{text:?} prints as {printed:?}");

    let fields = message.fields();
    let Some(origin) = origin_of(&fields.uri).and_then(|it| it.parse().ok()) else { return };
    let expected = Expected { domain: fields.domain.clone(), origin, chain_ids: Vec::new() };
    if let Ok(checked) = check(text, &expected, fields.issued_at, |nonce| nonce == fields.nonce) {
        let signed = format!("\x19Ethereum Signed Message:\n{}{text}", text.len());
        assert_eq!(checked.hash(), &keccak256(signed).0, "{text:?}");
        assert_eq!(checked.message(), &message, "{text:?}");
    }
});

/// Scheme and authority of a URI, cut out by hand.
fn origin_of(uri: &str) -> Option<&str> {
    let authority = uri.find("://")?.checked_add(3)?;
    let length = uri[authority..].find(['/', '?', '#']);
    Some(length.map_or(uri, |it| &uri[..authority + it]))
}
