//! The tokens that Coinbase's Developer Platform wants.
//!
//! A token is a JWT for one request to one address, good for two minutes.
//!
//! Source: RFC 7515, RFC 8037 (`EdDSA`); `src/auth/utils/jwt.ts` of `@coinbase/cdp-sdk` 1.57.0.

use alloy_primitives::hex;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::Timestamp;
use ed25519_compact::SecretKey;
use serde_json::{Value, json};

/// How long a token is good for.
const SECONDS: i64 = 120;

/// A key of the platform.
#[derive(Clone)]
pub(crate) struct CdpKey {
    id: String,
    key: SecretKey,
}

impl CdpKey {
    /// From the id and the secret, base64 of 32 bytes of private and 32 of public key. `None` if
    /// those two are not a pair.
    pub(crate) fn new(id: String, secret: &str) -> Option<Self> {
        let bytes = STANDARD.decode(secret).ok()?;
        let key = SecretKey::from_slice(&bytes).ok()?;
        key.validate_public_key(&key.public_key()).ok()?;
        Some(Self { id, key })
    }

    /// A token for a POST to this URL.
    ///
    /// - `nonce`: random, never twice.
    pub(crate) fn token(&self, url: &str, now: Timestamp, nonce: [u8; 16]) -> String {
        let host_and_path = url.split_once("://").map_or(url, |(_, rest)| rest);
        let now_s = now.unix_s();
        let header = json!({
            "alg": "EdDSA",
            "kid": self.id,
            "nonce": hex::encode(nonce),
            "typ": "JWT",
        });
        let claims = json!({
            "exp": now_s.saturating_add(SECONDS),
            "iat": now_s,
            "iss": "cdp",
            "nbf": now_s,
            "sub": self.id,
            "uris": [format!("POST {host_and_path}")],
        });
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(&signed, None);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
