//! Signatures of webhooks: which kinds there are, and what each of them signs.
//!
//! Source: Standard Webhooks, `spec/standard-webhooks.md`; Coinbase's Developer Platform, "Verify
//! webhook signatures"; the documentation of `OpenFacilitator`'s and Silverback's webhooks.

use alloy_primitives::hex;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

use crate::{WebhookError, WebhookSecrets};

/// The standard alphabet, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message that somebody who knows a secret has signed.
pub(crate) struct Signed {
    /// When it was sent, say the headers.
    pub(crate) sent_at: Option<Timestamp>,
    /// Whether that is signed, too.
    pub(crate) is_dated: bool,
}

/// Makes sure of the signature, whatever kind it is of.
pub(crate) fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Result<Signed, WebhookError> {
    if headers.contains_key("webhook-signature") {
        verify_standard(headers, body, secrets)
    } else if headers.contains_key("x-hook0-signature") {
        verify_hook0(headers, body, secrets)
    } else if headers.contains_key("x-webhook-signature") {
        verify_body(headers, body, secrets)
    } else {
        Err(WebhookError::Unsigned)
    }
}

/// `webhook-signature: v1,<base64> v1,<base64>` over id, time and body. The secret is base64, too.
fn verify_standard(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Result<Signed, WebhookError> {
    let id = text(headers, "webhook-id")?;
    let timestamp = text(headers, "webhook-timestamp")?;
    let sent_at = unix_s(timestamp).ok_or(WebhookError::Header("webhook-timestamp"))?;
    let signatures = text(headers, "webhook-signature")?.split(' ');
    let signatures = signatures.filter_map(|it| BASE64.decode(it.strip_prefix("v1,")?).ok());
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let keys = secrets.iter().map(|it| it.strip_prefix("whsec_").unwrap_or(it));
    let keys: Vec<_> = keys.filter_map(|it| BASE64.decode(it).ok()).collect();
    is_by_one_of(&keys, signatures, &message)?;
    Ok(Signed { sent_at: Some(sent_at), is_dated: true })
}

/// `x-hook0-signature: t=<Unix seconds>,v0=<hex>,h=<names of headers>,v1=<hex>`: `v0` is over time
/// and body, and `v1` over the named headers, too. Nothing of those is used, so one of both will do.
fn verify_hook0(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Result<Signed, WebhookError> {
    const NAME: &str = "x-hook0-signature";
    let fields = text(headers, NAME)?.split(',').filter_map(|it| it.trim().split_once('='));
    let fields: Vec<_> = fields.collect();
    let field = |name| fields.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
    let timestamp = field("t").ok_or(WebhookError::Header(NAME))?;
    let sent_at = unix_s(timestamp).ok_or(WebhookError::Header(NAME))?;
    let signature = |name| field(name).and_then(|it| hex::decode(it).ok());
    let keys: Vec<_> = secrets.iter().collect();

    let by_v0 = is_by_one_of(&keys, signature("v0"), &[timestamp.as_bytes(), b".", body]);
    let by_v1 = || {
        let names = field("h").ok_or(WebhookError::Forged)?;
        let values = names.split(' ').map(|it| value(headers, it)).collect::<Option<Vec<_>>>();
        let values = values.ok_or(WebhookError::Forged)?.join(".");
        let head = format!("{timestamp}.{names}.{values}.");
        is_by_one_of(&keys, signature("v1"), &[head.as_bytes(), body])
    };
    by_v0.or_else(|_| by_v1())?;
    Ok(Signed { sent_at: Some(sent_at), is_dated: true })
}

/// `x-webhook-signature: <hex>` or `sha256=<hex>` over the body, and the time in milliseconds beside
/// it, unsigned.
fn verify_body(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &WebhookSecrets,
) -> Result<Signed, WebhookError> {
    const TIMESTAMP: &str = "x-webhook-timestamp";
    let signature = text(headers, "x-webhook-signature")?;
    let signature = hex::decode(signature.strip_prefix("sha256=").unwrap_or(signature)).ok();
    is_by_one_of(&secrets.iter().collect::<Vec<_>>(), signature, &[body])?;
    let sent_at = if headers.contains_key(TIMESTAMP) {
        let unix_ms = text(headers, TIMESTAMP)?.parse();
        let unix_ms = unix_ms.map_err(|_| WebhookError::Header(TIMESTAMP))?;
        Some(Timestamp::from_unix_ms(unix_ms))
    } else {
        None
    };
    Ok(Signed { sent_at, is_dated: false })
}

/// Makes sure that one of the signatures is by one of the keys. Each comparison takes as long as any
/// other.
fn is_by_one_of(
    keys: &[impl AsRef<[u8]>],
    signatures: impl IntoIterator<Item = Vec<u8>>,
    message: &[&[u8]],
) -> Result<(), WebhookError> {
    let macs = keys.iter().map(|key| {
        let mac = Hmac::<Sha256>::new_from_slice(key.as_ref());
        let mut mac = mac.expect("HMAC takes keys of any length");
        for part in message {
            mac.update(part);
        }
        mac
    });
    let macs: Vec<_> = macs.collect();
    let is_by_one =
        |signature: Vec<u8>| macs.iter().any(|mac| mac.clone().verify_slice(&signature).is_ok());
    if signatures.into_iter().any(is_by_one) { Ok(()) } else { Err(WebhookError::Forged) }
}

/// The one value of a header.
fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, WebhookError> {
    value(headers, name).ok_or(WebhookError::Header(name))
}

/// The one value of a header, if there is one.
fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}

fn unix_s(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()))?;
    Some(Timestamp::from_unix_ms(seconds.checked_mul(1000)?))
}
