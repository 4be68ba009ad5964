//! What proves who is calling: sessions, sign-in nonces, passports, host and admin keys.
//!
//! All are stateless: a value says itself whether we made it and until when it holds. What must be
//! remembered (a nonce that was used, a session that was ended) is the caller's to remember.

mod keys;
mod nonce;
mod passport;
mod secret;
mod session;
mod token;

pub use keys::{KeyRing, SecretTooShort};
pub use nonce::{NONCE_LIFETIME, NonceError, SignInNonce};
pub use passport::{PASSPORT_HEADER, PASSPORT_LIFETIME, Passport};
pub use secret::{Secret, sha256_hex};
pub use session::{SESSION_LIFETIME, Session};
pub use token::TokenError;
