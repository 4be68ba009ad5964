//! One way to pay, and what is paid for.

use alloy_primitives::Address;
use domain::Money;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Network;

/// How long a payment may take, in seconds: as long as what is asked holds.
pub const TIMEOUT_SECONDS_MAX: u64 = 300;

/// So much USDC, on this network, to this address: scheme `exact`, EIP-3009, settled before the
/// work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Where.
    pub network: &'static Network,
    /// How much. A µUSD is a base unit of USDC.
    pub amount: Money,
    /// To whom.
    pub pay_to: Address,
}

/// What is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its URL.
    pub url: String,
    /// What it is, for people.
    pub description: String,
    /// The media type of the answer.
    pub mime_type: String,
    /// Who sells it. At most 32 visible characters of ASCII.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// What it is about. At most 5, each as long as a name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// The form of version 2.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequirementsV2 {
    scheme: &'static str,
    pub(crate) network: String,
    pub(crate) amount: String,
    pub(crate) asset: String,
    pub(crate) pay_to: String,
    max_timeout_seconds: u64,
    extra: ExtraV2,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtraV2 {
    name: &'static str,
    version: &'static str,
    payment_flow: &'static str,
}

/// The form of version 1.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequirementsV1<'a> {
    scheme: &'static str,
    pub(crate) network: &'static str,
    max_amount_required: String,
    resource: &'a str,
    description: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a Value>,
    pay_to: String,
    max_timeout_seconds: u64,
    asset: String,
    extra: ExtraV1,
}

#[derive(Serialize)]
struct ExtraV1 {
    name: &'static str,
    version: &'static str,
}

impl Requirements {
    pub(crate) fn v2(&self) -> RequirementsV2 {
        let asset = &self.network.usdc;
        RequirementsV2 {
            scheme: "exact",
            network: self.network.caip2(),
            amount: self.amount.micros().to_string(),
            asset: asset.address.to_string(),
            pay_to: self.pay_to.to_string(),
            max_timeout_seconds: TIMEOUT_SECONDS_MAX,
            extra: ExtraV2 { name: asset.name, version: asset.version, payment_flow: "upfront" },
        }
    }

    /// `None` for a network that version 1 has no name for.
    pub(crate) fn v1<'a>(
        &self,
        resource: &'a Resource,
        output_schema: Option<&'a Value>,
    ) -> Option<RequirementsV1<'a>> {
        let asset = &self.network.usdc;
        Some(RequirementsV1 {
            scheme: "exact",
            network: self.network.v1_name?,
            max_amount_required: self.amount.micros().to_string(),
            resource: &resource.url,
            description: &resource.description,
            mime_type: &resource.mime_type,
            output_schema,
            pay_to: self.pay_to.to_string(),
            max_timeout_seconds: TIMEOUT_SECONDS_MAX,
            asset: asset.address.to_string(),
            extra: ExtraV1 { name: asset.name, version: asset.version },
        })
    }

    /// Whether `accepted` is these requirements: the same members with the same values, addresses in
    /// any case, and in `extra` at least what is in ours.
    pub(crate) fn are(&self, accepted: &Map<String, Value>) -> bool {
        let ours = serde_json::to_value(self.v2()).expect("plain data has a JSON form");
        let Value::Object(ours) = ours else { return false };
        ours.len() == accepted.len()
            && ours.iter().all(|(name, ours)| {
                accepted.get(name).is_some_and(|theirs| is_same(name, ours, theirs))
            })
    }
}

fn is_same(name: &str, ours: &Value, theirs: &Value) -> bool {
    match (name, ours, theirs) {
        ("extra", Value::Object(ours), Value::Object(theirs)) => {
            ours.iter().all(|(name, value)| theirs.get(name) == Some(value))
        }
        ("asset" | "payTo", Value::String(ours), Value::String(theirs)) => {
            ours.eq_ignore_ascii_case(theirs)
        }
        _ => ours == theirs,
    }
}
