//! What a client is told of its payment.

use alloy_primitives::Address;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::{
    Network, Receipt, Version,
    challenge::json,
    extensions::{self, Extension},
};

/// A payment that was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled<'a> {
    /// The version that it came in.
    pub version: Version,
    /// Where.
    pub network: &'static Network,
    /// Who paid.
    pub payer: Address,
    /// The hash of the transaction: `0x` and 64 hexadecimal digits.
    pub transaction: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_reason: Option<&'a str>,
    payer: String,
    transaction: &'a str,
    network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Extensions {
    offer_receipt: Extension,
}

impl Settled<'_> {
    /// The value of [`Version::response_header`]. Version 1 has no receipts.
    #[must_use]
    pub fn to_header(&self, receipt: Option<&Receipt>) -> String {
        let receipt = receipt.filter(|_| self.version == Version::V2);
        let extensions = receipt.map(|it| Extensions { offer_receipt: extensions::receipt(&it.0) });
        STANDARD.encode(json(&Response {
            success: true,
            error_reason: None,
            payer: self.payer.to_string(),
            transaction: self.transaction,
            network: name(self.version, self.network),
            extensions,
        }))
    }
}

/// The value of [`Version::response_header`] for a payment that was not settled.
#[must_use]
pub fn refused_header(
    version: Version,
    network: &'static Network,
    payer: Address,
    reason: &str,
) -> String {
    STANDARD.encode(json(&Response {
        success: false,
        error_reason: Some(reason),
        payer: payer.to_string(),
        transaction: "",
        network: name(version, network),
        extensions: None,
    }))
}

fn name(version: Version, network: &Network) -> String {
    match (version, network.v1_name) {
        (Version::V1, Some(name)) => name.to_owned(),
        (Version::V1, None) | (Version::V2, _) => network.caip2(),
    }
}
