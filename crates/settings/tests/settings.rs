//! Settings from declaration to document to check.
//!
//! Method: one schema with every type; rows of what is declared and what is sent.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use settings::{Schema, SettingsError};

fn declared() -> Json {
    json!({
        "greeting": { "type": "string", "title": "Greeting", "max_length": 5, "default": "Hi" },
        "theme": { "type": "string", "enum": ["light", "dark"], "required": true },
        "seats": { "type": "integer", "minimum": 1, "maximum": 10, "description": "How many." },
        "open": { "type": "boolean", "default": false },
        "motto": { "type": "string" },
    })
}

fn schema(declared: Json) -> Result<Schema, String> {
    let declared = serde_json::from_value(declared).map_err(|error| error.to_string())?;
    Schema::new(declared).map_err(|error| error.to_string())
}

#[test]
fn a_schema_is_a_json_schema_document_and_comes_back_the_same() {
    let schema = schema(declared()).unwrap();
    let document = serde_json::to_value(&schema).unwrap();
    let want = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "greeting": { "type": "string", "title": "Greeting", "maxLength": 5, "default": "Hi" },
            "theme": { "type": "string", "enum": ["light", "dark"], "maxLength": 1000 },
            "seats": { "type": "integer", "minimum": 1, "maximum": 10, "description": "How many." },
            "open": { "type": "boolean", "default": false },
            "motto": { "type": "string", "maxLength": 1000 },
        },
        "required": ["theme"],
        "additionalProperties": false,
    });
    assert_eq!(document, want);
    assert_eq!(serde_json::from_value::<Schema>(document).unwrap(), schema);
    let none = serde_json::to_value(Schema::default()).unwrap();
    assert_eq!(serde_json::from_value::<Schema>(none).unwrap(), Schema::default());
}

#[test]
fn a_document_beyond_the_subset_is_refused() {
    let document = || serde_json::to_value(schema(declared()).unwrap()).unwrap();
    let rows = [
        ("/$schema", json!("http://json-schema.org/draft-07/schema#"), "$schema: must be"),
        ("/type", json!("array"), "unknown variant `array`"),
        ("/additionalProperties", json!(true), "additionalProperties: must be false"),
        ("/required", json!(["colour"]), "required: there is no setting colour"),
        (
            "/properties/motto",
            json!({ "type": "string", "pattern": "x" }),
            "unknown field `pattern`",
        ),
        ("/properties/motto", json!({ "type": "number" }), "unknown variant `number`"),
        ("/properties/seats/minimum", json!(11), "settings.seats: minimum is above maximum"),
    ];
    for (at, value, start) in rows {
        let mut document = document();
        *document.pointer_mut(at).unwrap() = value;
        let error = serde_json::from_value::<Schema>(document).unwrap_err().to_string();
        assert!(error.starts_with(start), "{at}: {error}");
    }
}

#[test]
fn every_rule_of_a_declaration() {
    let bad_key = "a key has a-z, 0-9 and '_', begins with a letter and has at most 40 characters";
    let long = "a".repeat(41);
    let rows = [
        ("Theme", json!({ "type": "boolean" }), bad_key),
        ("1st", json!({ "type": "boolean" }), bad_key),
        ("", json!({ "type": "boolean" }), bad_key),
        ("a-b", json!({ "type": "boolean" }), bad_key),
        (&long, json!({ "type": "boolean" }), bad_key),
        (
            "a",
            json!({ "type": "boolean", "minimum": 1 }),
            "minimum is not for settings of type boolean",
        ),
        (
            "a",
            json!({ "type": "string", "maximum": 1 }),
            "maximum is not for settings of type string",
        ),
        (
            "a",
            json!({ "type": "integer", "enum": ["x"] }),
            "enum is not for settings of type integer",
        ),
        (
            "a",
            json!({ "type": "integer", "max_length": 1 }),
            "max_length is not for settings of type integer",
        ),
        ("a", json!({ "type": "integer", "minimum": 2, "maximum": 1 }), "minimum is above maximum"),
        (
            "a",
            json!({ "type": "boolean", "default": true, "required": true }),
            "a setting is either required or has a default",
        ),
    ];
    for (key, declaration, rule) in rows {
        let error = schema(json!({ key: declaration })).unwrap_err();
        assert_eq!(error, format!("settings.{key}: {rule}"));
    }
    let defaults = [
        (json!({ "type": "boolean", "default": "true" }), "must be true or false"),
        (json!({ "type": "integer", "default": true }), "must be an integer"),
        (
            json!({ "type": "integer", "minimum": 3, "default": 2 }),
            "must be from 3 to 9223372036854775807",
        ),
        (
            json!({ "type": "string", "max_length": 2, "default": "abc" }),
            "must have at most 2 characters",
        ),
        (json!({ "type": "string", "enum": ["a"], "default": "b" }), "must be one of: a"),
    ];
    for (declaration, rule) in defaults {
        let error = schema(json!({ "a": declaration })).unwrap_err();
        assert_eq!(error, format!("settings.a.default: {rule}"));
    }
}

#[test]
fn every_rule_of_what_is_sent() {
    let schema = schema(declared()).unwrap();
    let rows = [
        (json!([]), "settings must be an object"),
        (json!("x"), "settings must be an object"),
        (json!(null), "settings.theme: required"),
        (json!({}), "settings.theme: required"),
        (json!({ "theme": null }), "settings.theme: must be a string"),
        (json!({ "theme": "red" }), "settings.theme: must be one of: light, dark"),
        (json!({ "theme": "dark", "colour": 1 }), "settings.colour: this app has no such setting"),
        (
            json!({ "theme": "dark", "greeting": "äöüßéx" }),
            "settings.greeting: must have at most 5 characters",
        ),
        (json!({ "theme": "dark", "greeting": "a\0b" }), "settings.greeting: must not contain NUL"),
        (json!({ "theme": "dark", "seats": 0 }), "settings.seats: must be from 1 to 10"),
        (json!({ "theme": "dark", "seats": 11 }), "settings.seats: must be from 1 to 10"),
        (json!({ "theme": "dark", "seats": 1.5 }), "settings.seats: must be an integer"),
        (json!({ "theme": "dark", "seats": "1" }), "settings.seats: must be an integer"),
        (json!({ "theme": "dark", "open": 1 }), "settings.open: must be true or false"),
    ];
    for (sent, want) in rows {
        assert_eq!(schema.validate(&sent).unwrap_err().to_string(), want, "{sent}");
    }
    assert_eq!(Schema::default().validate(&json!([])), Err(SettingsError::NotAnObject));
}

#[test]
fn what_is_sent_becomes_variables_with_the_defaults_filled_in() {
    let schema = schema(declared()).unwrap();
    let rows = [
        (json!({ "theme": "dark" }), ["Hi", "", "false", "", "dark"]),
        (
            json!({ "theme": "light", "greeting": "äöüßé", "seats": 10, "open": true, "motto": "a\nb" }),
            ["äöüßé", "a\nb", "true", "10", "light"],
        ),
        (json!({ "theme": "light", "greeting": "", "seats": 1 }), ["", "", "false", "1", "light"]),
    ];
    let names = ["GREETING", "MOTTO", "OPEN", "SEATS", "THEME"].map(|it| format!("SETTING_{it}"));
    assert_eq!(schema.variables().collect::<Vec<_>>(), names);
    for (sent, values) in rows {
        let want: BTreeMap<_, _> = names.iter().cloned().zip(values.map(str::to_owned)).collect();
        let settings = schema.validate(&sent).unwrap();
        assert_eq!(settings.variables(), want, "{sent}");
        // They are kept as JSON, and checked again before they are used.
        let kept = serde_json::to_value(&settings).unwrap();
        assert_eq!(schema.validate(&kept).as_ref(), Ok(&settings), "{kept}");
    }
    assert!(Schema::default().validate(&Json::Null).unwrap().variables().is_empty());
}
