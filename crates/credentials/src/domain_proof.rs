//! What the owner of a domain shows in DNS to prove that a space may have it.

use domain::{CustomDomain, SpaceId, hex};

use crate::{KeyRing, keys::hmac_sha256};

/// How many bytes of the HMAC are shown.
const TOKEN_LEN: usize = 16;

impl KeyRing {
    /// The text that proves that the owner of `domain` wants the space `space` to have it: 32
    /// hexadecimal digits.
    ///
    /// It is no secret once it stands in DNS, so nothing of it is stored. It is good for this space
    /// and this domain only.
    #[must_use]
    pub fn domain_token(&self, space: &SpaceId, domain: &CustomDomain) -> String {
        token(&self.domain.current.bytes, space, domain)
    }

    /// Whether `text` is such a proof, by the current secret or one that is listed with it.
    #[must_use]
    pub fn is_domain_token(&self, text: &str, space: &SpaceId, domain: &CustomDomain) -> bool {
        self.domain.accepted().any(|key| token(&key.bytes, space, domain) == text)
    }
}

fn token(key: &[u8; 32], space: &SpaceId, domain: &CustomDomain) -> String {
    // Neither of them has a line feed in it.
    let message = format!("{space}\n{domain}");
    hex(&hmac_sha256(key, message.as_bytes())[..TOKEN_LEN])
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn ring(current: &str, previous: &[&str]) -> KeyRing {
        KeyRing::derive(current, previous).unwrap_or_else(|it| panic!("{it}"))
    }

    #[test]
    fn a_token_is_good_for_one_space_and_one_domain_until_its_secret_is_gone() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let [space, other] = [1, 2].map(|it| SpaceId::new(Timestamp::from_unix_ms(1), [it; 10]));
        let [domain, below] = ["a.example", "b.a.example"].map(|it| it.parse().unwrap());
        let token = ring(&old, &[]).domain_token(&space, &domain);

        assert_eq!(token.len(), 32);
        let rows = [
            (ring(&old, &[]), &space, &domain, true),
            (ring(&new, &[&old]), &space, &domain, true),
            (ring(&new, &[]), &space, &domain, false),
            (ring(&old, &[]), &other, &domain, false),
            (ring(&old, &[]), &space, &below, false),
        ];
        for (index, (ring, space, domain, is_good)) in rows.into_iter().enumerate() {
            assert_eq!(ring.is_domain_token(&token, space, domain), is_good, "row {index}");
        }
        let rotated = ring(&new, &[&old]).domain_token(&space, &domain);
        assert_ne!(rotated, token);
    }
}
