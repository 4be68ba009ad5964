//! Secrets of spaces: made here, encrypted at rest, and told to nobody but the containers.

use std::{collections::BTreeMap, fmt, io};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use domain::SpaceId;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// What all secrets of this host are encrypted with.
#[derive(Clone)]
pub(crate) struct SecretsKey([u8; KEY_LEN]);

impl fmt::Debug for SecretsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsKey(…)")
    }
}

impl SecretsKey {
    /// A new key.
    pub(crate) fn generate() -> io::Result<Self> {
        let mut key = [0; KEY_LEN];
        random(&mut key)?;
        Ok(Self(key))
    }

    /// The key that was kept as `bytes`.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The key, to be kept.
    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `secrets` of `space`, encrypted: a nonce and what XChaCha20-Poly1305 made with it. They open
    /// for the same space only.
    pub(crate) fn seal(
        &self,
        space: &SpaceId,
        secrets: &BTreeMap<String, String>,
    ) -> io::Result<Vec<u8>> {
        let plain = serde_json::to_vec(secrets)?;
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let payload = Payload { msg: &plain, aad: space.as_str().as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| io::Error::other("the secrets are too long"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The secrets of `space` that were sealed; `None` if these are not.
    pub(crate) fn open(&self, space: &SpaceId, sealed: &[u8]) -> Option<BTreeMap<String, String>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
        let payload = Payload { msg: sealed, aad: space.as_str().as_bytes() };
        let plain = self.cipher().decrypt(&XNonce::from(nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// New secrets of so many random bytes each, in lower-case hex digits.
pub(crate) fn generate(wanted: &BTreeMap<String, u16>) -> io::Result<BTreeMap<String, String>> {
    let secret = |(name, len): (&String, &u16)| {
        let mut bytes = vec![0; usize::from(*len)];
        random(&mut bytes)?;
        let digits = bytes.iter().flat_map(|it| [it >> 4, it & 15]);
        let digit = |it: u8| char::from_digit(it.into(), 16).expect("four bits are a hex digit");
        Ok((name.clone(), digits.map(digit).collect()))
    };
    wanted.iter().map(secret).collect()
}

fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::other)
}
