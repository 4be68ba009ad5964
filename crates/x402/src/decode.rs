//! From header fields to a payment.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::HeaderMap;
use serde_json::Value;

use crate::{
    Authorization, Identifier, Malformed, Network, PAYMENT_LEN_BYTES_MAX, Payment, Refusal,
    Version, fields::Fields,
};

/// A payment, or why there is none.
pub type Decoded = Result<Payment, DecodeError>;

/// Why a header field gives no payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It can't be read: the client's mistake.
    #[error("the payment header can't be read")]
    Malformed(#[from] Malformed),
    /// It can be read far enough to see that it is not what is asked for.
    #[error("the payment is refused")]
    Refused {
        /// The version that is answered in.
        version: Version,
        /// Why.
        #[source]
        refusal: Refusal,
    },
}

/// Clients write padding, and some lose it on the way.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Members of a payload that moves money in a way that is known and not taken: Permit2, ERC-7710,
/// networks that are not EVM.
const OTHER_WAYS: [&str; 3] =
    ["payload.permit2Authorization", "payload.delegationManager", "payload.transaction"];

impl Payment {
    /// The payment of a request, if it has one. With headers of both versions, version 2 counts.
    ///
    /// # Errors
    /// [`DecodeError`].
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Decoded> {
        let version = [Version::V2, Version::V1]
            .into_iter()
            .find(|it| headers.contains_key(it.request_header()))?;
        let mut values = headers.get_all(version.request_header()).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return Some(Err(Malformed::Repeated.into()));
        }
        Some(Self::from_header(version, value.as_bytes()))
    }

    /// The payment in the value of one header field.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_header(version: Version, value: &[u8]) -> Decoded {
        let len_bytes = value.len();
        if PAYMENT_LEN_BYTES_MAX < len_bytes {
            return Err(Malformed::TooLong { len_bytes }.into());
        }
        let json = BASE64.decode(value).map_err(|_| Malformed::NotBase64)?;
        let json: Value = serde_json::from_slice(&json).map_err(|_| Malformed::NotJson)?;
        read(version, &Fields(&json))
    }
}

fn read(version: Version, fields: &Fields<'_>) -> Decoded {
    let refuse = |refusal| Err(DecodeError::Refused { version, refusal });
    match fields.find("x402Version") {
        None => return Err(Malformed::Missing { field: "x402Version" }.into()),
        Some(Value::Number(it)) if it.as_u64() == Some(version.number().into()) => {}
        Some(Value::Number(_)) => return refuse(Refusal::Version),
        Some(_) => {
            return Err(Malformed::Wrong { field: "x402Version", want: "a number" }.into());
        }
    }
    let (scheme, network, accepted) = match version {
        Version::V1 => {
            let network = Network::of_v1_name(fields.text("network")?);
            (fields.text("scheme")?, network, None)
        }
        Version::V2 => {
            let network = Network::of_caip2(fields.text("accepted.network")?);
            (fields.text("accepted.scheme")?, network, Some(fields.object("accepted")?.clone()))
        }
    };
    fields.object("payload")?;
    if scheme != "exact" {
        return refuse(Refusal::Scheme);
    }
    let Some(network) = network else { return refuse(Refusal::Network) };
    if OTHER_WAYS.iter().any(|it| fields.find(it).is_some()) {
        return refuse(Refusal::Payload);
    }
    let authorization = Authorization {
        from: fields.address("payload.authorization.from")?,
        to: fields.address("payload.authorization.to")?,
        value: fields.uint("payload.authorization.value")?,
        valid_after: fields.uint("payload.authorization.validAfter")?,
        valid_before: fields.uint("payload.authorization.validBefore")?,
        nonce: fields.hash("payload.authorization.nonce")?,
    };
    let signature = fields.bytes("payload.signature")?;
    let identifier = match version {
        Version::V1 => None,
        Version::V2 => identifier(fields)?,
    };
    Ok(Payment { version, network, accepted, authorization, signature, identifier })
}

/// The extension is echoed by clients that do not use it, and then has no id.
fn identifier(fields: &Fields<'_>) -> Result<Option<Identifier>, Malformed> {
    const FIELD: &str = "extensions.payment-identifier.info.id";
    if fields.find(FIELD).is_none() {
        return Ok(None);
    }
    let want = "16 to 128 of A-Z, a-z, 0-9, _ and -";
    let identifier = fields.text(FIELD)?.parse();
    identifier.map(Some).map_err(|_| Malformed::Wrong { field: FIELD, want })
}
