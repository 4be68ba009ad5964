//! What proves who is calling: sessions, sign-in nonces, passports, host, admin and API keys.
//!
//! All but the keys are stateless: a value says itself whether we made it and until when it holds.
//! What must be remembered (a nonce that was used, a session that was ended, a key's hash) is the
//! caller's to remember.

mod api_key;
mod domain_proof;
mod keys;
mod nonce;
mod passport;
mod scope;
mod secret;
mod session;
mod token;

pub use api_key::{ApiKey, ApiKeyError, KeyId};
pub use keys::{KeyRing, SecretError};
pub use nonce::{NONCE_LIFETIME, NonceError, SignInNonce};
pub use passport::{PASSPORT_HEADER, PASSPORT_LIFETIME, Passport, RECEIPT_HEADER};
pub use scope::{Scope, ScopeError, Scopes};
pub use secret::{Secret, sha256_hex};
pub use session::{SESSION_LIFETIME, Session};
pub use token::TokenError;
