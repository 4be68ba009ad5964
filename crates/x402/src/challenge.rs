//! One answer that clients of both versions understand.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Timestamp;
use k256::ecdsa::SigningKey;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Requirements, Resource, Terms,
    extensions::{self, Extension},
    offer,
    requirements::{RequirementsV1, RequirementsV2},
};

/// Longest `PAYMENT-REQUIRED`, in bytes, unless the terms alone are longer: what proxies take.
pub const HEADER_LEN_BYTES_MAX: usize = 8 * 1024;

/// The answer 402 to a request that costs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The value of `PAYMENT-REQUIRED`, for version 2.
    pub header: String,
    /// The body, JSON, for version 1.
    pub body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentRequired<'a> {
    #[serde(rename = "x402Version")]
    x402_version: u8,
    error: &'a str,
    resource: &'a Resource,
    accepts: Vec<RequirementsV2>,
    extensions: Extensions,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Extensions {
    payment_identifier: Extension,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer_receipt: Option<Extension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bazaar: Option<Extension>,
}

#[derive(Serialize)]
struct BodyV1<'a> {
    #[serde(rename = "x402Version")]
    x402_version: u8,
    error: &'a str,
    accepts: Vec<RequirementsV1<'a>>,
}

/// What goes into the header besides the terms.
#[derive(Clone, Copy)]
struct Extras<'a> {
    offers: Option<(&'a SigningKey, Timestamp)>,
    with_bazaar: bool,
}

impl Terms {
    /// What is answered to a request without a payment, or, with `error`, to one with a payment that
    /// is refused for that reason.
    ///
    /// With a `signer` the header has signed offers. If the header would be longer than
    /// [`HEADER_LEN_BYTES_MAX`], the extension `bazaar` is left out of it, then the offers.
    #[must_use]
    pub fn challenge(
        &self,
        error: Option<&str>,
        signer: Option<&SigningKey>,
        now: Timestamp,
    ) -> Challenge {
        let offers = signer.map(|key| (key, now));
        let extras = [
            Extras { offers, with_bazaar: true },
            Extras { offers, with_bazaar: false },
            Extras { offers: None, with_bazaar: false },
        ];
        let mut header = String::new();
        for extras in extras {
            header = self.header(error, extras);
            if header.len() <= HEADER_LEN_BYTES_MAX {
                break;
            }
        }
        Challenge { header, body: self.body(error) }
    }

    fn header(&self, error: Option<&str>, extras: Extras<'_>) -> String {
        let asked = self.asked();
        let offers =
            extras.offers.map(|(key, now)| extensions::offers(&self.offers(&asked, key, now)));
        STANDARD.encode(json(&PaymentRequired {
            x402_version: 2,
            error: error.unwrap_or("PAYMENT-SIGNATURE header is required"),
            resource: &self.resource,
            accepts: asked.iter().map(Requirements::v2).collect(),
            extensions: Extensions {
                payment_identifier: extensions::payment_identifier(None),
                offer_receipt: offers,
                bazaar: self.bazaar().filter(|_| extras.with_bazaar),
            },
        }))
    }

    fn offers(&self, asked: &[Requirements], key: &SigningKey, now: Timestamp) -> Value {
        let url = &self.resource.url;
        let offers = asked.iter().enumerate();
        offers.map(|(index, it)| offer::sign(it, index, url, key, now)).collect()
    }

    fn body(&self, error: Option<&str>) -> String {
        let schema = self.output_schema();
        let accepts = self.asked();
        let accepts = accepts.iter().filter_map(|it| it.v1(&self.resource, schema.as_ref()));
        json(&BodyV1 {
            x402_version: 1,
            error: error.unwrap_or("X-PAYMENT header is required"),
            accepts: accepts.collect(),
        })
    }
}

pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data has a JSON form")
}
