//! The two versions of the protocol, and the header fields of each.

use http::HeaderName;

/// What is asked for, in version 2.
pub const PAYMENT_REQUIRED: HeaderName = HeaderName::from_static("payment-required");
/// A payment, in version 2.
pub const PAYMENT_SIGNATURE: HeaderName = HeaderName::from_static("payment-signature");
/// What became of a payment, in version 2.
pub const PAYMENT_RESPONSE: HeaderName = HeaderName::from_static("payment-response");
/// A payment, in version 1.
pub const X_PAYMENT: HeaderName = HeaderName::from_static("x-payment");
/// What became of a payment, in version 1.
pub const X_PAYMENT_RESPONSE: HeaderName = HeaderName::from_static("x-payment-response");

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `X-PAYMENT`, a body that says what is asked for, networks with names.
    V1,
    /// `PAYMENT-SIGNATURE`, a header that says what is asked for, networks by CAIP-2.
    V2,
}

impl Version {
    /// As the protocol writes it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The field that a payment comes in.
    #[must_use]
    pub const fn request_header(self) -> HeaderName {
        match self {
            Self::V1 => X_PAYMENT,
            Self::V2 => PAYMENT_SIGNATURE,
        }
    }

    /// The field that says what became of it.
    #[must_use]
    pub const fn response_header(self) -> HeaderName {
        match self {
            Self::V1 => X_PAYMENT_RESPONSE,
            Self::V2 => PAYMENT_RESPONSE,
        }
    }
}
