//! How agents call what we sell: the extension `bazaar` of x402.

use domain::Money;
use serde_json::{Value, json};

/// For `POST /v1/spaces`.
pub(crate) fn create_space() -> Value {
    let body = json!({ "name": "garden", "app": "postiz", "title": "Garden Collective" });
    let output = json!({ "id": "spc_01JD9V6M1WZ0000000000000AB", "phase": "pending",
        "url": "https://garden.example.org" });
    let schema = json!({
        "name": { "type": "string", "pattern": "^[a-z0-9-]{3,40}$" },
        "app": { "type": "string", "description": "One of GET /v1/apps" },
        "title": { "type": "string", "maxLength": 100 },
        "settings": { "type": "object", "description": "By the app's settings_schema" },
    });
    declaration(&body, &output, &schema, &["name", "app"])
}

/// For `POST /v1/spaces/{id}/payments`.
pub(crate) fn top_up(amount: Money) -> Value {
    let body = json!({ "amount": amount });
    let output = json!({ "id": "pay_00112233445566778899aabbccddeeff", "amount": amount });
    let schema = json!({ "amount": { "type": "string", "description": "USD, up to 6 places" } });
    declaration(&body, &output, &schema, &["amount"])
}

fn declaration(body: &Value, output: &Value, properties: &Value, required: &[&str]) -> Value {
    let input = json!({ "type": "http", "method": "POST", "bodyType": "json", "body": body });
    let body_schema = json!({ "type": "object", "properties": properties, "required": required,
        "additionalProperties": false });
    let input_schema = json!({
        "type": "object",
        "properties": {
            "type": { "type": "string", "const": "http" },
            "method": { "type": "string", "enum": ["POST"] },
            "bodyType": { "type": "string", "enum": ["json"] },
            "body": body_schema,
        },
        "required": ["type", "method", "bodyType", "body"],
        "additionalProperties": false,
    });
    json!({
        "info": { "input": input, "output": { "type": "json", "example": output } },
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": { "input": input_schema },
            "required": ["input"],
        },
    })
}
