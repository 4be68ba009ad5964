//! Any text as a message of a facilitator, its first line as the signature and the rest as the body:
//! nobody is believed without a secret, and what is believed is fit for a log.

#![no_main]

use alloy_primitives::hex;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Timestamp;
use facilitator::{WebhookError, WebhookSecrets, verify_webhook};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

/// Base64 of 24 bytes, so that it is fit for every kind of signature.
const SECRET: &str = "a2tra2tra2tra2tra2tra2tra2tra2tr";
const NOW_S: i64 = 1_795_000_000;

fuzz_target!(|text: &str| {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(value) = HeaderValue::from_str(line) {
        for name in ["webhook-signature", "x-hook0-signature", "x-webhook-signature"] {
            let headers = [("webhook-id", "e"), ("webhook-timestamp", "1795000000")];
            let mut headers = with(&headers);
            headers.insert(name, value.clone());
            assert!(verify(&headers, body).is_err(), "{name} {text:?}");
        }
    }

    let hook0 = hex::encode(mac(SECRET.as_bytes(), &format!("{NOW_S}.{body}")));
    let hook0 = format!("t={NOW_S},v0={hook0}");
    let dated = verify(&with(&[("x-hook0-signature", &hook0)]), body);
    assert!(matches!(dated, Ok(()) | Err(WebhookError::NotJson)), "{dated:?} {text:?}");

    let key = STANDARD.decode(SECRET).unwrap();
    let standard = STANDARD.encode(mac(&key, &format!("e.{NOW_S}.{body}")));
    let standard = with(&[
        ("webhook-id", "e"),
        ("webhook-timestamp", "1795000000"),
        ("webhook-signature", &format!("v1,{standard}")),
    ]);
    assert_eq!(verify(&standard, body), dated, "{text:?}");

    let plain = hex::encode(mac(SECRET.as_bytes(), body));
    let plain = verify(&with(&[("x-webhook-signature", &plain)]), body);
    let is_due = match plain {
        Ok(()) | Err(WebhookError::Undated | WebhookError::Stale) => dated.is_ok(),
        Err(error) => Err(error) == dated,
    };
    assert!(is_due, "{plain:?} {text:?}");
});

fn verify(headers: &HeaderMap, body: &str) -> Result<(), WebhookError> {
    let secrets: WebhookSecrets = SECRET.parse().unwrap();
    let now = Timestamp::from_unix_ms(NOW_S * 1000);
    let hint = verify_webhook(headers, body.as_bytes(), &secrets, now)?;
    for text in [Some(&hint.event), hint.network.as_ref()].into_iter().flatten() {
        assert!(text.chars().count() <= 100 && !text.contains(char::is_control), "{text:?}");
    }
    Ok(())
}

fn with(rows: &[(&'static str, &str)]) -> HeaderMap {
    rows.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn mac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
