//! What a middleware established about a request, told to the handler behind it.

use std::time::Duration;

use domain::{Timestamp, Wallet};
use http::{HeaderName, Method};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    keys::KeyRing,
    token::{Kind, TokenError, open, seal},
};

/// The header that carries a passport inwards that a gate stamped. From outside it means nothing.
pub const PASSPORT_HEADER: HeaderName = HeaderName::from_static("spaceport-passport");

/// The header that carries a passport inwards that the till stamped: what was paid. From outside it
/// means nothing.
pub const RECEIPT_HEADER: HeaderName = HeaderName::from_static("spaceport-receipt");

/// How long a request may take from the middleware to the handler: it may be paid for in between.
pub const PASSPORT_LIFETIME: Duration = Duration::from_mins(2);

/// A gate may have much to say.
const PASSPORT: Kind = Kind { purpose: "passport", len_max: 16 * 1024 };

/// What a middleware established about one request, with its stamp, an `S`: what a gate said, what
/// was paid.
///
/// A handler that needs it and does not find a valid one refuses, so a pipeline that somebody broke
/// in the manifest fails closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passport<S> {
    /// Who is calling, or who paid.
    pub wallet: Wallet,
    /// What else was established, if the middleware is one that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamp: Option<S>,
    /// The method of the request.
    pub method: String,
    /// The path of the request.
    pub path: String,
    /// From when on it is void.
    pub expires_at: Timestamp,
}

impl<S: Serialize + DeserializeOwned> Passport<S> {
    /// A passport for this request of `wallet`, with `stamp`.
    #[must_use]
    pub fn issue(
        wallet: Wallet,
        stamp: Option<S>,
        method: &Method,
        path: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            wallet,
            stamp,
            method: method.to_string(),
            path: path.to_owned(),
            expires_at: now.plus(PASSPORT_LIFETIME),
        }
    }

    /// The passport as a header's value.
    #[must_use]
    pub fn to_token(&self, keys: &KeyRing) -> String {
        seal(&keys.passport, &PASSPORT, self)
    }

    /// The passport in `token`, if it was issued for this request.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn from_token(
        keys: &KeyRing,
        token: &str,
        method: &Method,
        path: &str,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let passport: Self = open(&keys.passport, &PASSPORT, token)?;
        if passport.method != method.as_str() || passport.path != path {
            return Err(TokenError::Foreign);
        }
        if passport.expires_at <= now { Err(TokenError::Expired) } else { Ok(passport) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    fn keys() -> KeyRing {
        KeyRing::derive(&"k".repeat(32), &[]).ok().unwrap()
    }

    fn passport<S: Serialize + DeserializeOwned>(stamp: Option<S>) -> Passport<S> {
        let wallet = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        Passport::issue(wallet, stamp, &Method::POST, "/v1/spaces", NOW)
    }

    #[test]
    fn a_passport_is_good_for_its_own_request_only() {
        let keys = keys();
        let passport = passport(Some("open".to_owned()));
        let token = passport.to_token(&keys);
        let late = NOW.plus(PASSPORT_LIFETIME);
        let read = |method, path, now| Passport::from_token(&keys, &token, method, path, now);

        assert_eq!(read(&Method::POST, "/v1/spaces", NOW), Ok(passport.clone()));
        assert_eq!(read(&Method::PUT, "/v1/spaces", NOW), Err(TokenError::Foreign));
        assert_eq!(read(&Method::POST, "/v1/keys", NOW), Err(TokenError::Foreign));
        assert_eq!(read(&Method::POST, "/v1/spaces", late), Err(TokenError::Expired));
    }

    #[test]
    fn a_passport_carries_up_to_16_kib_of_what_the_gate_said() {
        let keys = keys();
        let read = |token: &str| {
            Passport::<String>::from_token(&keys, token, &Method::POST, "/v1/spaces", NOW)
        };
        #[rustfmt::skip]
        let rows = [
            (None,                     true),
            (Some(String::new()),      true),
            (Some("x".repeat(12_000)), true),
            (Some("x".repeat(12_300)), false),
        ];
        for (gate, is_read) in rows {
            let passport = passport(gate);
            let token = passport.to_token(&keys);
            let want = if is_read { Ok(passport) } else { Err(TokenError::Foreign) };
            assert_eq!(read(&token), want, "{} bytes", token.len());
        }
    }

    #[test]
    fn what_another_gate_said_is_no_answer() {
        let keys = keys();
        let token = passport(Some(5)).to_token(&keys);
        let read = Passport::<String>::from_token(&keys, &token, &Method::POST, "/v1/spaces", NOW);
        assert_eq!(read, Err(TokenError::Foreign));
    }

    #[test]
    fn a_session_is_no_passport_and_a_passport_no_session() {
        let keys = keys();
        let passport = passport(Some(5));
        let session = Session::begin(passport.wallet, 1, NOW, [3; 16]).to_token(&keys);
        let read = Passport::<u8>::from_token(&keys, &session, &Method::POST, "/v1/spaces", NOW);
        assert_eq!(read, Err(TokenError::Foreign));
        let read = Session::from_token(&keys, &passport.to_token(&keys), NOW);
        assert_eq!(read, Err(TokenError::Foreign));
    }
}
