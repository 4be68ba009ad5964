//! What settings an app has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Value,
    document::Document,
    values::{check, variable},
};

/// The settings of one app, by key. Its JSON form is a JSON Schema document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Schema(BTreeMap<String, Setting>);

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What a value may be.
    pub kind: Kind,
    /// The label on a form.
    pub title: Option<String>,
    /// A sentence for whoever fills in the form.
    pub description: Option<String>,
    /// The value when none is sent.
    pub default: Option<Value>,
    /// Whether a space can't be made without it. Never together with a default.
    pub required: bool,
}

/// A setting as a template's author writes it: checked by [`Schema::new`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The JSON type of a value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The label on a form.
    pub title: Option<String>,
    /// A sentence for whoever fills in the form.
    pub description: Option<String>,
    /// The value when none is sent.
    pub default: Option<Value>,
    /// Strings only: most characters, [`Schema::LENGTH_DEFAULT`] if absent.
    pub max_length: Option<u32>,
    /// Strings only: the values there are.
    #[serde(rename = "enum")]
    pub allowed: Option<Vec<String>>,
    /// Integers only: the smallest value.
    pub minimum: Option<i64>,
    /// Integers only: the largest value.
    pub maximum: Option<i64>,
    /// Whether a space can't be made without it.
    #[serde(default)]
    pub required: bool,
}

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// True or false.
    Boolean,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String {
        /// Most characters (Unicode scalar values, as JSON Schema counts them).
        max_length: u32,
        /// The only values there are; any if empty.
        allowed: Vec<String>,
    },
    /// A whole number between these two, both included.
    Integer {
        /// The smallest one.
        minimum: i64,
        /// The largest one.
        maximum: i64,
    },
    /// True or false.
    Boolean,
}

/// Why settings can't be declared like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The key can't become the name of a variable.
    #[error(
        "settings.{key}: a key has a-z, 0-9 and '_', begins with a letter and has at most 40 characters"
    )]
    BadKey {
        /// The rejected key.
        key: String,
    },
    /// The default breaks the setting's own rule.
    #[error("settings.{key}.default: {rule}")]
    BadDefault {
        /// The key of the setting.
        key: String,
        /// The rule that the default breaks.
        rule: String,
    },
    /// A default makes `required` meaningless.
    #[error("settings.{key}: a setting is either required or has a default")]
    RequiredWithDefault {
        /// The key of the setting.
        key: String,
    },
    /// No value can be right.
    #[error("settings.{key}: minimum is above maximum")]
    EmptyRange {
        /// The key of the setting.
        key: String,
    },
    /// A constraint of another type of setting.
    #[error("settings.{key}: {constraint} is not for settings of type {kind}")]
    ForeignConstraint {
        /// The key of the setting.
        key: String,
        /// The constraint that does not belong there.
        constraint: &'static str,
        /// The type of the setting.
        kind: &'static str,
    },
    /// A document names a dialect that is not spoken here.
    #[error("$schema: must be {dialect}")]
    ForeignDialect {
        /// The one that is.
        dialect: &'static str,
    },
    /// A document lets settings pass that it does not describe.
    #[error("additionalProperties: must be false")]
    OpenDocument,
    /// A document requires a setting that it does not describe.
    #[error("required: there is no setting {key}")]
    UnknownRequired {
        /// The key without a property.
        key: String,
    },
}

impl Schema {
    /// Longest key, in bytes.
    pub const KEY_BYTES_MAX: usize = 40;
    /// Most characters of a text setting that names no limit of its own.
    pub const LENGTH_DEFAULT: u32 = 1000;

    /// A schema of these settings.
    ///
    /// # Errors
    /// [`SchemaError`] if a key, a constraint or a default can't be right.
    pub fn new(declared: BTreeMap<String, Declaration>) -> Result<Self, SchemaError> {
        let settings = declared.into_iter().map(|(key, declaration)| {
            let setting = declaration.check(&key)?;
            Ok((key, setting))
        });
        settings.collect::<Result<_, _>>().map(Self)
    }

    /// The settings by key.
    #[must_use]
    pub const fn settings(&self) -> &BTreeMap<String, Setting> {
        &self.0
    }

    /// The names under which a template uses its settings: `SETTING_THEME` for `theme`.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        self.0.keys().map(|it| variable(it))
    }
}

impl Declaration {
    fn check(self, key: &str) -> Result<Setting, SchemaError> {
        let is_key = key.starts_with(|it: char| it.is_ascii_lowercase())
            && key.chars().all(|it| matches!(it, 'a'..='z' | '0'..='9' | '_'))
            && key.len() <= Schema::KEY_BYTES_MAX;
        if !is_key {
            return Err(SchemaError::BadKey { key: key.to_owned() });
        }
        self.refuse_foreign_constraints(key)?;
        let kind = match self.kind {
            Type::Boolean => Kind::Boolean,
            Type::Integer => Kind::Integer {
                minimum: self.minimum.unwrap_or(i64::MIN),
                maximum: self.maximum.unwrap_or(i64::MAX),
            },
            Type::String => Kind::String {
                max_length: self.max_length.unwrap_or(Schema::LENGTH_DEFAULT),
                allowed: self.allowed.unwrap_or_default(),
            },
        };
        if let Kind::Integer { minimum, maximum } = kind
            && maximum < minimum
        {
            return Err(SchemaError::EmptyRange { key: key.to_owned() });
        }
        if let Some(default) = &self.default {
            if self.required {
                return Err(SchemaError::RequiredWithDefault { key: key.to_owned() });
            }
            check(&kind, &default.to_json())
                .map_err(|rule| SchemaError::BadDefault { key: key.to_owned(), rule })?;
        }
        let Self { title, description, default, required, .. } = self;
        Ok(Setting { kind, title, description, default, required })
    }

    fn refuse_foreign_constraints(&self, key: &str) -> Result<(), SchemaError> {
        let rows = [
            ("max_length", self.max_length.is_some(), Type::String),
            ("enum", self.allowed.is_some(), Type::String),
            ("minimum", self.minimum.is_some(), Type::Integer),
            ("maximum", self.maximum.is_some(), Type::Integer),
        ];
        match rows.iter().find(|(_, is_given, kind)| *is_given && *kind != self.kind) {
            None => Ok(()),
            Some((constraint, ..)) => Err(SchemaError::ForeignConstraint {
                key: key.to_owned(),
                constraint,
                kind: self.kind.as_str(),
            }),
        }
    }
}

impl Type {
    const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}
