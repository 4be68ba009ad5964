//! What keeps a header field from being a payment.

/// Longest payment header, in bytes.
pub const PAYMENT_LEN_BYTES_MAX: usize = 16 * 1024;

/// Why a header field is no payment. On one line, and without a word of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The field is there more than once.
    #[error("a request has one payment header, this one has more")]
    Repeated,
    /// The field is too long.
    #[error("a payment header has at most {PAYMENT_LEN_BYTES_MAX} bytes, this one has {len_bytes}")]
    TooLong {
        /// Its length.
        len_bytes: usize,
    },
    /// The field is not base64 of the standard alphabet.
    #[error("a payment header is JSON in base64, this one is not base64")]
    NotBase64,
    /// What is in it is not JSON.
    #[error("a payment header is JSON in base64, this one is not JSON")]
    NotJson,
    /// A member is missing.
    #[error("{field} is missing")]
    Missing {
        /// Which, as a path of names.
        field: &'static str,
    },
    /// A member is something else than it should be.
    #[error("{field} must be {want}")]
    Wrong {
        /// Which, as a path of names.
        field: &'static str,
        /// What it should be.
        want: &'static str,
    },
}
