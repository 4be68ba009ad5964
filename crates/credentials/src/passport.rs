//! What a middleware established about a request, told to the handler behind it.

use std::time::Duration;

use domain::{Timestamp, Wallet};
use http::{HeaderName, Method};
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyRing,
    token::{TokenError, open, seal},
};

/// The header that carries a passport inwards. From outside it means nothing.
pub const PASSPORT_HEADER: HeaderName = HeaderName::from_static("spaceport-passport");

/// How long a request may take from the middleware to the handler.
pub const PASSPORT_LIFETIME: Duration = Duration::from_mins(1);

const PURPOSE: &str = "passport";

/// What a middleware established about one request.
///
/// A handler that needs it and does not find a valid one refuses, so a pipeline that somebody broke
/// in the manifest fails closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passport {
    /// Who is calling.
    pub wallet: Wallet,
    /// The method of the request.
    pub method: String,
    /// The path of the request.
    pub path: String,
    /// From when on it is void.
    pub expires_at: Timestamp,
}

impl Passport {
    /// A passport for this request of `wallet`.
    #[must_use]
    pub fn issue(wallet: Wallet, method: &Method, path: &str, now: Timestamp) -> Self {
        Self {
            wallet,
            method: method.to_string(),
            path: path.to_owned(),
            expires_at: now.plus(PASSPORT_LIFETIME),
        }
    }

    /// The passport as a header's value.
    #[must_use]
    pub fn to_token(&self, keys: &KeyRing) -> String {
        seal(&keys.passport, PURPOSE, self)
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
        let passport: Self = open(&keys.passport, PURPOSE, token)?;
        if passport.method != method.as_str() || passport.path != path {
            return Err(TokenError::Foreign);
        }
        if passport.expires_at <= now { Err(TokenError::Expired) } else { Ok(passport) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    #[test]
    fn a_passport_is_good_for_its_own_request_only() {
        let keys = KeyRing::derive(&"k".repeat(32)).unwrap();
        let wallet = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let passport = Passport::issue(wallet, &Method::POST, "/v1/spaces", NOW);
        let token = passport.to_token(&keys);
        let late = NOW.plus(PASSPORT_LIFETIME);
        let read = |method, path, now| Passport::from_token(&keys, &token, method, path, now);

        assert_eq!(read(&Method::POST, "/v1/spaces", NOW), Ok(passport.clone()));
        assert_eq!(read(&Method::PUT, "/v1/spaces", NOW), Err(TokenError::Foreign));
        assert_eq!(read(&Method::POST, "/v1/keys", NOW), Err(TokenError::Foreign));
        assert_eq!(read(&Method::POST, "/v1/spaces", late), Err(TokenError::Expired));
    }

    #[test]
    fn a_session_is_no_passport() {
        let keys = KeyRing::derive(&"k".repeat(32)).unwrap();
        let wallet = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let session = crate::Session::begin(wallet, 1, NOW, [3; 16]).to_token(&keys);
        let read = Passport::from_token(&keys, &session, &Method::POST, "/v1/spaces", NOW);
        assert_eq!(read, Err(TokenError::Foreign));
    }
}
