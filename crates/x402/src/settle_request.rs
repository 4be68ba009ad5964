//! What a facilitator is asked.

use alloy_primitives::hex;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Authorization, Payment, Requirements, Resource, Terms, Verified, Version,
    challenge::json,
    extensions::{self, Extension},
    requirements::{RequirementsV1, RequirementsV2},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettleRequest<P, R> {
    #[serde(rename = "x402Version")]
    x402_version: u8,
    payment_payload: P,
    payment_requirements: R,
}

#[derive(Serialize)]
struct PayloadV2<'a> {
    #[serde(rename = "x402Version")]
    x402_version: u8,
    resource: &'a Resource,
    accepted: RequirementsV2,
    payload: Signed<'a>,
    #[serde(skip_serializing_if = "Extensions::is_empty")]
    extensions: Extensions,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Extensions {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_identifier: Option<Extension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bazaar: Option<Extension>,
}

#[derive(Serialize)]
struct PayloadV1<'a> {
    #[serde(rename = "x402Version")]
    x402_version: u8,
    scheme: &'static str,
    network: &'static str,
    payload: Signed<'a>,
}

#[derive(Serialize)]
struct Signed<'a> {
    signature: String,
    authorization: &'a Authorization,
}

impl Extensions {
    const fn is_empty(&self) -> bool {
        self.payment_identifier.is_none() && self.bazaar.is_none()
    }
}

impl Payment {
    /// Whether it is this payment that a facilitator was asked about with `question`: the same
    /// authorization under the same signature, in whichever version it came.
    #[must_use]
    pub fn is_in(&self, question: &str) -> bool {
        let signature = hex::encode_prefixed(&self.signature);
        let signed = Signed { signature, authorization: &self.authorization };
        let question: Value = serde_json::from_str(question).unwrap_or_default();
        serde_json::to_value(signed).is_ok_and(|it| it == question["paymentPayload"]["payload"])
    }
}

impl Terms {
    /// The body of a request to settle `payment`: JSON. Of the payer it has what was signed, the
    /// signature and the identifier. All else in it is ours.
    #[must_use]
    pub fn settle_request(&self, payment: &Payment, verified: &Verified) -> String {
        let (network, amount, pay_to) = (verified.network, verified.amount, verified.pay_to);
        let requirements = Requirements { network, amount, pay_to };
        let signature = hex::encode_prefixed(&payment.signature);
        let payload = Signed { signature, authorization: &payment.authorization };
        match payment.version {
            Version::V1 => self.settle_request_v1(requirements, payload),
            Version::V2 => {
                let identifier = payment.identifier();
                let extensions = Extensions {
                    payment_identifier: identifier
                        .map(|it| extensions::payment_identifier(Some(it))),
                    // Facilitators catalogue what they settle.
                    bazaar: self.bazaar(),
                };
                json(&SettleRequest {
                    x402_version: 2,
                    payment_payload: PayloadV2 {
                        x402_version: 2,
                        resource: &self.resource,
                        accepted: requirements.v2(),
                        payload,
                        extensions,
                    },
                    payment_requirements: requirements.v2(),
                })
            }
        }
    }

    fn settle_request_v1(&self, requirements: Requirements, payload: Signed<'_>) -> String {
        let schema = self.output_schema();
        let requirements: RequirementsV1<'_> = requirements
            .v1(&self.resource, schema.as_ref())
            .expect("a payment of version 1 is on a network that has a name there");
        let network = requirements.network;
        json(&SettleRequest {
            x402_version: 1,
            payment_payload: PayloadV1 { x402_version: 1, scheme: "exact", network, payload },
            payment_requirements: requirements,
        })
    }
}
