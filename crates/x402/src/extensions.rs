//! Extensions of version 2, as they are written.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Identifier, Terms};

/// An extension: what it says, and how to read that.
#[derive(Serialize)]
pub(crate) struct Extension {
    pub(crate) info: Value,
    pub(crate) schema: Value,
}

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// `payment-identifier`: payers may name a purchase.
pub(crate) fn payment_identifier(id: Option<&Identifier>) -> Extension {
    let info = match id {
        None => json!({ "required": false }),
        Some(id) => json!({ "required": false, "id": id.as_str() }),
    };
    let id = json!({
        "type": "string",
        "minLength": Identifier::LEN_MIN,
        "maxLength": Identifier::LEN_MAX,
        "pattern": "^[a-zA-Z0-9_-]+$",
    });
    let schema = json!({
        "$schema": DRAFT,
        "type": "object",
        "properties": { "required": { "type": "boolean" }, "id": id },
        "required": ["required"],
    });
    Extension { info, schema }
}

/// `offer-receipt`, with offers in it.
pub(crate) fn offers(offers: &Value) -> Extension {
    let text = json!({ "type": "string" });
    let integer = json!({ "type": "integer" });
    let payload = json!({
        "type": "object",
        "properties": {
            "version": integer, "resourceUrl": text, "scheme": text, "network": text,
            "asset": text, "payTo": text, "amount": text, "validUntil": integer,
        },
        "required": ["version", "resourceUrl", "scheme", "network", "asset", "payTo", "amount"],
    });
    let offer = json!({
        "type": "object",
        "properties": {
            "format": text, "acceptIndex": integer, "payload": payload, "signature": text,
        },
        "required": ["format", "signature"],
    });
    let schema = json!({
        "$schema": DRAFT,
        "type": "object",
        "properties": { "offers": { "type": "array", "items": offer } },
        "required": ["offers"],
    });
    Extension { info: json!({ "offers": offers }), schema }
}

/// `offer-receipt`, with a receipt in it.
pub(crate) fn receipt(receipt: &Value) -> Extension {
    let text = json!({ "type": "string" });
    let integer = json!({ "type": "integer" });
    let payload = json!({
        "type": "object",
        "properties": {
            "version": integer, "network": text, "resourceUrl": text, "payer": text,
            "issuedAt": integer, "transaction": text,
        },
        "required": ["version", "network", "resourceUrl", "payer", "issuedAt"],
    });
    let signed = json!({
        "type": "object",
        "properties": { "format": text, "payload": payload, "signature": text },
        "required": ["format", "signature"],
    });
    let schema = json!({
        "$schema": DRAFT,
        "type": "object",
        "properties": { "receipt": signed },
        "required": ["receipt"],
    });
    Extension { info: json!({ "receipt": receipt }), schema }
}

impl Terms {
    /// The extension `bazaar`, if what was given is one.
    pub(crate) fn bazaar(&self) -> Option<Extension> {
        let given = self.bazaar.as_ref()?;
        let (info, schema) = (given.get("info")?, given.get("schema")?);
        let is_one = info.get("input").is_some_and(Value::is_object) && schema.is_object();
        is_one.then(|| Extension { info: info.clone(), schema: schema.clone() })
    }

    /// What version 1 has for it.
    pub(crate) fn output_schema(&self) -> Option<Value> {
        let Extension { info, .. } = self.bazaar()?;
        Some(match info.get("output") {
            None => json!({ "input": info["input"] }),
            Some(output) => json!({ "input": info["input"], "output": output }),
        })
    }
}
