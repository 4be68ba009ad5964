//! The schema as a JSON Schema document, draft 2020-12, and back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Kind, Schema, SchemaError, Setting, Type, Value, schema::Declaration};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The whole document. Anything beyond the subset is refused when read.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Document {
    #[serde(rename = "$schema")]
    dialect: String,
    #[serde(rename = "type")]
    kind: ObjectType,
    properties: BTreeMap<String, Property>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    required: Vec<String>,
    additional_properties: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ObjectType {
    Object,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Property {
    #[serde(rename = "type")]
    kind: Type,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    allowed: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum: Option<i64>,
}

impl TryFrom<Document> for Schema {
    type Error = SchemaError;

    fn try_from(document: Document) -> Result<Self, SchemaError> {
        let Document { dialect, kind: ObjectType::Object, properties, required, .. } = document;
        if dialect != DIALECT {
            return Err(SchemaError::ForeignDialect { dialect: DIALECT });
        }
        if document.additional_properties {
            return Err(SchemaError::OpenDocument);
        }
        if let Some(key) = required.iter().find(|it| !properties.contains_key(*it)) {
            return Err(SchemaError::UnknownRequired { key: key.clone() });
        }
        let declared = properties.into_iter().map(|(key, property)| {
            let declaration = property.declare(required.contains(&key));
            (key, declaration)
        });
        Self::new(declared.collect())
    }
}

impl Property {
    fn declare(self, required: bool) -> Declaration {
        let Self { kind, title, description, default, max_length, allowed, minimum, maximum } =
            self;
        Declaration {
            kind,
            title,
            description,
            default,
            max_length,
            allowed,
            minimum,
            maximum,
            required,
        }
    }
}

impl From<Schema> for Document {
    fn from(schema: Schema) -> Self {
        let required = schema.settings().iter().filter(|(_, setting)| setting.required);
        Self {
            dialect: DIALECT.to_owned(),
            kind: ObjectType::Object,
            required: required.map(|(key, _)| key.clone()).collect(),
            properties: schema
                .settings()
                .iter()
                .map(|(key, setting)| (key.clone(), Property::from(setting)))
                .collect(),
            additional_properties: false,
        }
    }
}

impl From<&Setting> for Property {
    fn from(setting: &Setting) -> Self {
        let mut property = Self {
            kind: Type::Boolean,
            title: setting.title.clone(),
            description: setting.description.clone(),
            default: setting.default.clone(),
            max_length: None,
            allowed: None,
            minimum: None,
            maximum: None,
        };
        match &setting.kind {
            Kind::Boolean => (),
            Kind::Integer { minimum, maximum } => {
                property.kind = Type::Integer;
                // The ends of the type are no limits that an author set.
                property.minimum = Some(*minimum).filter(|it| *it != i64::MIN);
                property.maximum = Some(*maximum).filter(|it| *it != i64::MAX);
            }
            Kind::String { max_length, allowed } => {
                property.kind = Type::String;
                property.max_length = Some(*max_length);
                property.allowed = Some(allowed.clone()).filter(|it| !it.is_empty());
            }
        }
        property
    }
}
